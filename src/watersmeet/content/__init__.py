"""Content: the protected REST API.

Owns spaces, pages and blog posts: reading, writing, who may do which, and the HTTP routes. Must not know how
a token is checked or where it came from: it is handed a caller.
"""
