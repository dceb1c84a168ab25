"""How work is done: worker processes, loops, waiting and the clock."""
