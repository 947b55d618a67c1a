"""The migrations: one module a schema, each leading there from the one before."""
