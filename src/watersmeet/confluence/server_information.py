"""What the instance says it is: the version of the original whose API this is, not our own."""

from __future__ import annotations

import uuid

from watersmeet.confluence.representation_person import Json
from watersmeet.confluence.site import Site

VERSION = "9.2.0"
"""Clients choose the form of addresses by it: ours are those of versions 9 and 10."""

_BUILD = 9012
_BUILT = "2024-12-09T00:00:00.000+00:00"


def server_information_json(site: Site) -> Json:
    """The answer of ``GET /rest/api/server-information`` (S1.6)."""
    return {
        "baseUrl": site.base_url,
        "version": VERSION,
        "buildNumber": _BUILD,
        "marketplaceBuildNumber": _BUILD,
        "buildDate": _BUILT,
    }


def manifest_json(site: Site) -> Json:
    """The answer of ``GET /rest/applinks/1.0/manifest``: by it, applications of the family recognise each other."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, site.base_url)),
        "name": "Watersmeet",
        "typeId": "confluence",
        "version": VERSION,
        "buildNumber": _BUILD,
        "url": site.base_url,
        "publicSignup": False,
        "inboundAuthenticationTypes": [],
        "outboundAuthenticationTypes": [],
    }
