"""Output: JSON for machines, tables and questions for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from watersmeet.errors import WatersmeetError


class OutputLost(WatersmeetError):
    """Standard output cannot be written, because a disk is full."""


def say(text: str, *, nl: bool = True) -> None:
    """One text on standard output, at once. Raises ``OutputLost``, or ``BrokenPipeError`` for click to pass over."""
    try:
        click.echo(text, nl=nl)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What could not be written is still kept, and would be tried again, and complained about, at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputLost(f"Standard output cannot be written: {error.strerror}.") from error


def warn(text: str) -> None:
    """One warning on standard error, so that what is printed for programs stays as it is."""
    click.echo(f"Warning: {text}", err=True)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be undone, unless ``yes`` was said; ends the command where nobody agrees, or is there."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on: use --yes.")
    click.confirm(question, abort=True)


def print_json(value: Any) -> None:
    """One JSON value, indented, on standard output."""
    import msgspec

    say(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns under headings."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    for row in [headings, *rows]:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
