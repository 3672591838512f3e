"""The text half of a mail: what a reader without HTML gets."""

from __future__ import annotations

import html
import re
import time
from pathlib import Path

import pytest
import wcwidth
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.plaintext import to_text, wrap
from newsletter.model import Slot
from tests.conftest import thorough

GOLDEN = Path(__file__).parent / "golden" / "plaintext"
LATIN = "".join(map(chr, range(ord("a"), ord("z") + 1))) + "ßéþőжшא"


@pytest.mark.parametrize("name", ["article", "languages"])
def test_an_article_reads_as_if_it_had_been_typed(
    name: str, request: pytest.FixtureRequest
) -> None:
    text = to_text((GOLDEN / f"{name}.html").read_text(encoding="utf-8"))
    golden = GOLDEN / f"{name}.txt"
    if request.config.getoption("--update-golden", default=False):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("fragment", ["", " \n", "<p></p>", "<p>&nbsp;</p>", "<!-- note -->"])
def test_nothing_to_say_is_no_text(fragment: str) -> None:
    assert to_text(fragment) == ""


# --- links ---------------------------------------------------------------------------------------


def test_a_target_has_one_number_however_often_it_is_linked() -> None:
    text = to_text(
        '<p><a href="https://a.example.org">one</a> <a href="https://b.example.org">two</a> '
        '<a href="https://a.example.org">three</a></p>'
    )
    assert text == (
        "one [1] two [2] three [1]\n\nLinks\n-----\n\n"
        "[1] https://a.example.org\n[2] https://b.example.org\n"
    )


@pytest.mark.parametrize(
    ("words", "target", "text"),
    [
        ("https://example.org/a", "https://example.org/a", "https://example.org/a"),
        ("example.org", "https://example.org/", "https://example.org/"),
        ("ada@example.org", "mailto:ada@example.org", "ada@example.org"),
        ("write", "mailto:ada@example.org?subject=x", "write <ada@example.org>"),
        ("ring", "tel:+44 1632", "ring <+44 1632>"),
        ("above", "#fn1", "above"),
        ("run", "javascript:run()", "run"),
        ("↩", "#fnref1", ""),
    ],
)
def test_what_says_where_it_leads_has_no_number(words: str, target: str, text: str) -> None:
    assert to_text(f'<p><a href="{target}">{words}</a></p>').strip() == text


def test_a_number_never_starts_a_line() -> None:
    words = "x" * 66
    text = to_text(f'<p>{words} <a href="https://example.org">link</a></p>')
    assert text.startswith(f"{words}\nlink [1]\n")


def test_a_linked_image_keeps_its_words_and_its_target() -> None:
    text = to_text('<p><a href="https://example.org"><img src="a.png" alt="A  cup"></a></p>')
    assert text.startswith("[Image: A cup] [1]\n")


def test_a_decorative_image_is_silent_but_its_link_is_not() -> None:
    assert to_text('<p>a<img src="a.png" alt="">b<img src="b.png"></p>') == "ab\n"
    assert "https://example.org" in to_text('<a href="https://example.org"><img alt=""></a>')


def test_a_blank_in_a_target_does_not_cut_it() -> None:
    assert "https://example.org/a%20b" in to_text('<a href=" https://example.org/a b\n">x</a>')


def test_a_film_is_at_least_an_address() -> None:
    text = to_text('<iframe src="https://film.example.org/1" title="Breathing"></iframe>')
    assert text.startswith("Breathing [1]")
    assert "https://film.example.org/1" in text


def test_a_url_is_never_cut() -> None:
    url = "https://example.org/" + "path-of-words/" * 200
    assert url in to_text(f'<p>see <a href="{url}">this</a> and {url} too</p>')
    assert f"\n{url}\n" in wrap(f"see {url} too")
    assert "(https://例え.jp/パスはとてもとても長いです)" in wrap(
        "見て(https://例え.jp/パスはとてもとても長いです)", 12
    )


# --- words ---------------------------------------------------------------------------------------


def test_a_slot_counts_as_a_first_name_and_stays_whole() -> None:
    token = Slot("first_name", "friend").token
    assert to_text(f"<p>{'x' * 61} {token}</p>") == f"{'x' * 61} {token}\n"
    assert to_text(f"<p>{'x' * 62} {token}</p>") == f"{'x' * 62}\n{token}\n"


def test_raised_figures_are_small_and_raised_letters_are_letters() -> None:
    source = (
        '<p>a<sup><a href="#fn1">12</a></sup> 1<sup>st</sup> 10<sup>-3</sup> CO<sub>2</sub></p>'
    )
    assert to_text(source) == "a¹² 1st 10⁻³ CO₂\n"


def test_deleted_words_are_marked_and_keep_their_distance() -> None:
    assert to_text("<p><del>£50 </del>£40</p>") == "~£50~ £40\n"


def test_words_are_not_normalised() -> None:
    assert to_text("<p>Cafe\u0301 ﬁ ½</p>") == "Cafe\u0301 ﬁ ½\n"


