"""Hundreds of articles in each front-matter style: all build; one bad one fails alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import thorough
from tests.publication import Publication

# Five hundred of the usual style, and of each where CI=true.
COUNT = 500
CONFIG_HEAD = """[letter]
name = "Corpus"
base_url = "https://corpus.example.org"
[sender]
from = "corpus@corpus.example.org"
postal_address = "1 Example Road"
"""
BODY = """
A paragraph about week {n}, with a [link](https://example.org/{n}) and *emphasis*.

- one thing
- another thing
"""
STYLES = {
    "yaml": ("{n:03d}-week-{n}.md", '---\ntitle: "Week {n}"\ndate: 2015-{m:02d}-{d:02d}\n---\n'),
    "toml": ("{n:03d}-week-{n}.md", '+++\ntitle = "Week {n}"\ndate = 2015-{m:02d}-{d:02d}\n+++\n'),
    "pelican": ("{n:03d}-week-{n}.md", "Title: Week {n}\nDate: 2015-{m:02d}-{d:02d} 10:00\n\n"),
    "nikola": (
        "{n:03d}-week-{n}.md",
        "<!--\n.. title: Week {n}\n.. slug: week-{n}\n.. date: 2015-{m:02d}-{d:02d}\n-->\n\n",
    ),
    "none": ("2015-{m:02d}-{d:02d}-week-{n}.md", "# Week {n}\n\n"),
}
BAD = {
    "yaml": "---\ntitle: Rust: what\n---\nx\n",
    "toml": "+++\ntitle = Rust\n+++\nx\n",
    "pelican": "Title: x\nDate: the day before yesterday\n\nx\n",
    "nikola": "<!--\n.. title: x\n.. date: the day before yesterday\n-->\n\nx\n",
    "none": "# x\n\nA NUL \0 in the text\n",
}


def corpus(root: Path, style: str, count: int) -> Publication:
    """A publication of so many articles in one style, in a folder called content."""
    made = Publication(root)
    made.write("newsletter.toml", CONFIG_HEAD.replace("[sender]", 'issues = "content"\n[sender]'))
    name, head = STYLES[style]
    for n in range(1, count + 1):
        place = {"n": n, "m": 1 + (n // 28) % 12, "d": 1 + n % 28}
        made.write(f"content/{name.format(**place)}", (head + BODY).format(**place))
    return made


@pytest.mark.parametrize("style", STYLES)
def test_hundreds_of_articles_build_and_one_bad_one_fails_alone(tmp_path: Path, style: str) -> None:
    count = COUNT if style == "yaml" else thorough(COUNT, 100)
    letter = corpus(tmp_path, style, count)
    letter.write("content/zzz-bad.md", BAD[style])
    answer = letter.ask("build", "--out", str(tmp_path / "out"), code=3)
    assert len(answer["built"]) == count
    [error] = answer["errors"]
    assert error["file"] == "content/zzz-bad.md"
    assert error["line"] is not None
    assert len(list((tmp_path / "out").glob("*.html"))) == count
