"""The tables. One module, or one package, holds all queries on each."""
