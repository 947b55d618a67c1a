"""Discovery: the documents by which clients find everything else.

Owns the metadata routes, at every place where clients look, and the OpenAPI description. Must not know the slices
it describes: tests hold its statements against them.
"""
