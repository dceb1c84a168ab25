"""How feeds and pipeline are doing: health, alerts and the report."""
