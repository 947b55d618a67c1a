"""The coverage of the original's REST API: ``tools/operations.txt`` as records, and as ``docs/coverage.md``.

python -m tools.coverage            rewrite docs/coverage.md
python -m tools.coverage --check    exit code 1 if it is not what operations.txt says
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPERATIONS = ROOT / "tools" / "operations.txt"
DOCUMENT = ROOT / "docs" / "coverage.md"

SECTIONS = {
    "content": "Content",
    "attachment": "Attachments",
    "space": "Spaces",
    "person": "People, groups and watches",
    "search": "Search, labels, long tasks and the instance",
    "administration": "Administration",
    "backup": "Backup and restore",
    "beside": "Outside /rest/api",
    "own": "Not in the original",
}
STATES = {
    "yes": "implemented",
    "partial": "partial",
    "404": "refused, 404",
    "501": "refused, 501",
}
RIGHTS = {
    "none": "no token needed",
    "anybody": "whoever is let in; shows what they see",
    "anybody-session": "whoever is let in; shows what they see; a session in a browser will do",
    "known": "whoever is signed in",
    "own": "for oneself",
    "draft": "being the author of the draft; of one beside a page, the right to change that",
    "password": "one's own password or personal token; refused to applications",
    "task": "one's own task; administrators, all",
    "view": "seeing the content or space",
    "view-session": "seeing the content; a session in a browser will do",
    "view-known": "seeing it, signed in",
    "edit": "the right in the space (to create, change, remove or restrict)",
    "space": "administering the space",
    "create-space": "the global permission to create spaces",
    "admin": "administrator",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A line of ``operations.txt``."""

    section: str
    method: str
    path: str
    state: str
    scope: str
    right: str
    request: str
    test: str
    note: str

    @property
    def name(self) -> str:
        """``GET /rest/api/content``."""
        return f"{self.method} {self.path}"

    @property
    def is_served(self) -> bool:
        """Whether there is more than a refusal."""
        return self.state in ("yes", "partial")


def read(file: Path = OPERATIONS) -> list[Operation]:
    """Every operation. Raises ``ValueError`` for a line that is none."""
    lines = enumerate(file.read_text().splitlines(), 1)
    return [_operation(number, line) for number, line in lines if line.strip() and not line.startswith("#")]


def _operation(number: int, line: str) -> Operation:
    cells = [cell.strip() for cell in line.split(" |")]
    if len(cells) != 8:
        raise ValueError(f"{OPERATIONS.name}:{number} has {len(cells)} cells instead of 8: {line}")
    section, name, state, scope, right, request, test, note = cells
    method, _, path = name.partition(" ")
    operation = Operation(
        section, method, path if path.startswith("/") else f"/rest/api/{path}", state, scope, right, request, test, note
    )
    known = section in SECTIONS and state in STATES and (not operation.is_served or (right in RIGHTS and test))
    if not known:
        raise ValueError(
            f"{OPERATIONS.name}:{number} has a section, state or right that is unknown, or no test: {line}"
        )
    return operation


def document(operations: Sequence[Operation]) -> str:
    """``docs/coverage.md``."""
    counts = Counter(STATES[each.state] for each in operations)
    told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    lines = [
        "# Coverage of the REST API",
        "",
        "Every operation that the original's references name, and some that clients use beside them. Written by",
        "`make coverage` from `tools/operations.txt`; do not change it here. Each served one is asked as a stranger, a",
        "reader, a writer, a space's administrator and an administrator with every scope, each refused one is asked",
        "too (`tests/http/matrix`).",
        "",
        f"{len(operations)} operations: {told}.",
    ]
    for section, title in SECTIONS.items():
        some = [each for each in operations if each.section == section]
        if some:
            lines += ["", f"## {title}", "", "| Operation | State | Scope | Right | Test |", "|---|---|---|---|---|"]
            lines += [_row(each) for each in some]
    return "\n".join(lines) + "\n"


def _row(each: Operation) -> str:
    state = STATES[each.state] + (f": {each.note}" if each.note else "")
    if not each.is_served:
        return f"| `{each.name}` | {state} | | | |"
    test = each.test.rpartition("/")[2].replace("::", ", ")
    link = f"[{test}](../tests/{each.test.partition('::')[0]})"
    return f"| `{each.name}` | {state} | {each.scope} | {RIGHTS[each.right]} | {link} |"


def main(arguments: Sequence[str]) -> int:
    """Write the document, or say that it is stale."""
    text = document(read())
    if "--check" not in arguments:
        DOCUMENT.write_text(text)
        return 0
    if not DOCUMENT.exists() or DOCUMENT.read_text() != text:
        sys.stderr.write("docs/coverage.md is not what tools/operations.txt says: make coverage\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
