"""The database tables. Each table has one module, which holds every query on it."""
