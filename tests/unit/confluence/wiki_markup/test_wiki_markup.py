"""Wiki markup, construct by construct; and whatever is typed becomes storage format that can be kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watersmeet.confluence.storage_format import validate
from watersmeet.confluence.wiki_markup import storage_of

_LINK = "<ac:link>{}</ac:link>"


def _macro(name: str, inside: str = "") -> str:
    return f'<ac:structured-macro ac:name="{name}" ac:schema-version="1">{inside}</ac:structured-macro>'


def _parameter(name: str, value: str) -> str:
    return f'<ac:parameter ac:name="{name}">{value}</ac:parameter>'


@pytest.mark.parametrize(
    ("wiki", "storage"),
    [
        ("*a* _b_ -c- +d+ ??e??", "<strong>a</strong> <em>b</em> <del>c</del> <u>d</u> <cite>e</cite>"),
        ("2^3^ H~2~O ^up^", "2<sup>3</sup> H<sub>2</sub>O <sup>up</sup>"),
        ("*_both_*", "<strong><em>both</em></strong>"),
        ("{{x < y}}", "<code>x &lt; y</code>"),
        ("a*b*c snake_case_word 1-2-3 * no *", "a*b*c snake_case_word 1-2-3 * no *"),
        (r"\*no\* \[x\] \{y\}", "*no* [x] {y}"),
        ("a -- b --- c", "a – b — c"),
        (r"a\\b", "a<br />b"),
        ("a\nb", "a<br />b"),
        ("{color:red}x *y*{color}", '<span style="color: red;">x <strong>y</strong></span>'),
        ("{color:expression(1)}x{color}", "x"),
        (":) (/) (*r)", " ".join(f'<ac:emoticon ac:name="{n}" />' for n in ("smile", "tick", "red-star"))),
        ("[https://e.example/?a=1&b=2]", '<a href="https://e.example/?a=1&amp;b=2">https://e.example/?a=1&amp;b=2</a>'),
        ("[*x*|https://e.example|tip]", '<a href="https://e.example"><strong>x</strong></a>'),
        ("see https://e.example/x, there", 'see <a href="https://e.example/x,">https://e.example/x,</a> there'),
        ("[mailto:a@b.example]", '<a href="mailto:a@b.example">a@b.example</a>'),
        ("[Page]", _LINK.format('<ri:page ri:content-title="Page" />')),
        (
            "[a <b>|SP:Page]",
            _LINK.format(
                '<ri:page ri:space-key="SP" ri:content-title="Page" />'
                "<ac:plain-text-link-body><![CDATA[a <b>]]></ac:plain-text-link-body>"
            ),
        ),
        ("[Page#there]", '<ac:link ac:anchor="there"><ri:page ri:content-title="Page" /></ac:link>'),
        ("[#here]", '<ac:link ac:anchor="here"></ac:link>'),
        ("[^a b.txt]", _LINK.format('<ri:attachment ri:filename="a b.txt" />')),
        (
            "[Page^a.txt]",
            _LINK.format('<ri:attachment ri:filename="a.txt"><ri:page ri:content-title="Page" /></ri:attachment>'),
        ),
        ("[~ada]", _LINK.format('<ri:user ri:username="ada" />')),
        ("[SP:]", _LINK.format('<ri:space ri:space-key="SP" />')),
        ("[$5]", _LINK.format('<ri:content-entity ri:content-id="5" />')),
        (
            "[/2026/03/02/News]",
            _LINK.format('<ri:blog-post ri:content-title="News" ri:posting-day="2026/03/02" />'),
        ),
        (
            "!a.png|width=30,alt=x!",
            '<ac:image ac:width="30" ac:alt="x"><ri:attachment ri:filename="a.png" /></ac:image>',
        ),
        ("!a.png|thumbnail!", '<ac:image ac:thumbnail="true"><ri:attachment ri:filename="a.png" /></ac:image>'),
        ("!https://e.example/a.png!", '<ac:image><ri:url ri:value="https://e.example/a.png" /></ac:image>'),
        ("Stop! Go!", "Stop! Go!"),
        ("{toc:maxLevel=2}", _macro("toc", _parameter("maxLevel", "2"))),
        ("{anchor:x}", _macro("anchor", _parameter("", "x"))),
        ("{status:colour=Green|title=OK}", _macro("status", _parameter("colour", "Green") + _parameter("title", "OK"))),
        (
            "{include:SP:Page}",
            _macro(
                "include",
                _parameter("", _LINK.format('<ri:page ri:space-key="SP" ri:content-title="Page" />')),
            ),
        ),
        ("{unheard:a=<b>}", _macro("unheard", _parameter("a", "&lt;b&gt;"))),
        ("]]> & <", "]]&gt; &amp; &lt;"),
    ],
)
def test_within_a_line(wiki: str, storage: str) -> None:
    assert storage_of(wiki) == f"<p>{storage}</p>"


@pytest.mark.parametrize(
    ("wiki", "storage"),
    [
        ("", ""),
        ("a\n\nb", "<p>a</p><p>b</p>"),
        ("h2. *a*\nb", "<h2><strong>a</strong></h2><p>b</p>"),
        ("bq. a", "<blockquote><p>a</p></blockquote>"),
        ("{quote}\na\n\nb\n{quote}", "<blockquote><p>a</p><p>b</p></blockquote>"),
        ("a\n----\nb", "<p>a</p><hr /><p>b</p>"),
        ("* a\n** b\n** c\n* d", "<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ul>"),
        ("# a\n#* b\n# c", "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>"),
        ("* a\n# b", "<ul><li>a</li></ul><ol><li>b</li></ol>"),
        ("- a\n- b", '<ul class="alternate"><li>a</li><li>b</li></ul>'),
        ("*** a", "<ul><li><ul><li><ul><li>a</li></ul></li></ul></li></ul>"),
        (
            "||a||b||\n|c|[x|y]|",
            "<table><tbody><tr><th><p>a</p></th><th><p>b</p></th></tr><tr><td><p>c</p></td><td><p>"
            + _LINK.format(
                '<ri:page ri:content-title="y" /><ac:plain-text-link-body><![CDATA[x]]></ac:plain-text-link-body>'
            )
            + "</p></td></tr></tbody></table>",
        ),
        ("||a|b|", "<table><tbody><tr><th><p>a</p></th><td><p>b</p></td></tr></tbody></table>"),
        (
            "{code:python|title=x}\n*a* <b>\n\n]]>{code}",
            _macro(
                "code",
                _parameter("language", "python")
                + _parameter("title", "x")
                + "<ac:plain-text-body><![CDATA[*a* <b>\n\n]]]]><![CDATA[>]]></ac:plain-text-body>",
            ),
        ),
        (
            "{info:title=T}\n* a\n{info}\nb",
            _macro("info", _parameter("title", "T") + "<ac:rich-text-body><ul><li>a</li></ul></ac:rich-text-body>")
            + "<p>b</p>",
        ),
        (
            "{panel}{info}\nx\n{info}{panel}",
            _macro(
                "panel",
                f"<ac:rich-text-body>{_macro('info', '<ac:rich-text-body><p>x</p></ac:rich-text-body>')}"
                "</ac:rich-text-body>",
            ),
        ),
        ("a\r\nb\r\rc", "<p>a<br />b</p><p>c</p>"),
    ],
)
def test_lines(wiki: str, storage: str) -> None:
    assert storage_of(wiki) == storage


_PIECES = st.sampled_from(
    [
        "*", "_", "**", "# ", "* ", "\n", "\n\n", "|", "||", "{code}", "{info}", "{info:title=x}", "{panel}", "{quote}",
        "{color:red}", "{color}", "[", "]", "!", "a", "b c", "\\", "\\\\", "h1. ", "bq. ", "----", "{{", "}}", "^", "~",
        "]]>", "<", "&", "\"", "{x:y=\"z\"|w}", "https://e.example/", "[a|b]", "[a^b]", ":)", " ", "{unheard}", "{toc}",
    ]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.one_of(_PIECES, st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=3)), max_size=40))
def test_whatever_is_typed_can_be_kept(pieces: list[str]) -> None:
    validate(storage_of("".join(pieces)))


@pytest.mark.parametrize("nested", ["{panel}", "{info}", "*_", "{{*", "{a:x}\n"])
def test_nesting_is_bounded(nested: str) -> None:
    validate(storage_of(nested * 1000 + "x" + nested.replace(":x", "") * 1000))  # not deeper than bodies may be
