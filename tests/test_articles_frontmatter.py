"""Every dialect of front matter, its quirks and its mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.articles import yaml_block
from newsletter.articles.entries import Dialect
from newsletter.articles.frontmatter import FrontMatter, split
from newsletter.articles.source import Source
from newsletter.errors import ArticleError
from tests.articles_folder import Folder
from tests.conftest import thorough

NAME = Path("issues/x.md")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(params=["libyaml", "pyyaml"])
def each_yaml(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers: wheels have libyaml, some distributions do not."""
    if request.param == "pyyaml":
        monkeypatch.setattr(yaml_block, "LOADER", yaml.SafeLoader)


def front_of(text: str) -> FrontMatter:
    return split(Source(NAME, text))


def split_or_error(text: str) -> FrontMatter | ArticleError:
    try:
        return front_of(text)
    except ArticleError as error:
        return error


def values(text: str) -> dict[str, object]:
    return {entry.key: entry.value for entry in front_of(text).entries}


def refusal(text: str) -> ArticleError:
    with pytest.raises(ArticleError) as caught:
        front_of(text)
    assert caught.value.path == str(NAME)
    return caught.value


BODY = "\nFirst line.\n\nSecond.\n"
DIALECTS = {
    Dialect.YAML: "---\ntitle: Sleep & rest\ndate: 2026-11-22\nslug: sleep\n---\n",
    Dialect.TOML: '+++\ntitle = "Sleep & rest"\ndate = 2026-11-22\nslug = "sleep"\n+++\n',
    Dialect.JSON: '{\n"title": "Sleep & rest",\n"date": "2026-11-22",\n"slug": "sleep"\n}\n',
    Dialect.PELICAN: "Title: Sleep & rest\nDate: 2026-11-22\nSlug: sleep\n\n",
    Dialect.NIKOLA: "<!--\n.. title: Sleep & rest\n.. date: 2026-11-22\n.. slug: sleep\n-->\n",
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_every_dialect_gives_the_same_article(
    folder: Folder, dialect: Dialect, ends: str, bom: str
) -> None:
    text = DIALECTS[dialect] + BODY
    article = folder.article(bom + text.replace("\n", ends))
    assert article.title == article.subject == "Sleep & rest"
    assert article.slug == "sleep"
    assert article.date is not None
    assert article.date.isoformat() == "2026-11-22T00:00:00+00:00"
    assert article.body == BODY[1:]
    assert text.split("\n")[article.body_line - 1] == "First line."
    assert front_of(text).dialect is dialect


def test_bare_nikola_lines_end_at_the_blank_line() -> None:
    front = front_of(".. title: Rest\n.. tags: a, b\n.. link:\n\n.. note: in the body\n")
    assert [(e.key, e.value, e.line) for e in front.entries] == [
        ("title", "Rest", 1),
        ("tags", "a, b", 2),
        ("link", None, 3),
    ]
    assert (front.body, front.body_line) == (".. note: in the body\n", 5)


def test_a_comment_that_holds_no_key_is_body() -> None:
    front = front_of("<!-- markdownlint-disable -->\n# Rest\n")
    assert front.dialect is Dialect.NONE
    assert front.body.startswith("<!-- markdownlint")


def test_pelican_continuation_lines_are_joined_to_their_key() -> None:
    text = "Title: Rest\nSummary: One line\n    and another\n\ttwo more\nTags:\n  a,\n  b\n\nBody"
    assert values(text) == {
        "Title": "Rest",
        "Summary": "One line and another two more",
        "Tags": "a, b",
    }


def test_pelican_ends_at_the_first_line_that_is_no_key() -> None:
    front = front_of("Title: Rest\n# Heading\n")
    assert (front.body, front.body_line) == ("# Heading\n", 2)


def test_a_pelican_value_keeps_its_colons() -> None:
    assert values("Title: Rest: a plea\nLink: https://example.org\n\nx")["Title"] == "Rest: a plea"


@pytest.mark.parametrize("text", ["Note: this is prose.\n\nMore.", "https://example.org\n\nMore."])
def test_prose_with_a_colon_is_no_front_matter(text: str) -> None:
    assert front_of(text) == FrontMatter(Dialect.NONE, (), text, 1)


@pytest.mark.parametrize("text", ["{% include x %}\n", "{{ x }}\n", "{: .lead}\nText"])
def test_template_braces_are_no_json(text: str) -> None:
    assert front_of(text).dialect is Dialect.NONE


def test_json_may_be_followed_by_the_body_on_the_next_line() -> None:
    front = front_of('{ "title": "Rest", "number": 43, "draft": false,\n "x": null }\n\nBody')
    assert [(e.key, e.value, e.line) for e in front.entries] == [
        ("title", "Rest", 1),
        ("number", "43", 1),
        ("draft", "false", 1),
        ("x", None, 2),
    ]
    assert (front.body, front.body_line) == ("Body", 4)


def test_toml_values_become_text_again() -> None:
    text = (
        "+++\nnumber = 43\nscore = 1.5\ndraft = false\ndate = 2026-11-22T08:00:00Z\n"
        "day = 2026-11-22"
        '\nat = 12:30:45\n[extra]\nlist = [1, "a"]\n+++\n'
    )
    front = front_of(text)
    assert {entry.key: entry.value for entry in front.entries} == {
        "number": "43",
        "score": "1.5",
        "draft": "false",
        "date": "2026-11-22T08:00:00+00:00",
        "day": "2026-11-22",
        "at": "12:30:45",
        "extra": {"list": ["1", "a"]},
    }
    assert [entry.line for entry in front.entries] == [2, 3, 4, 5, 6, 7, 8]


def test_blank_lines_before_the_front_matter_are_passed_over() -> None:
    front = front_of("\n\n---\ntitle: Rest\n---\nBody")
    assert [(e.key, e.line) for e in front.entries] == [("title", 4)]
    assert (front.body, front.body_line) == ("Body", 6)


def test_yaml_may_end_in_three_dots() -> None:
    assert front_of("---\ntitle: Rest\n...\nBody").body == "Body"


def test_an_empty_front_matter_is_none() -> None:
    front = front_of("---\n---\nBody")
    assert (front.entries, front.body, front.body_line) == ((), "Body", 3)


# --- YAML ---


@pytest.mark.usefixtures("each_yaml")
def test_yaml_scalars_arrive_as_typed() -> None:
    text = (
        "---\ntitle: no\nat: 12:30:45\nyear: 2026\nhex: 0x1F\nversion: 1.10\nzero: 007\n"
        "day: 2026-11-22\n"
        "nothing: ~\nalso:\nquoted: 'null'\nempty: ''\nlist: [yes, 1, null]\nmap: {a: on}\n"
        "folded: >\n  one\n  two\n---\n"
    )
    assert values(text) == {
        "title": "no",
        "at": "12:30:45",
        "year": "2026",
        "hex": "0x1F",
        "version": "1.10",
        "zero": "007",
        "day": "2026-11-22",
        "nothing": None,
        "also": None,
        "quoted": "null",
        "empty": "",
        "list": ["yes", "1", None],
        "map": {"a": "on"},
        "folded": "one two\n",
    }


@pytest.mark.usefixtures("each_yaml")
@pytest.mark.parametrize(
    ("line", "words", "hint"),
    [
        ("title: Rust: what we learned", 'holds ": "', 'write  title: "Rust: what we learned"'),
        ("title: @home", "needs quotes", 'write  title: "@home"'),
        ("title: `code`", "needs quotes", 'write  title: "`code`"'),
        ("title: 50 %: a sale", 'holds ": "', 'write  title: "50 %: a sale"'),
        ("title: % off", "needs quotes", 'write  title: "% off"'),
        ("title: - x", "needs quotes", 'write  title: "- x"'),
        ("title: | x", "needs quotes", 'write  title: "| x"'),
        ("title: {{ x }}", "needs quotes", 'write  title: "{{ x }}"'),
        ("title: [a] b", "closing quotation mark or bracket", 'write  title: "[a] b"'),
        ('title: "a" b', "closing quotation mark or bracket", 'write  title: "\\"a\\" b"'),
        ('title: "a \\q"', "backslash", 'write  title: "a \\\\q"'),
        ('title: "never closed', "never closed", 'write  title: "never closed"'),
        ("title", 'no ": "', "write  key: value"),
        ("  title: x", "indented", "write every key at the beginning of its line"),
        ("\ttitle: x", "tab", "write every key at the beginning of its line"),
        ("title: *very* good", "*", 'write  title: "*very* good"'),
        ("title: &c x", "&", 'write  title: "&c x"'),
        ("title: !!python/name:os.x y", "tag", 'write  title: "!!python/name:os.x y"'),
    ],
)
def test_a_yaml_mistake_names_its_line_and_the_cure(line: str, words: str, hint: str) -> None:
    error = refusal(f"---\nslug: sleep\ndate: 2026-11-22\n\ntags: [a, b]\n{line}\nlang: en\n---\nB")
    assert words in error.message
    assert error.line == 6
    assert error.hint == hint


def test_the_error_of_the_manual_reads_as_printed() -> None:
    assert str(refusal("---\n\n\n\n\ntitle: Rust: what we learned\n---\n")) == (
        'issues/x.md:6: front matter is not YAML: a value holds ": " without quotes\n'
        '  write  title: "Rust: what we learned"'
    )


@pytest.mark.usefixtures("each_yaml")
def test_a_line_without_colon_is_named_and_not_the_one_after() -> None:
    error = refusal("---\ntitle Rest\ndate: 2026-11-22\n---\n")
    assert (error.line, error.message) == (2, 'front matter is not YAML: a line has no ": "')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("---\na: 1\ntitle: One\nb: 2\ntitle: Two\n---\n", "line 3 and on line 5"),
        ("---\nmap:\n  a: 1\n  a: 2\n---\n", "line 3 and on line 4"),
        ('+++\ntitle = "One"\nb = 1\ntitle = "Two"\n+++\n', "line 2 and on line 4"),
        ('{\n"title": "One",\n"title": "Two"\n}\n', "line 2 and on line 3"),
        ("Title: One\nDate: 2026-11-22\nTITLE: Two\n\n", "line 1 and on line 3"),
        ("<!--\n.. title: One\n.. title: Two\n-->\n", "line 2 and on line 3"),
    ],
)
def test_a_duplicate_key_names_both_lines(text: str, words: str) -> None:
    error = refusal(text)
    assert words in error.message
    assert error.line == int(words.rpartition(" ")[2])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("---\ntitle: Rest\n\nBody", 1, "never closed"),
        ("+++\ntitle = 'Rest'\n", 1, "never closed"),
        ("---\njust text\n---\n", 2, "no `key: value`"),
        ("---\n- a\n- b\n---\n", 2, "no `key: value`"),
        ("+++\na = 1\ntitle = Rest\n+++\n", 3, "not TOML"),
        ('+++\na = 1\ntitle = "Rest\n+++\n', 3, "never closed"),
        ('{\n"a": 1,\n"b": }\n', 3, "not JSON"),
        ("---\na: 1\nb: \x08\n---\n", 3, "U+0008"),
    ],
)
def test_a_broken_front_matter_names_its_line(text: str, line: int, words: str) -> None:
    error = refusal(text)
    assert words in error.message
    assert error.line == line


