"""Representation of what somebody may do on the instance and in a space (S1.4, S1.7)."""

from __future__ import annotations

from watersmeet.confluence.content import Space
from watersmeet.confluence.permission import GlobalGrant, SpaceGrant
from watersmeet.confluence.representation_person import Json, anonymous_json, group_json, person_json
from watersmeet.confluence.site import Site


def grant_json(grant: SpaceGrant, space: Space, site: Site) -> Json:
    """One permission of one subject in a space."""
    return {**global_grant_json(grant, site), "spaceKey": space.key, "spaceId": space.id}


def global_grant_json(grant: GlobalGrant | SpaceGrant, site: Site) -> Json:
    """One permission of one subject."""
    operation, target = grant.permission.operation
    if grant.person:
        subject = person_json(grant.person, site)
    else:
        subject = group_json(grant.group, site) if grant.group else anonymous_json(site)
    return {"operation": {"operationKey": operation, "targetType": target}, "subject": subject}
