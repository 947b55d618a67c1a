"""The addresses of a site: only ``self`` is absolute, nothing names the context path (S3.2)."""

from __future__ import annotations

import pytest

from watersmeet.confluence.site import Site, content_path, space_page, space_path, tiny_link, tiny_number


@pytest.mark.parametrize("context_path", ["", "/confluence"])
def test_an_absolute_address_has_the_context_path_once(context_path: str) -> None:
    site = Site("https://wiki.example" + context_path, context_path)
    assert site.absolute(content_path(5)) == f"https://wiki.example{context_path}/rest/api/content/5"
    assert site.outermost == {"base": f"https://wiki.example{context_path}", "context": context_path}


@pytest.mark.parametrize(
    ("key", "quoted"), [("DEMO", "DEMO"), ("~ada", "~ada"), ("a b", "a%20b"), ("a/b", "a%2Fb"), ("é", "%C3%A9")]
)
def test_keys_in_addresses(key: str, quoted: str) -> None:
    assert space_path(key) == f"/rest/api/space/{quoted}"
    assert space_page(key) == f"/display/{quoted}"


@pytest.mark.parametrize(
    ("number", "link"),
    [(98312, "/x/CIAB"), (1, "/x/AQ"), (65536, "/x/AAAB"), (0xFFFB, "/x/_-8"), (2**40, "/x/AAAAAAAB")],
)
def test_tiny_links(number: int, link: str) -> None:
    assert tiny_link(number) == link
    assert tiny_number(link.removeprefix("/x/")) == number


@pytest.mark.parametrize("tiny", ["", "CIAB=", "C+AB", "ä", "A" * 12, "../x", "CIA B", "_" * 11])
def test_what_is_no_tiny_link(tiny: str) -> None:
    assert tiny_number(tiny) is None
