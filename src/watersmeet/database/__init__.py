"""The database: everything that is remembered, and the only importer of SQLAlchemy.

Owns the schema, the engine and its runner, and one module of plain functions per kind of record.
Knows the pure records of ``oauth2`` and ``confluence``; must not know HTTP, settings of the edge, or why
an operation is carried out. Differences between SQLite and PostgreSQL live in ``dialect.py`` only.
"""
