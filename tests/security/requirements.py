"""The specification in our own words: every requirement, S001 to S150, and every class of attack, V01 to V48.

Levels: M, a MUST of a standard; S, a SHOULD; P, our own policy, stricter than the texts. An attack class names the
rows that try it, has a test of its own (``test_vNN_…``), or both. Notes, N01 to N16, say what is accepted of whom
where the vendor's dialect conflicts; their level is L.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_REQUIREMENTS = """
S001 M OAuth endpoints do nothing over plain http unless development is switched on.
S002 M Redirect URLs are https, http on this computer, or an application's own dotted scheme.
S003 M Host and forwarding headers decide nothing unless a configured proxy sent them.
S004 P A request for a foreign host is turned away.
S005 M Nothing that carries or refuses credentials may be stored by caches.
S006 M No page can be framed.
S007 S Pages run nothing inline and load nothing foreign; forms lead here, or where the client's scheme does.
S008 M Pages and redirects send no referrer.
S009 S Content types are not guessed, https is remembered, no version is shown.
S010 M No foreign origin may read anything; origins are never reflected.
S011 M After a post, the redirect is 303.
S012 P A wrong method is 405 and changes nothing; HEAD consumes nothing.
S013 P Bodies, headers, parameters and their number are limited before any work is done.
S014 P Slow connections end and block nobody.
S015 P Errors show no internals; unknown paths are 404 in the asked-for format.
S016 P Secrets, codes, tokens, verifiers and passwords appear in no log, error or stored record.
S017 S TLS, where the server ends it itself, is modern.
S018 M A repeated parameter is refused, in one place or spread over query and body.
S019 M Unknown parameters are ignored.
S020 M A parameter without a value counts as absent.
S021 M Form endpoints take forms only, and say so.
S022 M The token endpoint takes posts only.
S023 M Credentials, codes and tokens in an address are refused.
S024 P Ill-formed UTF-8, controls and line breaks are refused, never a crash or a split header.
S025 P Values are decoded exactly once.
S026 P Brackets in names change no types.
S027 M Error texts use the standard's alphabet and reflect nothing.
S028 M Token answers are one well-typed JSON object.
S029 M state returns byte for byte, long ones too.
S030 P Answer parameters are appended to a registered query and never collide with it.
S031 M Clients register whole redirect URLs; without one nothing works.
S032 M Redirect URLs match by exact comparison.
S033 M Only the port of a loopback address may differ.
S034 M No fragments in redirect URLs.
S035 M Dangerous schemes and user names cannot be registered, whatever the way.
S036 P Hosts are plain ASCII, international ones in their encoded form.
S037 M A wrong client or redirect URL ends on a page, without redirect or link.
S038 M The redirect URL must be named in the request.
S039 M The exchange must name the same redirect URL.
S040 P No redirect URL is learnt from a request.
S041 P Redirect URLs are checked again at consent, against the registration of that moment.
S042 M Authorization works from a fresh browser; a post is no way around its checks.
S043 M Only response_type=code exists.
S044 S Strangers are never redirected to a client, whatever is wrong with the request.
S045 S Only response_mode=query exists.
S046 M What the user approved is what the code is for.
S047 S Answers to the client name their issuer.
S048 S Nothing travels in the fragment; an inert one replaces what a browser would inherit.
S049 S A question can be answered once.
S050 P Several tabs can be asked at the same time.
S051 M An answer holds code or error, and each parameter once.
S052 S prompt, max_age and acr_values are honoured, or ignored and not advertised.
S053 S Request objects are refused, and nothing is fetched.
S054 M Sign-in and consent posts carry a token of this session and this question.
S055 M Only the browser and user that were asked can answer.
S056 M Public, loopback and changed clients are asked about every time.
S057 S Remembered consent, if any, is narrow and ends when the client changes.
S058 M The question names client, destination, user, scopes in words and duration.
S059 M Client-supplied text is inert, and invisible characters are refused.
S060 P The user may grant less, and the client is told.
S061 M A refusal is told to the client and leaves nothing behind.
S062 M Session identifiers change at sign-in and die on the server at sign-out.
S063 P Cookies are host-bound, secure, out of scripts' reach and SameSite.
S064 M Guessing passwords is throttled by account and by source, races included, without locking the owner out.
S065 P Nobody learns which users exist, not by time either.
S066 P After sign-in one stays on this site.
S067 M A disabled or deleted user is out everywhere at once.
S068 S Administrative scopes need a fresh sign-in.
S069 P Passwords are capped, and hashing leaves room for other work.
S070 M Grants can be listed and taken back, with immediate effect.
S071 M Codes are random and stored as digests.
S072 M Codes live a minute by default and ten at most.
S073 M A code works once; its replay ends what it gave.
S074 S A failed attempt neither spends a code nor ends what it gave.
S075 M Of many parallel exchanges one succeeds, across processes.
S076 M A code is bound to its client.
S077 M A code is bound to redirect URL, challenge, scope and user.
S078 P No artefact passes for another.
S079 P Replay is recognised after a code's lifetime too.
S080 M Public clients must use PKCE.
S081 S Confidential clients must use PKCE.
S082 M S256 works and is advertised.
S083 S plain is refused, also as the default.
S084 M Unknown challenge methods are refused.
S085 M A challenge demands its verifier.
S086 M A verifier without a challenge is refused.
S087 M The challenge method cannot be switched.
S088 M Verifiers and challenges have the standard's form.
S089 M A client's kind is fixed; without its secret a confidential client is nobody.
S090 M HTTP Basic works with form-decoding, and fails in the standard's way.
S091 M One way of authenticating per request.
S092 P Each client keeps to its way of authenticating.
S093 M Secrets are random, made by the server and shown once.
S094 M What is stored of a secret does not work as one.
S095 P Unknown client and wrong secret look alike, in time too.
S096 M Guessing client secrets is throttled.
S097 P Two secrets can overlap, each with its own end.
S098 S private_key_jwt, if offered, is strict about audience, algorithm, age and reuse.
S099 M A deleted client is gone everywhere at once.
S100 M Managing clients takes administrators' rights, and changes are checked like creations.
S101 M Unknown grants, password and implicit among them, never work.
S102 M A client uses only the grants it has.
S103 P Nothing is consumed before the client has proved itself.
S104 P What was answered survives a kill; what was spent stays spent.
S105 P A busy store is 503 with Retry-After, and nothing is consumed.
S106 M The answer names its scope.
S107 P Only browsers of public clients' own sites may read the token endpoint's answers.
S108 P A Bearer header is no client authentication.
S109 M Refresh tokens rotate on every use.
S110 M Reuse of a spent refresh token ends the family.
S111 P A grace period, if any, gives the same successor, briefly, to the same client.
S112 M One successor under races, processes and restarts.
S113 M Refresh tokens are bound to their client, which must prove itself.
S114 M A refresh may narrow the scope, never widen it.
S115 M A grant ends at a fixed time that rotation does not move.
S116 M Refresh tokens are random and stored as digests.
S117 S Changed passwords and disabled users end grants.
S118 M Access and refresh tokens and codes are not mixed up.
S119 S No refresh token where no person consented.
S120 P A refresh that races with a revocation leaves nothing alive.
S121 M Access tokens are random and stored as digests.
S122 S Access tokens live an hour at most by default.
S123 M Only the exact, unmodified token works.
S124 M Tokens come in the header only.
S125 M The scheme is case-insensitive, the header otherwise exact and single.
S126 M Challenges tell missing, invalid and insufficient apart.
S127 M Every call needs both the scope and the user's present right.
S128 S A token for one resource does not open another.
S129 P A Bearer call neither uses nor makes a session.
S130 S JWT access tokens, if offered, follow their profile.
S131 M Clients revoke their own tokens only, and learn nothing of others'.
S132 M Unknown tokens are fine to revoke; a failing store is not.
S133 M Either token ends both, on every process at once.
S134 M Introspection authenticates, and everything inactive looks the same.
S135 M Introspection tells the present state.
S136 P Nothing is cached beyond seconds.
S137 M Metadata is served at every usual place and is true.
S138 M A 401 leads to the resource's metadata and on to this server.
S139 M resource must name the resource, and may not widen.
S140 M Dynamic registration, if offered, is off, limited and checked.
S141 M Client identifier documents, if offered, are fetched with care.
S142 M Outgoing requests, if any, reach no private address.
S143 M Device authorization, if offered, resists guessing and hijacking.
S144 M Pushed requests, if offered, are bound, short-lived and used once.
S145 M Sender-constrained tokens, if offered, are checked in full.
S146 M Service accounts, if offered, are no users.
S147 M Scopes are case-sensitive, space-separated, known and allowed.
S148 M Implied scopes are the same wherever they are stored, shown or enforced.
S149 P Keys rotate hot with overlap; guessable secrets do not start.
S150 P Each decision leaves one event in an append-only trail, without secrets.
"""

_ATTACKS = """
V01 S032 S035 | Redirect URL with a user name that hides the host.
V02 S032 | Redirect URL that climbs out of its path, encoded once or twice.
V03 S024 S032 | Redirect URL that only begins, ends or matches like the registered one.
V04 S033 | Other names and ports of this computer.
V05 S032 | Redirect URL in another letter case.
V06 S037 S044 | An error branch that redirects before it checked.
V07 S040 | A redirect URL learnt from its first use.
V08 S035 S045 | Schemes that run code.
V09 S015 S027 S059 | Markup in names, hints and errors.
V10 S066 | Leaving the site after sign-in.
V11 S085 | The verifier left out.
V12 S083 S086 | The challenge, or only its method, stripped on the way.
V13 S072 S073 S074 S075 | A code used twice, in races, or for ever.
V14 S076 S113 | Codes and refresh tokens of another client.
V15 S078 | One artefact presented as another.
V16 S110 S111 S112 S120 | Reusing a refresh token faster than the server looks.
V17 S104 S112 | Spent and revoked tokens that revive at a restart.
V18 S111 | A grace period stretched.
V19 | Making the end of a family expensive.
V20 S131 S132 S133 | A revocation that says yes and does nothing.
V21 S131 | Revoking somebody else's tokens.
V22 S067 S099 S135 | Disabled or deleted users and clients that still get through.
V23 S123 | Tokens that are nearly right.
V24 S089 S098 S123 S130 | Signature tricks: no algorithm, the wrong one, the empty secret.
V25 S098 | Assertions replayed or addressed to somebody else.
V26 S089 S090 S091 S092 | Two identities in one request.
V27 S046 S055 S056 | Consent that is not bound to request and person, or skipped.
V28 S054 | Consent posted by another site.
V29 S055 S062 | Fixed and crossed sessions.
V30 S006 | Pages in frames.
V31 S003 S004 | Forged host and forwarding headers, also to escape a throttle.
V32 S053 S141 S142 | Making the server fetch something.
V33 S100 S102 S140 | More rights by registering or editing clients.
V34 S114 S147 S148 | More scope than granted.
V35 S016 S093 | Secrets in lists, logs and pages.
V36 S094 | The stored form of a secret used as the secret.
V37 S065 S095 | Learning by measuring time.
V38 S064 S096 S143 | Guessing, also in parallel.
V39 S013 S014 S069 | Exhausting the server.
V40 | Randomness that can be predicted.
V41 S143 | Approving somebody else's device.
V42 | Injection through paging and lists.
V43 S136 | One answer cached for another question.
V44 S001 S002 S105 S115 | Settings that are accepted and ignored.
V45 S018 S019 S020 S021 S022 S023 S024 S025 S026 S090 | Parsers that disagree.
V46 S030 | Answer parameters that exist already.
V47 S043 S101 | Features that are on by accident, reached by a later step.
V48 S100 S127 | A side door without a check.
"""

_NOTES = """
N01 L Credentials in an address: of such clients only, never twice, never where others can read it.
N02 L No PKCE: until it was seen and is required; a challenge that is sent binds.
N03 L The method plain, also where none is named.
N04 L S256 in other spellings, and verifiers of 128 characters.
N05 L Neither state nor PKCE: with a warning, and a switch.
N06 L The question's address repeats the request, and decides nothing.
N07 L Tokens keep the vendor's shape; their kinds have keys of their own.
N08 L Token answers say bearer, created_at and scope, never scopes.
N09 L An hour is the default; longer is shown as a weakness.
N10 L A refresh may name a registered redirect URL; it ends the old access token.
N11 L Identical credentials as Basic and in the body count as one; failures consume nothing.
N12 L iss and the inert fragment can be left out; metadata is always there.
N13 L A secret is shown once; new links are strict.
N14 L A missing scope means READ, which the question shows.
N15 L The path alias has the same handlers, limits and counters.
N16 L The vendor's XSRF header is no defence, and no cookie decides beside a token.
"""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of the specification, or one class of attack and the rows that try it."""

    id: str
    level: str
    words: str
    tried_by: tuple[str, ...] = ()


def _rows(text: str) -> list[Requirement]:
    return [Requirement(*line.split(" ", 2)) for line in text.strip().splitlines()]  # type: ignore[arg-type]


def _classes(text: str) -> list[Requirement]:
    found = []
    for line in text.strip().splitlines():
        names, _, words = line.partition("| ")
        identifier, *tried_by = names.split()
        found.append(Requirement(identifier, "", words, tuple(tried_by)))
    return found


REQUIREMENTS = _rows(_REQUIREMENTS)
ATTACKS = _classes(_ATTACKS)
NOTES = _rows(_NOTES)
ROW_NAME = re.compile(r"test_([svn]\d{2,3})_")
