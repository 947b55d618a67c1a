"""Users: who is signed in.

Owns passwords, sign-in, browser sessions and the sign-in page. Must not know OAuth.
"""
