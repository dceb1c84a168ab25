"""The stage that polls feeds for new entries."""
