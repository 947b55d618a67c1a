"""Web: the Starlette toolkit that every slice uses.

Owns what is the same for all pages and routes: Bearer protection, cookies, forms and their tokens, error
rendering, templates, headers and the request log. Must not know any slice: what it needs from one is handed
in by ``app.py`` as a callable.
"""
