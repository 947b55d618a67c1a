"""axe-core in a page: what it finds against WCAG 2.2 A and AA."""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import Page

# The package brings axe-core itself; its wrapper is not needed.
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async (tags) => {
  const found = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
  return found.violations.map((rule) => `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => node.html).join(" ")}`);
}"""


def axe_violations(page: Page) -> list[str]:
    """Every rule that the page breaks, with the elements that do."""
    # The pages' policy forbids scripts from elsewhere; the debugger's own way in is not subject to it.
    page.evaluate(_AXE)
    found: list[str] = page.evaluate(_RUN, _TAGS)
    return found
