"""Demonstration content: two spaces for whoever tries Watersmeet out, or tests a client against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watersmeet.clock import DAY, Instant
from watersmeet.confluence.content import ContentType
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.permission import READER, USERS_GROUP, WRITER
from watersmeet.content import space, write
from watersmeet.content.write import Draft
from watersmeet.database import groups, permissions
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


@dataclass(frozen=True, slots=True)
class _Piece:
    """A content to create; ``under`` is the title of its parent, the homepage unless said otherwise."""

    title: str
    storage: str
    days_ago: int
    type: ContentType = ContentType.PAGE
    under: str | None = None


_DEMO = (
    _Piece(
        "Getting started",
        "<p>This server answers the same requests as <em>Confluence Data Center</em>: it is an OAuth 2.0 "
        "provider "
        "and the content REST API that its tokens open. The pages of this space are real content, so read "
        "them, change them and delete them.</p>"
        "<ol><li><p>Register your application as an <strong>incoming link</strong>.</p></li>"
        "<li><p>Send the browser to the authorization endpoint and let somebody allow the access.</p></li>"
        "<li><p>Exchange the code for a token pair.</p></li>"
        "<li><p>Ask for <code>/rest/api/content</code> with the access token in the header.</p></li></ol>",
        days_ago=40,
    ),
    _Piece(
        "Registering an incoming link",
        "<p>An incoming link has a name, a redirect URL and the application permissions it may ask for. "
        "You are "
        "given a <strong>client ID</strong> and a <strong>client secret</strong>; the secret is shown "
        "once.</p>"
        '<ac:structured-macro ac:name="info"><ac:rich-text-body><p>The redirect URL must match exactly. '
        "Only the "
        "port of a loopback address may differ.</p></ac:rich-text-body></ac:structured-macro>",
        days_ago=39,
        under="Getting started",
    ),
    _Piece(
        "Asking for a token",
        "<p>The code you were sent is good for one exchange, and for a short time. Bring the code "
        "verifier if you "
        "sent a code challenge.</p>"
        "<table><tbody><tr><th><p>Parameter</p></th><th><p>Value</p></th></tr>"
        "<tr><td><p>grant_type</p></td><td><p>authorization_code</p></td></tr>"
        "<tr><td><p>redirect_uri</p></td><td><p>as in the authorization request</p></td></tr></tbody></table>"
        '<p>What next? See <ac:link><ri:page ri:content-title="Keeping a token fresh" /></ac:link>.</p>',
        days_ago=38,
        under="Getting started",
    ),
    _Piece(
        "Keeping a token fresh",
        "<p>Every refresh hands out a new pair and spends the old refresh token. Somebody who presents a "
        "spent one "
        "has either copied it or lost an answer; the provider tells the two apart and ends the whole "
        "family in "
        "the first case.</p>",
        days_ago=31,
        under="Getting started",
    ),
    _Piece(
        "Permissions",
        "<p>Two things decide what a request may do: the <strong>scope</strong> of its token, and what "
        "<strong>the person</strong> behind it may do. The smaller one counts.</p>"
        "<table><tbody><tr><th><p>Scope</p></th><th><p>Allows</p></th></tr>"
        "<tr><td><p>READ</p></td><td><p>seeing what the person sees</p></td></tr>"
        "<tr><td><p>WRITE</p></td><td><p>changing what the person can change</p></td></tr>"
        "<tr><td><p>ADMIN</p></td><td><p>administering the site, for "
        "administrators</p></td></tr></tbody></table>",
        days_ago=22,
    ),
    _Piece(
        "Why a page seems to be missing",
        "<p>Content that you may not see answers exactly like content that does not exist. If you "
        "expected a page, "
        "ask somebody who administers its space.</p>",
        days_ago=20,
        under="Permissions",
    ),
    _Piece(
        "Welcome to Watersmeet",
        "<p>Where two rivers meet, both keep their water and share one bed. This is the place where your "
        "applications meet your pages.</p>",
        days_ago=30,
        type=ContentType.BLOGPOST,
    ),
    _Piece(
        "What we learned from lost answers",
        "<p>Networks drop answers, laptops fall asleep, and two tabs refresh at once. None of that is an "
        "attack, so "
        "for a short while the same refresh gets the same pair again.</p>"
        "<blockquote><p>Answered means durable; not answered means you may ask again.</p></blockquote>",
        days_ago=9,
        type=ContentType.BLOGPOST,
    ),
)

_ENGINEERING = (
    _Piece(
        "Runbook",
        "<p>The server is one process and one database. Before you change anything, look at the log: it "
        "names the "
        "cause of every refusal.</p>",
        days_ago=28,
    ),
    _Piece(
        "Rotating the secret of a client",
        "<p>Make a new secret, hand it to the owner of the application, and let the old one expire. Both "
        "work in "
        "the meantime.</p>",
        days_ago=27,
        under="Runbook",
    ),
    _Piece(
        "Release plan",
        "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status>"
        "<ac:task-body>Serve the ten requests that clients send most</ac:task-body></ac:task>"
        "<ac:task><ac:task-id>2</ac:task-id><ac:task-status>incomplete</ac:task-status>"
        "<ac:task-body>Serve the rest</ac:task-body></ac:task></ac:task-list>",
        days_ago=6,
    ),
)


def add_demo_content(tx: Transaction, users: Mapping[str, User], now: Instant) -> None:
    """The spaces DEMO and ENG, made by ``admin`` for ``alice`` and ``viewer``; ``bob`` does not see ENG."""
    demo = _add_space(tx, users["admin"], "DEMO", "Demonstration", "A space to try things out in.", now)
    everybody = groups.find_id(tx, USERS_GROUP)
    permissions.grant(tx, demo, READER, group_id=everybody)
    permissions.grant(tx, demo, WRITER, user_id=users["alice"].id)
    _add_pieces(tx, users["admin"], "DEMO", _DEMO, now)
    eng = _add_space(tx, users["admin"], "ENG", "Engineering", "How this server is run.", now)
    permissions.grant(tx, eng, WRITER, user_id=users["alice"].id)
    permissions.grant(tx, eng, READER, user_id=users["viewer"].id)
    _add_pieces(tx, users["admin"], "ENG", _ENGINEERING, now)


def _add_space(tx: Transaction, creator: User, key: str, name: str, description: str, now: Instant) -> int:
    return space.create(tx, creator, key=key, name=name, description=description, now=now - 60 * DAY).id


def _add_pieces(tx: Transaction, author: User, key: str, pieces: tuple[_Piece, ...], now: Instant) -> None:
    numbers: dict[str | None, int | None] = {None: space.find(tx, author, key, NOTHING).homepage_id}
    for piece in pieces:
        parent_id = numbers[piece.under] if piece.type is ContentType.PAGE else None
        draft = Draft(piece.type, key, piece.title, piece.storage, parent_id)
        created = write.create(tx, author, draft, now - piece.days_ago * DAY, NOTHING)
        numbers[piece.title] = created.id