def test_a_no_break_space_does_not_break() -> None:
    assert wrap("aaa 10\u00a0kg", 8) == "aaa\n10\u00a0kg"


def test_han_and_kana_wrap_between_characters_but_never_before_a_full_stop() -> None:
    lines = wrap("睡眠は大切です。" * 10, 15).split("\n")
    assert "".join(lines) == "睡眠は大切です。" * 10
    assert all(wcwidth.wcswidth(line) <= 15 for line in lines)
    assert not any(line.startswith("。") for line in lines)


def test_invisible_words_are_not_said() -> None:
    source = (
        '<style>p{}</style><p>a<span style="display: none">b</span>c</p><script>x()</script>'
        "<div hidden>d</div><!-- e --><template>f</template>"
    )
    assert to_text(source) == "ac\n"


def test_control_characters_do_not_get_through() -> None:
    text = to_text("<p>a\0b&#1;c\x85d&#x92;e\ud800</p><pre>f\x0bg</pre>")
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", text)
    assert [word for word in "abcdefg" if word not in text] == []


def test_the_fragment_cannot_claim_another_charset() -> None:
    source = '<?xml version="1.0" encoding="latin-1"?><meta charset="utf-16"><p>é</p>'
    assert to_text(source) == "é\n"


# --- blocks --------------------------------------------------------------------------------------


def test_code_is_verbatim_and_four_columns_in() -> None:
    code = "if a  <  b:\n\n\treturn '" + "x" * 90 + "'"
    expected = "\n".join(f"    {line}".rstrip() for line in code.split("\n"))
    assert to_text(f"<pre><code>{html.escape(code)}\n</code></pre>") == f"{expected}\n"


def test_code_gets_no_character_that_was_not_there() -> None:
    assert to_text("<pre>a\u200bb</pre><pre>ab</pre>") == "    a\u200bb\n\n    ab\n"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<ol start="7"><li>a</li><li>b</li></ol>', "7. a\n8. b\n"),
        ('<ol><li>a</li><li value="5">b</li><li>c</li></ol>', "1. a\n5. b\n6. c\n"),
        ("<ol reversed><li>a</li><li>b</li></ol>", "2. a\n1. b\n"),
        ('<ol start="9999999999999"><li>a</li></ol>', "1. a\n"),
        ("<ul>x<li>a</li>y<ul><li>b</li></ul></ul>", "  x\n- a\n  y\n  - b\n"),
        ("<ul><li>a<p>b</p></li><li>c</li></ul>", "- a\n\n  b\n\n- c\n"),
        ('<ul><li><input type="checkbox" checked> a</li><li>☐ b</li></ul>', "☑ a\n☐ b\n"),
        ("<ul><li></li><li>a</li></ul>", "- a\n"),
    ],
)
def test_a_list_keeps_its_marks(source: str, text: str) -> None:
    assert to_text(source) == text


def test_a_callout_has_a_bar_and_a_quotation_its_sign() -> None:
    cell = 'role="presentation"><tr><td><p class="title">Tip</p><p>a</p><p>b</p></td></tr></table>'
    assert to_text(f'<table class="callout tip" {cell}') == "| Tip\n| a\n|\n| b\n"
    assert to_text(f'<table class="quote" {cell}') == "> Tip\n> a\n>\n> b\n"
    assert to_text(f"<table {cell}") == "Tip\na\n\nb\n"


def test_a_button_is_a_link() -> None:
    source = '<table class="button" role="presentation"><tr><td><a href="https://a.example">Go</a>'
    assert to_text(source).startswith("Go [1]\n\nLinks\n")


def test_a_caption_stands_right_under_its_image() -> None:
    source = '<p class="photo"><img src="a" alt="Hills"></p><p class="caption">At dusk.</p><p>x</p>'
    assert to_text(source) == "[Image: Hills]\nAt dusk.\n\nx\n"


def test_the_caption_of_code_stands_right_above_it() -> None:
    source = '<p>x</p><p class="caption">a.py</p><table class="code" role="presentation"><tr><td>'
    assert to_text(f"{source}<pre>pass</pre></td></tr></table>") == "x\n\na.py\n    pass\n"


# --- tables --------------------------------------------------------------------------------------


def test_columns_are_aligned_by_what_the_eye_sees() -> None:
    source = (
        '<table><caption>Prices</caption><tr><th>Name</th><th align="right">€</th></tr>'
        '<tr><td>鍼灸</td><td align="right">9</td></tr>'
        '<tr><td>a<br>b</td><td style="text-align:right">10</td></tr></table>'
    )
    assert to_text(source) == "Prices\n\nName   €\n----  --\n鍼灸   9\n\na     10\nb\n"


def test_a_table_that_is_too_wide_becomes_labels_and_values() -> None:
    long = "word " * 20
    source = f"<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>{long}</td></tr></table>"
    first, second, third = to_text(source).rstrip("\n").split("\n")
    assert (first, second[:7], third[:6]) == ("A: 1", "B: word", "  word")


