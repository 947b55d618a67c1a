"""The catalogues of the pages' texts: find the sentences, bring the translations up to date, compile them.

    python -m tools.catalogues          rewrite src/watersmeet/locales/*.po and *.mo
    python -m tools.catalogues --check  say what is missing or stale; exit code 1 if anything is

Sentences are found in the templates (``_()``, ``{% trans %}``) and in the code: whatever becomes the description
of an error, the words of a scope, the arguments of ``translatable()``, and the pattern of a ``Sentence()``.
"""

from __future__ import annotations

import ast
import gettext
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "watersmeet"
LOCALES = PACKAGE / "locales"
LANGUAGES = ("de",)
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

_TEMPLATE_OPTIONS = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "trimmed": "true", "silent": "false"}
# Where errors are born that end up on a page; token answers, the REST API and the command line speak English.
_PAGES = (
    "audit", "authorize", "dev", "dev/explanation", "dev/http", "links", "users", "web", "demo.py", "errors.py",
    "confluence/scopes.py", "content/reading.py", "database/clients.py", "database/users.py", "oauth2/parameters.py",
    "oauth2/redirect.py",
)  # fmt: skip
# The errors of the protocol that people see instead of a redirect, and those of the API that they see on pages.
_SHOWN = {"UntrustedRequest", "MalformedParameters", "MissingParameter", "RepeatedParameter", "UseNotPermitted"}


def sentences() -> Catalog:
    """Every sentence there is, without translations."""
    found = Catalog(charset="utf-8", fuzzy=False, creation_date=_LONG_AGO)
    for template in sorted((PACKAGE / "templates").glob("*.html")):
        with template.open("rb") as file:
            for line, message, comments, context in extract("jinja2", file, options=_TEMPLATE_OPTIONS):
                place = (f"templates/{template.name}", line)
                found.add(message, locations=[place], auto_comments=comments, context=context)
    for folder in _PAGES:
        for source in sorted([PACKAGE / folder] if folder.endswith(".py") else (PACKAGE / folder).glob("*.py")):
            for line, sentence in _in_code(ast.parse(source.read_text())):
                found.add(sentence, locations=[(str(source.relative_to(PACKAGE)), line)])
    for module in ("oauth2/errors.py", "confluence/errors.py"):
        for node in ast.parse((PACKAGE / module).read_text()).body:
            if isinstance(node, ast.ClassDef) and _SHOWN & {node.name, *(ast.unparse(base) for base in node.bases)}:
                for line, sentence in _in_code(node):
                    found.add(sentence, locations=[(module, line)])
    return found


def _in_code(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name("description")], value=ast.Constant(str() as text)):
                yield node.lineno, text
            case ast.AnnAssign(target=ast.Name("description"), value=ast.Constant(str() as text)):
                yield node.lineno, text
            case ast.Call(func=ast.Name("translatable"), args=args):
                yield from ((arg.lineno, str(ast.literal_eval(arg))) for arg in args if isinstance(arg, ast.Constant))
            case ast.Call(func=ast.Name("Sentence"), args=[ast.Constant(str() as text), *_]):
                yield node.lineno, text
            case ast.Call(func=ast.Name("ScopeWords"), args=args):
                yield from _constants(args)
            case ast.Raise(exc=ast.Call(args=[first, *_])):
                yield from _constants([first])
            case ast.Call(func=ast.Attribute(ast.Call(ast.Name("super")), "__init__"), args=[first, *_]):
                yield from _constants([first])
            case ast.Assign(targets=[ast.Name("_REGISTRATION_CHECKS")], value=ast.Tuple(rows)):
                yield from _constants([row.elts[1] for row in rows if isinstance(row, ast.Tuple)])


def _constants(nodes: list[ast.expr]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        # Not every argument is a sentence: names of fields and of settings are not.
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value[:1].isupper() | ("{" in node.value)
        ):
            yield node.lineno, node.value


def translated(language: str) -> Catalog:
    """What has been translated so far."""
    file = LOCALES / f"{language}.po"
    if not file.exists():
        return Catalog(locale=language, fuzzy=False)
    with file.open("rb") as opened:
        return read_po(opened, locale=language)


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as gettext reads it."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def problems() -> list[str]:
    """What keeps the catalogues from being complete and up to date."""
    found, expected = [], sentences()
    for language in LANGUAGES:
        catalogue = translated(language)
        wanted, known = {message.id for message in expected if message.id}, {m.id for m in catalogue if m.id}
        found += [f"{language}: missing: {sentence}" for sentence in wanted - known]
        found += [f"{language}: not used any more: {sentence}" for sentence in known - wanted]
        found += [f"{language}: not translated: {m.id}" for m in catalogue if m.id and _is_open(m.string)]
        found += [f"{language}: fuzzy: {m.id}" for m in catalogue if m.id and m.fuzzy]
        found += [f"{language}: {m.id}: {error}" for m in catalogue for error in m.check(catalogue)]
        if _texts((LOCALES / f"{language}.mo").read_bytes()) != _texts(compiled(catalogue)):
            found.append(f"{language}: the compiled catalogue is not that of {language}.po")
    return found


def _texts(mo: bytes) -> dict[object, str]:
    # The header, under the empty key, names the version of Babel.
    known: dict[object, str] = vars(gettext.GNUTranslations(io.BytesIO(mo)))["_catalog"]
    return {key: text for key, text in known.items() if key}


def _is_open(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return not all(string) if isinstance(string, (tuple, list)) else not string


def update() -> None:
    """Rewrite the files."""
    for language in LANGUAGES:
        catalogue = translated(language)
        catalogue.update(sentences(), no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        catalogue.header_comment = f"# The pages of Watersmeet in the language {language}; see tools/catalogues.py."
        catalogue.project, catalogue.version, catalogue.msgid_bugs_address = "Watersmeet", "1", ""
        catalogue.last_translator, catalogue.language_team = "the authors of Watersmeet", ""
        catalogue.creation_date = catalogue.revision_date = _LONG_AGO  # the history knows better
        buffer = io.BytesIO()
        write_po(buffer, catalogue, width=110, sort_by_file=True, include_lineno=False)
        (LOCALES / f"{language}.po").write_bytes(buffer.getvalue())
        (LOCALES / f"{language}.mo").write_bytes(compiled(catalogue))


if __name__ == "__main__":
    if "--check" not in sys.argv:
        update()
    for problem in problems():
        print(problem)
    sys.exit(bool(problems()))
