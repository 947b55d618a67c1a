"""The OpenAPI document is true: whatever can be generated from it is answered as it says, and never with a failure.

The examples are the same on every run.
"""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from tests.security.harness.client import Server
from tests.security.harness.crawl import routes_of

EXAMPLES = 15
OAUTH = "/rest/oauth2/latest"


@pytest.fixture(scope="module")
def document(described: Server) -> Any:
    answer = httpx.get(described.url("/rest/oauth2/latest/openapi.json"))
    assert answer.status_code == 200
    return answer.json()


@pytest.fixture(scope="module")
def bearer(described: Server) -> dict[str, str]:
    """An administrator's access token, as a header."""
    admin = described.client("administration").acting_for(described.user("system-administrator"))
    return {"Authorization": f"Bearer {admin.tokens(scope='ADMIN')['access_token']}"}


def test_the_document_describes_openapi_3_1_and_this_server(described: Server, document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["servers"][0]["url"] == described.target.issuer
    assert f"{described.target.token.removeprefix(described.target.issuer)}" in document["paths"]
    # Every operation of OAuth, and of what administers it, is in the document, and nothing that is not there.
    served = {
        (route.path, method.lower())
        for route in routes_of(described)
        for method in route.methods
        if route.path.startswith(("/rest/oauth2/latest/", "/.well-known/")) and method not in ("HEAD", "OPTIONS")
    }
    written = {(path, method) for path, operations in document["paths"].items() for method in operations}
    # The resource's metadata is at the root and, as RFC 9728 has it, beside the resource: one operation.
    assert served - {("/.well-known/oauth-protected-resource/rest/api", "get")} == written or not served


def test_every_operation_answers_as_described(described: Server, document: Any, bearer: dict[str, str]) -> None:
    # Imported here: it is large, and only this test needs it.
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    schema = schemathesis.openapi.from_dict(document)
    results: list[Any] = list(schema.get_all_operations())
    operations = [result.ok() for result in results]
    assert len(operations) == sum(len(each) for each in document["paths"].values())
    wanted = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    seen: dict[str, set[int]] = {}
    for operation in operations:
        # As a stranger, and as somebody who may: most of what there is to break is behind that.
        for is_known in (False, True) if "security" in operation.definition.raw else (False,):

            @settings(
                max_examples=EXAMPLES,
                derandomize=True,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def attack(case: Any) -> None:
                headers = bearer if is_known and case.method == "GET" else {}  # noqa: B023
                if is_known and isinstance(case.body, dict):  # noqa: B023
                    case.body = {**case.body, **described.client().credentials}
                answer = case.call(base_url=described.target.issuer, allow_redirects=False, headers=headers)
                case.validate_response(answer, checks=wanted)
                seen.setdefault(case.operation.path, set()).add(answer.status_code)

            attack()
    for path in ("client", "audit", "introspect", "revoke"):
        assert 200 in seen[f"/rest/oauth2/latest/{path}"], f"{path}: nothing generated got past authentication"


def test_real_answers_have_the_described_members(described: Server, document: Any, bearer: dict[str, str]) -> None:
    """What no generated request gets to: tokens, an active token, links and events, validated by JSON Schema."""
    client, schemas = described.client(), document["components"]["schemas"]
    tokens = client.tokens(scope="WRITE")
    answers = {
        "Tokens": client.refresh(tokens["refresh_token"]).json(),
        "InactiveToken": client.introspect(tokens["access_token"]).json(),
        "ActiveToken": client.introspect(client.tokens()["access_token"]).json(),
        "Error": client.post(client.credentials).json(),
        "RestError": described.call("bad").json(),
        "ServerMetadata": described.metadata(),
        "Events": described.http().get(described.url(f"{OAUTH}/audit"), headers=bearer).json(),
    }
    links = described.http().get(described.url(f"{OAUTH}/client"), headers=bearer).json()
    assert links
    for name, found in [*answers.items(), *(("Client", link) for link in links)]:
        validator = jsonschema.Draft202012Validator({**schemas[name], "components": {"schemas": schemas}})
        assert [error.message for error in validator.iter_errors(found)] == [], name
        # Nothing that the document does not tell of, but in what is somebody else's to define.
        assert name in ("RestError", "ServerMetadata") or found.keys() <= schemas[name]["properties"].keys(), name
