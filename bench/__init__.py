"""Measurements. Run one with `python -m bench.NAME` and all with `make bench`. Results are printed as tables."""