def test_a_line_separator_inside_a_value_does_not_shift_the_lines() -> None:
    error = refusal('---\na: "x\u2028y\x85z"\nb: 1\nb: 2\n---\n')
    assert error.line == 4


# --- attacks ---


@pytest.mark.usefixtures("each_yaml")
@pytest.mark.parametrize(
    "value", ["[" * 5000, "[" * 21 + "]" * 21, "{a: " * 21 + "}" * 21, "[" * 5000 + "]" * 5000]
)
def test_attack_23_yaml_nested_deeper_than_20_levels_is_refused(value: str) -> None:
    assert "deeper than 20 levels" in refusal(f"---\ntitle: x\nbomb: {value}\n---\n").message


@pytest.mark.parametrize(
    "text",
    ["+++\nx = " + "[" * 5000, '{"x": ' + "[" * 5000, '{"x": ' + "[" * 21 + "]" * 21 + "}\n"],
)
def test_attack_23_toml_and_json_are_not_nested_deeper_either(text: str) -> None:
    closing = "\n+++\n" if text.startswith("+") else ""
    assert "deeper than 20 levels" in refusal(text + closing).message


def test_20_levels_are_read_in_every_dialect_and_21_are_not() -> None:
    for before, after in (("---\nx: ", "\n---\n"), ("+++\nx = ", "\n+++\n"), ('{"x": ', "}\n")):
        front_of(before + "[" * 19 + "]" * 19 + after)
        refusal(before + "[" * 20 + "]" * 20 + after)


