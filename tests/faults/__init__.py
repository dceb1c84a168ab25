"""The whole pipeline under seeded random faults: nothing is lost, nothing is doubled, nothing stays stuck."""
