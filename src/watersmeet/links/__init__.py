"""Links: incoming links, which register clients, and what a user has authorized.

Owns the operations behind both the pages and the command line. Must not know how tokens are issued.
"""
