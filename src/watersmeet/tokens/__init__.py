"""Tokens: the token endpoint, revocation, and what a Bearer token is worth.

Owns client authentication, exchange, refresh, revocation, verification and the pruning of what has expired.
Must not know pages or content.
"""
