"""Monitors the feeds and the pipeline: health, alerts and the report."""
