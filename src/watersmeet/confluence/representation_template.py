"""Representation of templates (S1.9)."""

from __future__ import annotations

from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.representation import space_json
from watersmeet.confluence.representation_person import Json
from watersmeet.confluence.site import Site, space_path
from watersmeet.confluence.template import Template

TEMPLATE = "/rest/experimental/template"


def template_json(template: Template, expansion: Expansion, site: Site, *, outermost: bool = False) -> Json:
    """A template."""
    shown: Json = {
        "templateId": str(template.id),
        "name": template.name,
        "description": template.description,
        "labels": [{"prefix": "global", "name": name, "label": name} for name in template.labels],
        "templateType": "page",
    }
    expandable: dict[str, str] = {}
    if "body" in expansion:
        storage = {"value": template.storage, "representation": "storage", "_expandable": {}}
        shown["body"] = {"storage": storage, "_expandable": {}}
    else:
        expandable["body"] = ""
    if template.space and "space" in expansion:
        shown["space"] = space_json(template.space, expansion.within("space"), site)
    elif template.space:
        expandable["space"] = space_path(template.space.key)
    links = {"self": site.absolute(f"{TEMPLATE}/{template.id}")}
    return {**shown, "_links": links | site.outermost if outermost else links, "_expandable": expandable}
