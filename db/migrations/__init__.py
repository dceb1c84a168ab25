"""Changes of tables, each applied once in the life of a database; see docs/migrations.md.

`versions` has a file with its own SQL for each revision, and `released.txt` the hashes of those that must not change.
"""
