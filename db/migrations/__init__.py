"""Changes of tables, each made once in the life of a database; see docs/migrations.md.

`versions` has a file for each revision, with its own SQL, and `released.txt` the hashes of those that may not change.
"""
