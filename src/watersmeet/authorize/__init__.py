"""Authorize: the authorization endpoint and the consent page.

Owns the way from a client's request to the user's answer. Must not know tokens: it ends with a code.
"""
