"""Confluence: the wire conventions of its REST API, as pure functions of values.

Owns the scopes and their words, records of spaces and content, their JSON, ``expand``, paging and the error
envelope. Must not know a framework, SQL, a clock or any I/O.
"""
