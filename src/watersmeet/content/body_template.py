"""Request bodies of templates and of pages made from them."""

from __future__ import annotations

from msgspec import Struct

from watersmeet.confluence.errors import BadBody
from watersmeet.content.body import Ancestor, BodyValue, SpaceReference, content_number, parent_id_of
from watersmeet.content.body_metadata import SentLabel
from watersmeet.content.template import Instance, TemplateDraft


class TemplateBody(Struct):
    """The body of a template. Whatever representation it names, it is storage format."""

    storage: BodyValue | None = None


class SentTemplate(Struct):
    """``POST`` and ``PUT /rest/experimental/template``."""

    templateId: int | str | None = None  # noqa: N815 - the name on the wire
    name: str | None = None
    templateType: str | None = None  # noqa: N815
    description: str | None = None
    labels: list[SentLabel] | None = None
    space: SpaceReference | None = None
    body: TemplateBody | None = None

    def number(self) -> int:
        """The template that is to be changed. Raises ``BadBody``."""
        found = content_number(str(self.templateId))
        if found is None:
            raise BadBody("The body must carry the number of the template: 'templateId': ….")
        return found

    def draft(self) -> TemplateDraft:
        """What is asked for. Raises ``BadBody``."""
        if self.templateType not in (None, "page"):
            raise BadBody("Templates are of the type 'page'; blueprints are part of plug-ins.")
        return TemplateDraft(
            name=None if self.name is None else self.name.strip(),
            description=self.description,
            storage=self.body.storage.value if self.body and self.body.storage else None,
            labels=None if self.labels is None else tuple(each.word().name for each in self.labels),
            space_key=self.space.key if self.space else None,
        )


class SentInstance(Struct):
    """``POST /rest/experimental/template/{id}/instance``."""

    title: str = ""
    space: SpaceReference | None = None
    ancestors: list[Ancestor] | None = None
    variables: dict[str, str] = {}

    def instance(self) -> Instance:
        """The page that is asked for. Raises ``BadBody``."""
        key = self.space.key if self.space else None
        return Instance(self.title, key, parent_id_of(self.ancestors), self.variables)
