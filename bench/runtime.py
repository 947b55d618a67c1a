"""The runtime: a Python that has Watersmeet and what it needs to run, and nothing else.

Start-up is measured there. The environment of the tests has packages that a user's has not, and some of what
Watersmeet needs imports more when it finds more (structlog imports rich, if it is there).
"""

from __future__ import annotations

import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement


def make_runtime(folder: Path) -> Path:
    """A virtual environment in that folder, its packages linked from this one's; the path of its interpreter."""
    venv.create(folder, symlinks=True)
    major, minor = sys.version_info[:2]
    packages = folder / "lib" / f"python{major}.{minor}" / "site-packages"
    for found in needed("watersmeet", set()):
        tops = {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            link = packages / top
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))
    return folder / "bin" / "python"


def needed(name: str, seen: set[str]) -> Iterator[Distribution]:
    """A package and, transitively, what it needs on this machine, without extras it does not ask for."""
    wanted = Requirement(name)
    key = wanted.name.lower().replace("_", "-")
    if key in seen:
        return
    seen.add(key)
    try:
        found = distribution(wanted.name)
    except PackageNotFoundError:
        return  # for another system
    yield found
    for line in found.requires or ():
        requirement = Requirement(line)
        extras = wanted.extras or {""}
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            yield from needed(str(requirement).partition(";")[0], seen)
