"""Measurements: each module is one, run by `python -m bench.NAME`; all by `make bench`. Results as tables."""
