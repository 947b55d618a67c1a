"""The OpenAPI document is true: whatever can be generated from it is answered as it says, and never with a failure.

The examples are the same on every run.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from tests.security.harness.client import Server

EXAMPLES = 40
OPERATIONS = 5  # at the least: authorize, token, revoke, introspect, metadata


@pytest.fixture(scope="module")
def document(described: Server) -> Any:
    answer = httpx.get(described.url("/rest/oauth2/latest/openapi.json"))
    assert answer.status_code == 200
    return answer.json()


def test_the_document_describes_openapi_3_1_and_this_server(described: Server, document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["servers"][0]["url"] == described.target.issuer
    assert f"{described.target.token.removeprefix(described.target.issuer)}" in document["paths"]


def test_every_operation_answers_as_described(described: Server, document: Any) -> None:
    # Imported here: it is large, and only this test needs it.
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    schema = schemathesis.openapi.from_dict(document)
    results: list[Any] = list(schema.get_all_operations())
    operations = [result.ok() for result in results]
    assert len(operations) >= OPERATIONS
    wanted = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    for operation in operations:

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def attack(case: Any) -> None:
            answer = case.call(base_url=described.target.issuer, allow_redirects=False)
            case.validate_response(answer, checks=wanted)

        attack()
