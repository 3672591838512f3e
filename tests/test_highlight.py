"""Coloured code: five colours at most, and at most 2.5 times its source, in every language."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_all_lexers

from newsletter.compose.highlight import BUDGET, KINDS, SHORT, cost, highlight
from tests.conftest import thorough
from tests.golden_constructs import ROOT, constructs

EVERY = sorted({aliases[0] for _, aliases, _, _ in get_all_lexers() if aliases})
NAMES = st.sampled_from(EVERY)
SAMPLES = [
    (ROOT / name).read_text("utf-8")[:800]
    for name in ("send.py", "pyproject.toml", "templates/email.html", "templates/inlined.css")
]
DENSE = "if (x1 == 0x2F && !'a') { return \"b\" + 3.5e2; } // c\n# d\nlet y: i64 = -1;\n" * 5
WORDS = st.sampled_from(
    ["if ", "return", '"a"', "'b'", "42", "0x1f", "//", "/* c */", "# d\n", "\n", "    ", "{", "}",
     "(", ")", ";", "=", "def f", "<a href='x'>", "</a>", "fn ", "$x", "@y", ":", "- ", "+ ", "é日"]
)  # fmt: skip


@pytest.mark.parametrize("part", range(4))
def test_no_language_costs_more_than_two_and_a_half_times_its_source(part: int) -> None:
    assert len(EVERY) > 400
    for language in EVERY[part::4]:
        code = SAMPLES[len(language) % len(SAMPLES)]
        for source in (code, DENSE):
            runs = highlight(source, language)
            assert "".join(run.text for run in runs) == source, language
            assert {run.kind for run in runs} <= {"", *KINDS}, language
            assert cost(runs) <= BUDGET * len(source.encode()), language


@settings(max_examples=thorough(150, 37))
@given(st.lists(WORDS, min_size=40, max_size=120).map("".join), NAMES)
def test_any_code_of_any_language_keeps_its_text_and_its_budget(code: str, language: str) -> None:
    runs = highlight(code, language)
    assert "".join(run.text for run in runs) == code
    assert len({run.kind for run in runs}) <= 5
    assert cost(runs) <= BUDGET * max(len(code.encode()), SHORT)


def test_the_last_line_is_coloured_like_the_others() -> None:
    assert [run.kind for run in highlight("- a\n+ b", "diff") if run.text.strip()] == ["n", "s"]
    assert highlight("# c", "python") == (("c", "# c"),)


def test_a_whole_mail_shows_at_most_five_colours_of_code() -> None:
    code = next(each for each in constructs() if each.article.slug == "code")
    pres = re.findall(r"<pre.*?</pre>", code.mail(), re.DOTALL)
    colours = set(chain.from_iterable(re.findall(r"[; \"]color:(#\w+)", pre) for pre in pres))
    assert 1 < len(colours) <= 5
