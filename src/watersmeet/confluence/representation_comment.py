"""Representation of where comments are and what became of them (S3.8)."""

from __future__ import annotations

from watersmeet.confluence.content import IN_FOOTER, CommentLocation, CommentPlace, Content, Resolution
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.representation_person import Json, friendly_text, instant_text, person_json
from watersmeet.confluence.site import Site, content_page


def comment_extensions_json(comment: Content, expansion: Expansion, site: Site) -> Json:
    """The extensions of a comment: where it is, and for a comment on a part of the text, on which."""
    place = comment.place or IN_FOOTER
    shown: Json = {"location": place.location}
    if place.location == CommentLocation.INLINE:
        if "inlineProperties" in expansion:
            shown["inlineProperties"] = {
                "originalSelection": place.original_selection,
                "markerRef": place.marker_ref,
            }
        if "resolution" in expansion:
            shown["resolution"] = _resolution_json(comment, place, site)
    expandable = {name: "" for name in ("inlineProperties", "resolution") if name not in expansion}
    return {**shown, "_expandable": expandable}


def _resolution_json(comment: Content, place: CommentPlace, site: Site) -> Json:
    at = comment.created_at if place.resolved_at is None else place.resolved_at
    return {
        "status": place.resolution,
        "lastModifier": person_json(place.resolved_by or comment.created_by, site),
        "lastModifiedDate": instant_text(at),
    }


def inline_comment_json(comment: Content, rendered: str) -> Json:
    """A comment on a part of a text as its own, older resource shows it; ``rendered`` is its body as HTML."""
    place = comment.place or IN_FOOTER
    resolved = place.resolution in (Resolution.RESOLVED, Resolution.DANGLING)
    at = place.resolved_at if resolved else None
    return {
        "id": comment.id,
        "containerId": str(comment.container_id),
        "parentCommentId": comment.parent_id or 0,
        "originalSelection": place.original_selection,
        "markerRef": place.marker_ref,
        "body": rendered,
        "authorDisplayName": comment.created_by.display_name,
        "authorUserName": comment.created_by.username,
        "lastModificationDate": friendly_text(comment.version.when),
        "commentDateUrl": content_page(comment),
        "resolveProperties": {
            "resolved": resolved,
            "resolvedByDangling": place.resolution == Resolution.DANGLING,
            "resolvedTime": at or 0,
            "resolvedFriendlyDate": "" if at is None else friendly_text(at),
            "resolvedUser": place.resolved_by.username if resolved and place.resolved_by else None,
        },
    }
