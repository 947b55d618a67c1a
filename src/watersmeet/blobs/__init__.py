"""Blobs: the bytes of files, each kept once, under the digest of what it holds.

Owns where bytes lie and how they get there whole. Must not know what a file is called, whose it is, or who may read
it: that is in the database, which names digests. Bytes come first and the row that names them after, so a crash
leaves bytes that nobody names; those are discarded once they are old enough (docs/decisions/0066).
"""
