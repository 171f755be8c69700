"""A folder of documents → an index on disk, without a server, and the passages of it that a query means.

``index`` is the file to read first. An index is a batch run with two tables, ``documents`` and ``passages``, and what
is derived from their parts: ``vectors``, ``words`` and, for many passages, ``graph``. These are caches, which a build,
or the next one to open the index, brings up to date.
"""
