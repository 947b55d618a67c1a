"""Audit: reading the audit log, as a page, as an export and through the API.

Owns filters and formats. Must not know what the events of the other slices mean: they are written by
``database.audit.record``, beside what they describe.
"""
