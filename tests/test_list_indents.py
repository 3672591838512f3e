"""Lists with any of the usual indentations become the same lists, and code keeps its shape."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.dialect import to_html
from newsletter.compose.list_indents import even_lists
from tests.conftest import thorough
from tests.written import html_of

ROOT = Path(__file__).parent.parent


def evened(text: str) -> str:
    return "\n".join(even_lists(textwrap.dedent(text).strip("\n").split("\n")))


def flat(markdown: str) -> str:
    return re.sub(r"\s*\n\s*", "", to_html(textwrap.dedent(markdown).strip("\n")))


DEEP = "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>"


@pytest.mark.parametrize("step", [2, 3, 4])
def test_inner_bullets_may_stand_two_to_four_columns_in(step: int) -> None:
    inner, most = " " * step, " " * 2 * step
    assert flat(f"- a\n{inner}- b\n{most}- c\n- d") == DEEP
    assert flat(f"* a\n{inner}* b\n{most}* c\n* d") == DEEP
    assert flat(f"- a\n\n{inner}- b\n\n{most}- c\n\n- d").count("<ul>") == 3


@pytest.mark.parametrize("step", [2, 3, 4])
def test_bullets_below_numbers_and_numbers_below_bullets(step: int) -> None:
    inner = " " * step
    assert flat(f"1. a\n{inner}- b\n2. c") == "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>"
    assert flat(f"- a\n{inner}1. b\n{inner}2. c") == (
        "<ul><li>a<ol><li>b</li><li>c</li></ol></li></ul>"
    )
    assert 'start="9"' in flat(f"9. a\n10. b\n{inner}- c")


def test_numbers_with_a_bracket_are_numbers() -> None:
    assert flat("1) a\n2) b\n   - c") == "<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol>"


@pytest.mark.parametrize("column", [2, 3, 4])
def test_a_later_paragraph_belongs_to_its_item(column: int) -> None:
    html = flat(f"- a\n\n{' ' * column}b\n\n- c")
    assert html == "<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>"


@pytest.mark.parametrize(("column", "code"), [(2, 6), (2, 8), (4, 8)])
def test_indented_code_in_an_item_keeps_its_inner_shape(column: int, code: int) -> None:
    lines = [f"- a\n\n{' ' * column}b\n" if code != 8 or column == 4 else "- a\n"]
    lines += [f"{' ' * code}- if x:", f"{' ' * (code + 2)}- y"]
    html = to_html("\n".join(lines))
    assert "<code>- if x:\n  - y</code>" in html


@pytest.mark.parametrize("column", [2, 3, 4])
@pytest.mark.parametrize("blank", ["\n", ""])
def test_a_fence_in_an_item_belongs_to_it_and_keeps_its_lines(column: int, blank: str) -> None:
    inner = " " * column
    fence = "".join(f"{inner}{line}\n" for line in ("```yaml", "- a", "  - b", "", "- c", "```"))
    html = html_of(f"- one\n{blank}{fence}- two\n  - three")
    assert "<pre>- a\n  - b\n\n- c</pre>" in html
    assert html.count("<li>") == 3
    assert html.index("</table>") < html.index("</li>")


def test_a_fence_needs_no_blank_line_around_it() -> None:
    html = re.sub("<pre><code.*?</pre>", "CODE", flat("a\n```\nx\n```\nb"))
    assert html == "<p>a</p>CODE<p>b</p>"


def test_a_list_may_follow_a_sentence_at_once_as_on_github() -> None:
    assert flat("Bring:\n- tea\n- bread") == "<p>Bring:</p><ul><li>tea</li><li>bread</li></ul>"
    assert flat("Bring:\n1. tea\n2. bread").startswith("<p>Bring:</p><ol>")
    assert flat("- a\n\n  b:\n  - c") == "<ul><li><p>a</p><p>b:</p><ul><li>c</li></ul></li></ul>"
    assert flat("- a\n\n  b\n- c").count("<li>") == 2


@pytest.mark.parametrize(
    "text",
    ["In the year\n1986. it rained", "a\n- - -\nb", "a\n---", "a | b\n- | -\n1 | 2",
     "a\n-b", "x\n-- Ada", "    - code\n      - code", "a -\nb",
     "<pre>\n- a\n  - b\n</pre>", "<!--\n- a\n  - b\n-->", "```\n- a\n  - b\n```",
     "~~~~\n- a\n~~~\n  - b\n~~~~", "- a\n    - b\n        - c", "1. a\n\n    - b\n\n2. c",
     "-   a\n\n    b\n\n        code\n          code", "!!! note\n    a\n\n    b",
     "- a\ngoes on\n- b",
     "Term\n:   Meaning\n\n    more", "*[TCM]: a\n[x]: https://example.org"],
)  # fmt: skip
def test_what_needs_nothing_stays_as_typed(text: str) -> None:
    assert "\n".join(even_lists(text.split("\n"))) == text


def test_lists_in_quotations_callouts_notes_and_definitions() -> None:
    for opening, margin in (
        ("> q\n", "> "),
        ("> q\n>\n> > r\n", "> > "),
        ("!!! note\n", "    "),
        ("x[^1]\n\n[^1]: note\n\n", "    "),
        ("Term\n:   Meaning\n\n", "    "),
    ):
        html = flat(opening + textwrap.indent("- a\n  - b\n     - c\n- d", margin))
        assert DEEP in html, html


def test_the_issues_and_golden_articles_of_this_repository_lose_nothing() -> None:
    for file in [*ROOT.glob("issues/*.md"), *ROOT.glob("tests/golden/*/issues/*.md")]:
        body = file.read_text("utf-8")
        made = "\n".join(even_lists(body.split("\n")))
        assert made.split() == body.split()


# --- any list --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """An item of a random list, with what follows its first words."""

    words: str
    blocks: tuple[str, ...]
    items: tuple[Item, ...]


WORDS = st.sampled_from(["tea", "bread and salt", "a `- b` c", "**rest**", "1986 was"])
BLOCKS = st.sampled_from(
    ["later words", "```yaml\n- key:\n    - x\n\n  - y\n```", "so\n\n    code\n      - more",
     "> q\n> r",
     "!!! tip\n    - in\n    - it", "| a | b |\n|---|---|\n| - | + |"]
)  # fmt: skip
LEAF = st.builds(Item, WORDS, st.lists(BLOCKS, max_size=2).map(tuple), st.just(()))
ITEMS = st.recursive(
    LEAF,
    lambda inner: st.builds(
        Item, WORDS, st.lists(BLOCKS, max_size=1).map(tuple), st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


def written(items: tuple[Item, ...], step: int, loose: bool, margin: str = "") -> Iterator[str]:
    """The list in lines, each level `step` columns in."""
    for item in items:
        yield f"{margin}- {item.words}"
        inner = margin + " " * step
        for block in item.blocks:
            yield ""
            yield from textwrap.indent(block, inner).split("\n")
        if item.items:
            if loose or item.blocks:
                yield ""
            yield from written(item.items, step, loose or bool(item.blocks), inner)
        if loose or item.blocks:
            yield ""


@settings(max_examples=thorough(150, 37))
@given(st.lists(ITEMS, min_size=1, max_size=4).map(tuple), st.booleans())
def test_any_list_is_the_same_with_two_three_and_four_columns(
    items: tuple[Item, ...], loose: bool
) -> None:
    two, three, four = (to_html("\n".join(written(items, step, loose))) for step in (2, 3, 4))
    assert two == four
    assert three == four
    canonical = list(written(items, 4, loose))
    assert even_lists(canonical) == canonical


@settings(max_examples=thorough(300, 75))
@given(st.lists(st.sampled_from(
    ["- a", "  - b", "   * c", "1. d", "  2) e", "", "text", "    in", "      deep", "```", "  ```",
     "> q", "> - r", ">   - s", "!!! note", "<pre>", "</pre>", "\ta", "[^1]: n", ":   m", "---"]
), max_size=14))  # fmt: skip
def test_no_words_are_lost_whatever_is_typed(lines: list[str]) -> None:
    assert re.findall(r"\w+", " ".join(even_lists(lines))) == re.findall(r"\w+", " ".join(lines))
