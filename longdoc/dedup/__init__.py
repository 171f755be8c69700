"""Near-duplicates among documents, their sections or clauses. ``duplicates.py`` is the file to read first."""