@pytest.mark.parametrize(
    "source",
    [
        "<table><tr><td><ul><li>a</li></ul></td><td>b</td></tr></table>",
        "<table><tr><td>a<table><tr><td>b</td></tr></table></td><td></td></tr></table>",
        "<table>a<tr><td>b</td><td></td></tr></table>",
        '<table><tr><th colspan="99999999999">a</th><td>b</td></tr></table>',
        "<table><tr><th>a</th></tr></table>b<table><tr></tr></table><table></table>",
    ],
)
def test_an_odd_table_loses_no_word(source: str) -> None:
    assert {"a", "b"} <= set(to_text(source).split()) | set(to_text(source))


# --- what may never happen -----------------------------------------------------------------------


def test_attack_23_a_tower_of_elements_neither_raises_nor_loses_the_words() -> None:
    for tag in ("div", "blockquote", "ul><li", "span", "a href=x", "table><tr><td", "sup"):
        assert "deep" in to_text(f"<{tag}>" * 600 + "deep")


def test_no_line_is_longer_than_smtp_takes() -> None:
    source = f"<p>{'é' * 3000}</p><pre>{'x = 1; ' * 900}</pre>"
    assert max(len(line.encode()) for line in to_text(source).split("\n")) <= 998


def test_an_article_takes_a_few_milliseconds() -> None:
    source = (GOLDEN / "article.html").read_text(encoding="utf-8")
    spans = []
    for _ in range(20):
        start = time.process_time()
        to_text(source)
        spans.append(time.process_time() - start)
    assert min(spans) < 0.5  # measured: 0.001


WORDS = st.text(LATIN, min_size=1, max_size=12)
SENTENCES = st.lists(WORDS, min_size=1, max_size=25).map(" ".join)
BLOCKS = st.sampled_from(
    "p h2 h3 div blockquote ul><li ol><li dl><dd section table><tr><td tr td li dd".split(" ")  # noqa: SIM905
)
INLINES = st.sampled_from(["b", "em", "del", "q", "mark", "span", "code", "abbr", "ins", "u"])


def _inside(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def close(tag: str) -> str:
        return "".join(f"</{name}>" for name in reversed(re.split("[<>]+", tag)))

    def put(tags: st.SearchStrategy[str], blank: str) -> st.SearchStrategy[str]:
        return st.builds(
            lambda tag, parts: f"<{tag}>{blank.join(parts)}{close(tag)}{blank}",
            tags,
            st.lists(children, min_size=1, max_size=4),
        )

    return put(BLOCKS, " ") | put(INLINES, " ")


ARTICLES = st.recursive(SENTENCES, _inside, max_leaves=12)


@settings(max_examples=thorough(150, 37), deadline=None)
@given(ARTICLES)
def test_every_word_is_said_in_its_order_and_no_line_is_too_wide(source: str) -> None:
    text = to_text(source)
    said = re.findall(rf"[{LATIN}]+", text)
    assert said == re.findall(rf"[{LATIN}]+", re.sub("<[^>]*>", " ", source))
    assert max(map(wcwidth.wcswidth, text.split("\n"))) <= 72
    assert text == to_text(source)


@settings(max_examples=thorough(150, 37), deadline=None)
@given(st.text() | st.text("<>/=\"' &;#aptrdhulio!-[]\n", max_size=200))
def test_no_input_raises_or_leaves_blanks_behind(source: str) -> None:
    text = to_text(source)
    assert text == "" or (text.endswith("\n") and not text.endswith("\n\n"))
    assert all(line == line.rstrip() for line in text.split("\n"))
    text.encode()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            SENTENCES, st.from_regex(r"https://[a-z]{1,9}\.example/[!-~]{0,99}", fullmatch=True)
        ),
        max_size=6,
    )
)
def test_every_target_is_named(links: list[tuple[str, str]]) -> None:
    source = " ".join(f'<a href="{html.escape(url)}">{words}</a>' for words, url in links)
    text = to_text(f"<p>{source}</p>")
    assert all(url in text for _, url in links)


@settings(max_examples=thorough(150, 37), deadline=None)
@given(st.text(max_size=300), st.integers(4, 80), st.sampled_from(["", "> ", "    "]))
def test_a_wrapped_text_has_the_same_words_in_lines_of_the_width(
    text: str, width: int, indent: str
) -> None:
    lines = wrap(text, width, indent).split("\n")
    said = "".join(line.removeprefix(indent.rstrip()) for line in lines)
    assert re.sub(r"[\s\0]", "", said) == re.sub(r"[\s\0]", "", text)
    for line in lines:
        assert wcwidth.wcswidth(line) <= width or len(line.removeprefix(indent).split(" ")) == 1


@given(SENTENCES)
def test_wrapping_twice_is_wrapping_once(text: str) -> None:
    assert wrap(wrap(text, 30), 30) == wrap(text, 30)
    assert wrap(text, 30).replace("\n", " ") == text
