"""The tables. Each has one module, which holds all queries about it."""
