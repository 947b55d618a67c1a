"""Every text of the pages is in the catalogues, and every catalogue says all of it."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import jinja2.ext
import pytest
from tools import catalogues

from tests.http.conftest import Site
from watersmeet.errors import WatersmeetError
from watersmeet.web.language import LANGUAGES, preferred, told
from watersmeet.web.templates import _environment

TEMPLATES = Path(catalogues.PACKAGE) / "templates"
NAMES = {"Watersmeet", "watersmeet", "link", "add", "NAME", "redirect", "uri", "URL", "scope", "READ"}
_SHOWN_ATTRIBUTE = re.compile(r'\b(?:alt|aria-label|placeholder|title|label|data-label)="([^"]*)"')


def _bare_words(template: str) -> set[str]:
    """The words a template shows that no catalogue knows."""
    environment = jinja2.Environment(extensions=[jinja2.ext.i18n])
    bare, inside = [], False
    for _, kind, value in environment.lex(template):
        if kind == "name" and value in ("trans", "endtrans"):
            inside = value == "trans"
        elif kind == "data" and not inside:
            bare.append(value)
        elif kind != "whitespace":
            bare.append("\0")  # an expression stood here
    text = "".join(bare)
    shown = [re.sub(r"<[^>]*>", " ", text), *_SHOWN_ATTRIBUTE.findall(text)]
    return {word for part in shown for word in re.findall(r"[A-Za-z]{2,}", part)} - NAMES


@pytest.mark.parametrize("name", [path.name for path in sorted(TEMPLATES.glob("*.html"))])
def test_no_template_says_anything_a_catalogue_does_not_know(name: str) -> None:
    assert _bare_words((TEMPLATES / name).read_text()) == set()


def test_the_search_for_bare_words_finds_them() -> None:
    assert _bare_words("<p title=\"Hello\">{{ _('x') }} there {% trans %}not this{% endtrans %}</p>") == {
        "Hello",
        "there",
    }


def test_the_catalogues_are_complete_and_fresh() -> None:
    assert catalogues.problems() == [], "run make catalogues, and translate what it names"
    assert set(LANGUAGES) == {"en", *catalogues.LANGUAGES}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr, de;q=0.5, en;q=0.4", "de"),
        ("en-GB,de;q=0.9", "en"),
        ("de;q=0", "en"),
        ("de;q=x", "en"),
        ("fr,*", "en"),
        ("DE", "de"),
        (";;,=,q=1", "en"),
    ],
)
def test_the_language_a_browser_likes_best(header: str | None, language: str) -> None:
    assert preferred(header) == language


def test_an_error_is_told_with_its_values() -> None:
    error = WatersmeetError("The name must have 1 to {maximum} characters.", maximum=80)
    assert error.description == "The name must have 1 to 80 characters."
    assert told(error, "de") == "Der Name muss 1 bis 80 Zeichen haben."


def test_what_people_typed_is_never_taken_for_a_form_of_words(site: Site) -> None:
    error = WatersmeetError("There is already an incoming link named {name}.", name="{0} %(x)s")
    assert "{0} %(x)s" in told(error, "de")
    site.register("{name} %(date)s %s", ["https://a.example/cb"])
    admin = site.signed_in("admin")
    for language in LANGUAGES:
        page = admin.get("/plugins/servlet/applinks/listApplicationLinks", headers={"Accept-Language": language})
        assert "{name} %(date)s %s" in page.text


def test_a_page_says_which_language_it_is_in(site: Site) -> None:
    page = site.client.get("/login.action", headers={"Accept-Language": "de"})
    assert page.headers["content-language"] == "de"
    assert page.headers["vary"] == "Accept-Language"
    assert '<html lang="de"' in page.text
    assert ">Anmelden</h1>" in page.text
    assert int(page.headers["content-length"]) == len(page.content)


def test_dates_are_written_as_the_language_writes_them() -> None:
    texts = {
        language: _environment(language).from_string("{{ 1772456700000 | moment }}").render() for language in LANGUAGES
    }
    assert ">2 March 2026, 13:05 UTC<" in texts["en"]
    assert ">2. März 2026, 13:05 UTC<" in texts["de"]
    assert 'datetime="2026-03-02T13:05:00+00:00"' in texts["de"]
