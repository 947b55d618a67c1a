"""What a request is written down as is quoted, whatever was in it: it ends in somebody's shell or editor."""

from __future__ import annotations

import ast
import shlex

import pytest

from watersmeet.dev.curl import as_curl
from watersmeet.dev.literal import call, json_literal, quoted
from watersmeet.dev.reason import Finding
from watersmeet.dev.record import Message, Record
from watersmeet.dev.replay import as_test

BASE = "http://127.0.0.1:8090/confluence"
NASTY = ["'", '"', '"""', "\\", "`id`", "$(id)", "${HOME}", "%0a", "@/etc/hostname", "é–…", "'''", "#", "\\u0022"]


def record(
    method: str = "POST", path: str = "/confluence/x", query: str = "", body: str = "", **headers: str
) -> Record:
    sent = Message([*headers.items(), ("content-length", "1")], body.encode(), len(body.encode()))
    return Record(1, 0, method, path, query, sent, 400, Message([], b"", 0), 1.0, [], Finding())


@pytest.mark.parametrize("nasty", NASTY)
def test_the_curl_line_is_one_command_with_the_same_bytes(nasty: str) -> None:
    line = as_curl(record(path=f"/confluence/{nasty}", query=f"a={nasty}", body=nasty, accept=nasty), BASE)
    words = shlex.split(line.replace(" \\\n", " "))
    assert words == [
        "curl",
        "--include",
        f"http://127.0.0.1:8090/confluence/{nasty}?a={nasty}",
        "--header",
        f"accept: {nasty}",
        "--data-raw",
        nasty,
    ]


@pytest.mark.parametrize("nasty", NASTY)
def test_the_test_is_one_function_with_the_same_texts(nasty: str) -> None:
    text = as_test(record(path=f"/confluence/{nasty}", query=f"a={nasty}", body=nasty, accept=nasty), BASE)
    assert text
    docstring, function = ast.parse(text).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(function, ast.FunctionDef)
    assign = function.body[0]
    assert isinstance(assign, ast.Assign)
    assert isinstance(assign.value, ast.Call)
    assert [ast.literal_eval(argument) for argument in assign.value.args] == ["POST", f"/{nasty}?a={nasty}"]
    assert {word.arg: ast.literal_eval(word.value) for word in assign.value.keywords} == {
        "body": nasty,
        "headers": {"accept": nasty},
    }


def test_a_page_that_needs_a_cookie_has_no_test() -> None:
    assert as_test(record(cookie="session=1"), BASE) is None


@pytest.mark.parametrize("value", ["plain", 'a "b" \\ c', "line\nbreak", "é 😀", "\x7f\0", "\u202e\ud800"])
def test_strings_mean_themselves(value: str) -> None:
    assert ast.literal_eval(quoted(value)) == value
    assert quoted(value).isprintable()


def test_json_becomes_python() -> None:
    text = '{"a": [1, 2.5, true, false, null, "é"], "b": {}}'
    literal = json_literal(text)
    assert literal is not None
    assert ast.literal_eval(literal) == {"a": [1, 2.5, True, False, None, "é"], "b": {}}
    assert json_literal("{") is None


def test_long_calls_are_broken() -> None:
    assert call("f", ["1", "2"]) == "f(1, 2)"
    assert call("f", ["1" * 60, "2" * 60]).count("\n") == 3
