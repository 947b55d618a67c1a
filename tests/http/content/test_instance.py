"""What the instance says of itself, and profile pictures."""

from __future__ import annotations

import re

from tests.http.conftest import Site, SiteFactory


def test_what_clients_ask_before_they_start(site: Site) -> None:
    known = site.get("/rest/api/server-information").json()
    assert known["baseUrl"] == site.base_url
    assert re.fullmatch(r"9\.\d+\.\d+", known["version"])
    assert known["buildNumber"] == known["marketplaceBuildNumber"] > 9000
    assert site.client.get("/rest/api/server-information").status_code == 401
    assert site.get("/rest/api/accessmode").json() == "READ_WRITE"


def test_administrators_are_told_how_much_there_is(site: Site) -> None:
    path = "/rest/api/instance-metrics"
    before = site.get(path, user="admin", scope="ADMIN").json()
    assert before.keys() == {"pages", "spaces", "users"}
    assert min(before.values()) > 0
    space = {"key": "NEW", "name": "New"}
    site.post("/rest/api/space", json=space, user="admin")
    person = {"userName": "new", "fullName": "New", "email": "new@example.com", "password": "correct horse"}
    site.post("/rest/api/admin/user", json=person, user="admin", scope="ADMIN")
    found = site.get("/rest/api/content?spaceKey=DEMO", user="admin").json()["results"][0]["id"]
    site.delete(f"/rest/api/content/{found}", user="admin")
    told = site.get(path, user="admin", scope="ADMIN").json()
    # A space begins with a homepage; a page in the trash is none.
    assert told == {"pages": before["pages"], "spaces": before["spaces"] + 1, "users": before["users"] + 1}
    assert site.get(path, user="alice", scope="WRITE").status_code == 403


def test_programs_without_a_token_learn_that_it_runs_and_what_it_is(site_under: SiteFactory) -> None:
    site = site_under("/wiki")
    assert site.client.get("/wiki/status").json() == {"state": "RUNNING"}
    manifest = site.client.get("/wiki/rest/applinks/1.0/manifest").json()
    assert (manifest["typeId"], manifest["url"]) == ("confluence", site.base_url)


def test_profile_pictures_are_where_the_api_says(site_under: SiteFactory) -> None:
    site = site_under("/wiki")
    for path in ("/rest/api/user/current", "/rest/api/user/anonymous"):
        picture = site.get(path).json()["profilePicture"]["path"]
        shown = site.client.get(picture)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/svg+xml")
        assert shown.text.startswith("<svg")
    logo = site.get("/rest/api/space/DEMO?expand=icon").json()["icon"]["path"]
    assert site.client.get(logo).headers["content-type"] == "image/svg+xml"
    assert site.client.get("/wiki/images/icons/profilepics/none.svg").status_code == 404
