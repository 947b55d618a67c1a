"""Representation of what somebody may do in a space (S1.4)."""

from __future__ import annotations

from watersmeet.confluence.content import Space
from watersmeet.confluence.permission import SpaceGrant
from watersmeet.confluence.representation_person import Json, anonymous_json, group_json, person_json
from watersmeet.confluence.site import Site


def grant_json(grant: SpaceGrant, space: Space, site: Site) -> Json:
    """One permission of one subject."""
    operation, target = grant.permission.operation
    if grant.person:
        subject = person_json(grant.person, site)
    else:
        subject = group_json(grant.group, site) if grant.group else anonymous_json(site)
    return {
        "operation": {"operationKey": operation, "targetType": target},
        "subject": subject,
        "spaceKey": space.key,
        "spaceId": space.id,
    }
