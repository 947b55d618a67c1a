"""What the page of a new link gives to copy: it works as it is printed, for both profiles."""

from __future__ import annotations

import json
import shlex
from urllib.parse import urlsplit

import pytest

from tests.http.conftest import VERIFIER, Site
from watersmeet.links.recipes import recipes
from watersmeet.oauth2.pkce import s256
from watersmeet.oauth2.profile import Profile

URI = "https://app.example/cb"


def printed(site: Site, profile: Profile) -> dict[str, str]:
    registered = site.register("App", [URI], profile=profile)
    base_url = site.environment.settings.base_url
    return {recipe.kind: recipe.text for recipe in recipes(base_url, registered.client, registered.client_secret)}


@pytest.mark.parametrize("profile", list(Profile))
def test_the_recipe_by_hand_leads_to_tokens(site: Site, profile: Profile) -> None:
    text = printed(site, profile)["curl"].replace("CODE_CHALLENGE&", f"{s256(VERIFIER)}&")
    opened = next(line for line in text.splitlines() if "/authorize?" in line)
    browser = site.signed_in("alice")
    asked = browser.get(opened.removeprefix(site.base_url))
    code = site.answer(browser, browser.get(asked.headers["location"]))["code"]
    command = text[text.index("curl ") :].partition("\n\n")[0].replace("CODE_VERIFIER", VERIFIER)
    words = shlex.split(command.replace("code=CODE", f"code={code}"))
    fields = dict(word.split("=", 1) for word in words if "=" in word)
    answer = site.new_browser().post(urlsplit(words[1]).path, data=fields)
    assert answer.status_code == 200, answer.text


def test_an_mcp_server_that_knows_no_pkce_is_offered_where_it_works(site: Site) -> None:
    offered = json.loads(printed(site, Profile.ATLASSIAN_DC)["mcp"])["mcpServers"]["confluence"]
    assert offered["env"]["CONFLUENCE_URL"] == site.base_url


def test_a_strict_link_is_nothing_for_an_mcp_server_that_knows_no_pkce(site: Site) -> None:
    assert printed(site, Profile.STRICT).keys() == {"env", "curl"}
