"""The setting refresh_grace_seconds over HTTP, and what the log says of a probable lost response."""

from __future__ import annotations

import pytest

from tests.http.app import App
from tests.http.conftest import Site, SiteFactory
from watersmeet import demo
from watersmeet.links.register import UnacceptableLink, change_rules, require_link
from watersmeet.oauth2.profile import Profile


def test_s111_the_same_answer_again_within_the_grace(site_under: SiteFactory) -> None:
    site = site_under(refresh_grace_seconds=2)
    first = site.tokens()
    second = site.refresh(first["refresh_token"])
    site.clock.advance(1.9)
    again = site.refresh(first["refresh_token"])
    assert (again.status_code, again.content) == (200, second.content)
    assert site.bearer(again.json()["access_token"]).status_code == 200
    site.clock.advance(0.2)
    assert site.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.bearer(second.json()["access_token"]).status_code == 401


@pytest.mark.parametrize(("server", "own", "resent"), [(0, 2, True), (2, 0, False), (1, None, True), (0, None, False)])
def test_n10_a_client_may_have_a_grace_of_its_own(
    site_under: SiteFactory, server: int, own: int | None, resent: bool
) -> None:
    site = site_under(refresh_grace_seconds=server)
    database = site.environment.database
    link = database.read_now(lambda tx: require_link(tx, demo.CLIENT_ID))
    changed = database.write_now(
        lambda tx: change_rules(tx, link, site.clock.now(), refresh_grace_seconds="default" if own is None else own)
    )
    assert changed.refresh_grace_seconds == own
    first = site.tokens()
    second = site.refresh(first["refresh_token"])
    again = site.refresh(first["refresh_token"])
    if resent:
        assert (again.status_code, again.content) == (200, second.content)
    else:
        assert again.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("grace", [-1, 3])
def test_n10_no_client_has_a_longer_grace(site: Site, grace: int) -> None:
    link = site.environment.database.read_now(lambda tx: require_link(tx, demo.CLIENT_ID))
    with pytest.raises(UnacceptableLink, match="0 to 2 seconds"):
        site.environment.database.write_now(
            lambda tx: change_rules(tx, link, site.clock.now(), refresh_grace_seconds=grace)
        )


def test_n10_the_log_names_a_probable_lost_response(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    lost, used = site.tokens(), site.tokens("bob")
    site.refresh(lost["refresh_token"])
    site.refresh(site.refresh(used["refresh_token"]).json()["refresh_token"])
    capsys.readouterr()
    for tokens, why in ((lost, "reuse after lost response?"), (used, "used twice")):
        assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert why in "".join(capsys.readouterr())


def test_n10_a_link_s_own_grace_wins_and_is_chosen_on_its_page(site_under: SiteFactory) -> None:
    site = site_under(refresh_grace_seconds=2, access_token_expiration_seconds=7200)
    app = App(site, Profile.STRICT)
    admin, link = site.signed_in("admin"), f"/plugins/servlet/applinks/incoming/{app.client_id}"
    assert "longer than an hour" in admin.get(link).text  # N9
    for chosen, stored, status in (("0", 0, 303), ("3", 0, 400), ("x", 0, 400), ("1", 1, 303), ("default", None, 303)):
        token = admin.get(link).text.split('name="form_token" value="')[-1].split('"')[0]
        answer = admin.post(f"{link}/rules", data={"refresh_grace": chosen, "form_token": token})
        assert (answer.status_code, app.stored.refresh_grace_seconds) == (status, stored)
        first = app.post(app.parameters(app.code())).json()["refresh_token"]
        assert len(first) == 163  # N7
        whose = {"client_id": app.client_id, "client_secret": str(app.secret)}
        body = {**whose, "grant_type": "refresh_token", "refresh_token": first}
        answers = [app.post(body) for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 400 if stored == 0 else 200]
        if stored != 0:
            assert answers[0].content == answers[1].content