@pytest.mark.usefixtures("each_yaml")
def test_attack_23_a_yaml_alias_bomb_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    error = refusal(f"---\n{bomb}---\n")
    assert error.line == 2
    assert "aliases are not accepted" in error.message


def test_attack_23_a_front_matter_beyond_64_kb_is_refused() -> None:
    long = "x" * 70_000
    for text in (
        f"---\ntitle: {long}\n---\n",
        f'+++\ntitle = "{long}"\n+++\n',
        f"Title: {long}\n\n",
        f'{{"title": "{long}"}}',
        f"<!--\n.. title: {long}\n-->",
    ):
        assert "larger than 64 kB" in refusal(text).message


def test_attack_23_a_foreign_yaml_tag_is_refused() -> None:
    assert "tag" in refusal("---\nx: !!python/object/apply:os.system [id]\n---\n").message


# --- properties ---

SNIPPETS = st.sampled_from(
    [
        "---",
        "+++",
        "{",
        "}",
        "<!--",
        "-->",
        ".. title: x",
        "Title: x",
        "a: b",
        '"',
        "[",
        "\n",
        "\n\n",
        "\t",
        "...",
        "# H",
        "key = 1",
        ": ",
        "&a",
        "*a",
        "- ",
        "|",
        ">",
        "\u2028",
        "\x85",
        "\ud7ff",
        "~~~",
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(SNIPPETS, max_size=30).map("".join))


@settings(max_examples=thorough(400, 100), deadline=None)
@given(opening=st.sampled_from(["", "---\n", "+++\n", "{", "<!--\n", "Title: "]), text=TEXTS)
def test_any_text_is_split_or_refused(opening: str, text: str) -> None:
    whole = (opening + text).replace("\r", "\n").replace("\0", "")
    front = split_or_error(whole)
    if isinstance(front, ArticleError):
        assert front.line in range(1, whole.count("\n") + 2)
        return
    assert whole.endswith(front.body)
    before = whole[: len(whole) - len(front.body)]
    assert front.body_line == before.count("\n") + 1
    lines = whole.split("\n")
    for entry in front.entries:
        assert 1 <= entry.line <= len(lines)


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), max_size=40
)


@settings(max_examples=150, deadline=None)
@given(title=WORDS, blank=st.integers(0, 3))
def test_a_quoted_value_arrives_unchanged_in_every_typed_dialect(title: str, blank: int) -> None:
    quoted = json.dumps(title)  # with \u escapes, in pairs beyond U+FFFF
    plain = json.dumps(title, ensure_ascii=False)
    body = "\n" * blank + "Body"
    for text in (
        f"---\nslug: x\ntitle: {plain}\n---\n{body}",
        f'+++\nslug = "x"\ntitle = {plain}\n+++\n{body}',
        f'{{\n"slug": "x", "title": {quoted}\n}}\n{body}',
    ):
        front = front_of(text)
        assert {e.key: e.value for e in front.entries}["title"] == title
        assert text.split("\n")[front.body_line - 1] == front.body == "Body"
