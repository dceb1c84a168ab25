"""How work runs: worker processes, loops, waiting and the clock."""
