"""OAuth 2.0: the protocol as values and transitions.

Owns what RFC 6749, 6750, 7009, 7636, 8252 and 9700 say about requests, scopes, redirection URIs, codes, token
families and answers. Pure: it must not know a framework, SQL, a clock or any I/O; ``now`` and randomness are
arguments. Confluence's own vocabulary (which scopes there are) is handed in.
"""
