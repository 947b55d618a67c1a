"""The keyboard alone: from one control to the next, each of them to be seen."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

_ENOUGH = 80  # presses of Tab; no page has so many controls

# What has the focus is on the screen, is not covered by anything else (WCAG 2.4.11), and is marked (2.4.7).
_UNSEEN = """() => {
  const it = document.activeElement;
  if (it === document.body) return null;
  const box = (it.closest("label") ?? it).getBoundingClientRect();
  const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
  const x = middle(box.left, box.right, innerWidth), y = middle(box.top, box.bottom, innerHeight);
  const hit = document.elementFromPoint(x, y);
  const seen = hit && (hit.contains(it) || it.contains(hit) || it.closest("label")?.contains(hit));
  if (!seen) return `not to be seen: ${it.outerHTML}`;
  return getComputedStyle(it).outlineStyle === "none" ? `not marked: ${it.outerHTML}` : null;
}"""


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until a control has the focus. Fails if one on the way cannot be seen, or if it is never reached."""
    wanted.wait_for(state="attached")
    for _ in range(_ENOUGH):
        if wanted.evaluate("(it) => it === document.activeElement"):
            return
        page.keyboard.press("Tab")
        unseen = page.evaluate(_UNSEEN)
        assert unseen is None, unseen
    raise AssertionError(f"the keyboard does not get to {wanted}")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    """Go to a control and press a key on it."""
    tab_to(page, wanted)
    page.keyboard.press(key)


def write(page: Page, wanted: Locator, text: str) -> None:
    """Go to a field and type over what is in it."""
    tab_to(page, wanted)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)
