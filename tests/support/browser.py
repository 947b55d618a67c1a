"""The browser of the tests: the system's Chromium, driven by Playwright, with an ear for what goes wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebError, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from tools.machine import chromium

_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# An answer of 4xx is often what a test is about; Chromium reports each as an error.
_EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")

expect.set_options(timeout=20_000)  # a machine that runs eight things at once is slow, not wrong


class ChromiumMissingError(Exception):
    """No Chromium can be had on this machine; the text says what to do."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Headless Chromium. Raises ``ChromiumMissingError`` when the machine has none."""
    executable = chromium()
    if executable is None:
        raise ChromiumMissingError("there is no Chromium: run make test as root, or apt-get install chromium")
    with sync_playwright() as playwright:
        try:
            # Playwright adds --no-sandbox, without which root and many containers get no browser at all.
            browser = playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        except PlaywrightError as error:
            raise ChromiumMissingError("Chromium did not start", str(error)) from error
        try:
            yield browser
        finally:
            browser.close()


class Complaints:
    """What the pages of a context complained about: uncaught errors, and errors on the console."""

    def __init__(self, context: BrowserContext, expected: tuple[str, ...] = ()) -> None:
        self._found: list[str] = []
        self._expected = [_EXPECTED, *map(re.compile, expected)]
        context.on("weberror", self._on_error)
        context.on("console", self._on_console)

    @property
    def unexpected(self) -> list[str]:
        """The complaints that no pattern allows."""
        return [text for text in self._found if not any(pattern.search(text) for pattern in self._expected)]

    def _on_error(self, error: WebError) -> None:
        self._found.append(f"uncaught: {error.error}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._found.append(f"console: {message.text} ({message.location.get('url', '')})")


@contextmanager
def fresh_page(
    browser: Browser, *, expected: tuple[str, ...] = (), locale: str = "en-GB", timezone_id: str = "UTC"
) -> Iterator[Page]:
    """A page in a context of its own: no cookies, no storage. Leaving it demands that nothing complained."""
    context = browser.new_context(
        viewport={"width": 1024, "height": 768},
        locale=locale,
        timezone_id=timezone_id,
    )
    context.set_default_timeout(20_000)
    complaints = Complaints(context, expected)
    try:
        page = context.new_page()
        yield page
        if not page.is_closed():
            page.evaluate("0")  # one round trip, so that every event so far has arrived
        if complaints.unexpected:
            raise AssertionError("\n".join(["the page complained:", *complaints.unexpected]))
    finally:
        context.close()


def write_screenshot(page: Page, name: str, *, scratch: Path) -> Path:
    """A picture of the page: in ``docs/images`` if ``WATERSMEET_TEST_SCREENSHOTS=1``, or in ``scratch``."""
    images = Path(__file__).parents[2] / "docs" / "images"
    is_kept = os.environ.get("WATERSMEET_TEST_SCREENSHOTS") == "1"
    folder = images if is_kept else scratch
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    page.wait_for_load_state()  # pictures and scripts included
    for attempts_left in (2, 1, 0):
        try:
            page.screenshot(path=path, animations="disabled", caret="hide")
        except PlaywrightError as error:
            # On a busy machine Chromium now and then has no frame to show yet.
            if "Unable to capture screenshot" not in error.message or not attempts_left:
                raise
        else:
            break
    if is_kept:
        _shrink(path)
    return path


def _shrink(path: Path) -> None:
    """A third of the bytes: a page has few colours, and every version of a picture stays in the history."""
    from PIL import Image

    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(96, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
