"""Rules on an issue and its letter: what is shipped is sound, findings name their place."""

from __future__ import annotations

import ast
import re
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.config import load_config
from newsletter.delivery.specimen import specimen
from newsletter.lint import Written, check_issue
from newsletter.lint.baseline import read_baseline, unknown, write_baseline
from newsletter.lint.places import Places, pattern_of
from newsletter.lint.policy import CODES, FOUND_BEFORE, Policy, ignored_by, misspelt
from newsletter.lint.rules import BY_CODE
from newsletter.model import Article, Email, Issue, Problem, Severity, Teaser
from newsletter.shelf import Shelf
from tests.linted import GOOD, HTML, TEXT
from tests.linted import Letter as Linted
from tests.publication import publication
from tests.sample import letter as field_notes

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2027, 1, 1, tzinfo=UTC)


@cache
def shipped(look: str = "letter") -> tuple[tuple[Written, bytes], ...]:
    """Every sample letter with its mail."""
    letter = load_config(ROOT).letter()
    letter = replace(letter, theme=replace(letter.theme, look=look))
    shelf = Shelf.of(letter, NOW)
    found = []
    for article in shelf.archive.articles:
        email = shelf.compose(article).email
        written = Written(issue=shelf.issue(article), letter=letter, email=email)
        found.append((written, specimen(email, article, letter).content))
    return tuple(found)


def written(root: Path, body: str = "Words.", **more: object) -> Written:
    """The sound mail as an issue of a letter in `root`."""
    article = Article(
        path=Path("issues/a.md"),
        folder=root / "issues",
        slug="makefiles",
        title="Makefiles",
        subject="Makefiles",
        body=body,
        body_line=5,
    )
    letter = replace(
        field_notes(root), name="Example Letter", postal_address="1 Example Road,\nExampleton"
    )
    url = "https://news.example.org/makefiles/"
    email = Email(slug="makefiles", subject="x", preheader="y", html=HTML, text=TEXT, url=url)
    return Written(issue=Issue(article=article, url=url), letter=letter, email=email)


def found(root: Path, letter: Linted, body: str = "Words.") -> dict[str, tuple[str, int | None]]:
    """Where each code is found first."""
    places: dict[str, tuple[str, int | None]] = {}
    for problem in check_issue(written(root, body), letter.content):
        places.setdefault(problem.code, (problem.path.as_posix(), problem.line))
    return places


def test_nothing_is_wrong_with_the_letters_that_are_shipped() -> None:
    for issue, content in shipped():
        problems = check_issue(issue, content)
        assert [p.code for p in problems if p.severity is not Severity.INFO] == []


def test_checking_a_composed_letter_is_quick() -> None:
    letters = shipped()
    for issue, content in letters:
        check_issue(issue, content)
    for issue, content in letters:
        assert min(_seconds(issue, content) for _ in range(3)) < 0.5  # 0.02 on an idle machine


def _seconds(issue: Written, content: bytes) -> float:
    start = time.process_time()
    check_issue(issue, content)
    return time.process_time() - start


def test_the_sound_mail_is_sound_as_an_issue_too(tmp_path: Path) -> None:
    assert set(found(tmp_path, GOOD)) == {"size"}


@pytest.mark.parametrize(
    ("code", "letter"),
    [
        ("postal-address", GOOD.with_html(", 1 Example Road, Exampleton", "")),
        ("postal-address", GOOD.with_text(", 1 Example Road, Exampleton", "")),
        ("web-version", GOOD.with_html("https://news.example.org/makefiles/", "https://x.org/")),
        ("web-version-text", GOOD.with_text("https://news.example.org/makefiles/\n", "")),
        ("sender-named", GOOD.with_html("Example Letter, 1", "1")),
    ],
)
def test_what_every_letter_must_hold(tmp_path: Path, code: str, letter: Linted) -> None:
    assert code in found(tmp_path, letter)


def test_a_heavy_picture_of_the_publication_is_named(tmp_path: Path) -> None:
    (tmp_path / "issues").mkdir()
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (4000).to_bytes(4) + (3000).to_bytes(4)
    (tmp_path / "issues/desk.png").write_bytes(header + bytes(1_500_000))
    letter = GOOD.with_html(
        "https://news.example.org/media/desk.jpg", "https://letters.example.org/media/desk.png"
    )
    body = "![A desk with two lamps](desk.png)\n"
    problems = check_issue(written(tmp_path, body), letter.content)
    said = [(p.message.partition(":")[0], p.line) for p in problems if p.code == "image-weight"]
    assert said == [("1.4 MB", 5), ("4000 pixels for 520", 5)]
    gauge = [p.message for p in problems if p.code == "image-bytes"]
    assert gauge == ["1 picture, 1,465 KB, loaded when the mail is opened"]


@pytest.mark.parametrize(("width", "said"), [(2, True), (40, False)])
def test_a_picture_stretched_beyond_65_times_is_said(
    tmp_path: Path, width: int, said: bool
) -> None:
    (tmp_path / "issues").mkdir()
    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, 8) + bytes(16)
    (tmp_path / "issues" / "desk.png").write_bytes(picture)
    letter = GOOD.with_html(
        "https://news.example.org/media/desk.jpg", "https://letters.example.org/media/desk.png"
    )
    assert ("image-stretched" in found(tmp_path, letter)) is said


@pytest.mark.parametrize("title", ["Issue 42: Makefiles, mail logs and message SIZE", "Issue 41"])
def test_the_subject_of_the_issue_before_is_not_used_again(tmp_path: Path, title: str) -> None:
    issue = written(tmp_path)
    teaser = Teaser(title=title, url="https://news.example.org/before/", summary="")
    again = replace(issue, issue=replace(issue.issue, previous=teaser))
    codes = {problem.code for problem in check_issue(again, GOOD.content)}
    assert ("subject-repeated" in codes) is title.endswith("SIZE")


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("None, this week.", "None, this week."),
        ("The value is undefined, null.", "The value is undefined, null."),
        ("Of [nothing](https://docs.example.org/null).",
         'Of <a href="https://docs.example.org/null">nothing</a>.'),
    ],
)  # fmt: skip
def test_what_the_author_typed_is_no_residue(tmp_path: Path, typed: str, made: str) -> None:
    mail = GOOD.saying(f"<p>{made}</p>")
    assert "greeting-nobody" in found(tmp_path, mail, "Something else.")
    assert "greeting-nobody" not in found(tmp_path, mail, f"Before.\n\n{typed}\n")


def test_the_remedy_for_a_picture_from_elsewhere_works(tmp_path: Path) -> None:
    letter = publication(tmp_path)
    bare = "![A leaf](https://images.example.org/leaf.png)"
    head = "---\ntitle: A leaf from elsewhere\ndate: 2026-09-01\n---\nWords before it.\n\n"
    letter.write("issues/2026-09-01-leaf.md", head + bare)
    assert "image-width" in letter.run("check", "leaf", code=3).stdout
    [braces] = set(re.findall(r"\{width=\d+ height=\d+\}", BY_CODE["image-width"].remedy))
    letter.write("issues/2026-09-01-leaf.md", head + bare + braces)
    assert "image-" not in letter.run("check", "leaf").stdout


def test_hello_none_is_residue_even_when_typed(tmp_path: Path) -> None:
    assert "greeting-nobody" in found(tmp_path, GOOD.saying("<p>Hello None,</p>"), "Hello None,")


def test_what_a_teaser_says_is_judged_with_its_own_article(tmp_path: Path) -> None:
    issue = written(tmp_path, "Words.")
    mail = GOOD.saying("<p>On {% raw %} blocks</p>")
    assert "placeholder" in {problem.code for problem in check_issue(issue, mail.content)}
    teaser = Teaser(title="On {% raw %} blocks", url="https://news.example.org/raw/", summary="")
    after = replace(issue, issue=replace(issue.issue, next=teaser))
    assert "placeholder" not in {problem.code for problem in check_issue(after, mail.content)}


def test_an_article_without_words_is_to_blame_and_not_the_template(tmp_path: Path) -> None:
    bare = Linted(html=re.sub(r"<div style=.display:none.*?</div>", "", HTML, flags=re.DOTALL))
    issue = written(tmp_path, "")
    silent = replace(issue, email=replace(issue.email, preheader=""))
    places = {p.code: p.path.as_posix() for p in check_issue(silent, bare.content)}
    assert places["preheader-missing"] == places["article-empty"] == "issues/a.md"


def test_attack_22_a_picture_outside_of_the_publication_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "issues").mkdir()
    (tmp_path / "secret.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(3_000_000))
    for path in ("../../secret.png", "%2e%2e/secret.png", "/etc/passwd"):
        letter = GOOD.with_html(
            "https://news.example.org/media/desk.jpg", f"https://letters.example.org/media/{path}"
        )
        assert "image-weight" not in found(tmp_path, letter)


# --- places ---


def test_a_link_is_found_in_the_article(tmp_path: Path) -> None:
    letter = GOOD.saying('<p><a href="http://192.0.2.7/">the machine</a></p>')
    body = "Dear you,\n\nsee [the machine](http://192.0.2.7/)\n"
    assert found(tmp_path, letter, body)["link-local"] == ("issues/a.md", 7)


def test_words_are_found_whatever_typography_and_wrapping_made_of_them(tmp_path: Path) -> None:
    letter = GOOD.saying("<h2>x</h2><h4>Don’t “look” at the clock – ever… again</h4>")
    body = 'a\n\n#### Don\'t "look" at\nthe clock -- ever... again\n'
    assert found(tmp_path, letter, body)["heading-skip"] == ("issues/a.md", 7)


def test_the_second_finding_about_the_same_words_gets_their_second_place(tmp_path: Path) -> None:
    article = written(tmp_path, "[a](/x)\n\n[b](/x)\n").issue.article
    places = Places(field_notes(tmp_path), article)
    assert [places.find(("/x",))[1] for _ in range(3)] == [5, 7, 5]


def test_front_matter_is_read_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues/a.md").write_text("---\ntitle: x\npreheader: short\n---\nWords\n")
    letter = GOOD.with_html("What forty issues taught us about tools that nobody thanks.", "short")
    assert found(tmp_path, letter, "Words\n")["preheader-short"] == ("issues/a.md", 3)


def test_what_no_article_says_is_found_in_the_template(tmp_path: Path) -> None:
    letter = GOOD.with_html('<html lang="en"', "<html")
    assert found(tmp_path, letter)["html-lang"] == ("templates/email.html", 2)


def test_an_own_template_goes_before_the_one_that_is_shipped(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/email.html").write_text("\n\n\n<html>")
    letter = GOOD.with_html('<html lang="en"', "<html")
    assert found(tmp_path, letter)["html-lang"] == ("templates/email.html", 4)


def test_what_is_nowhere_is_at_the_article(tmp_path: Path) -> None:
    letter = GOOD.with_header("Date:", "Bcc: x@example.com\nDate:")
    assert found(tmp_path, letter)["header-never"] == ("issues/a.md", 1)


@given(st.text(max_size=60))
def test_any_words_make_a_pattern_that_finds_them(words: str) -> None:
    if words.strip():
        assert pattern_of(words).search(f"before {' '.join(words.split())} after")


# --- decisions ---


def problem(code: str, line: int = 1, severity: Severity = Severity.ERROR) -> Problem:
    return Problem(path=Path("a.md"), line=line, severity=severity, code=code, message=f"a {code}")


def test_a_policy_ignores_changes_and_turns_off() -> None:
    policy = Policy(
        ignore=frozenset(["h1"]), severity={"contrast": Severity.WARNING, "doctype": None}
    )
    codes = ("h1", "contrast", "doctype", "charset", "viewport")
    judged = policy.judge(map(problem, codes), ignored=["viewport"])
    assert [(p.code, p.severity) for p in judged] == [
        ("contrast", Severity.WARNING),
        ("charset", Severity.ERROR),
    ]


@pytest.mark.parametrize(
    "typed", [["h1", "contrast"], "h1, contrast", "[h1, contrast]", "h1,contrast,"]
)
def test_ignore_is_a_list_in_every_front_matter_style(typed: object) -> None:
    article = replace(written(ROOT).issue.article, extra={"Ignore": typed})
    assert ignored_by(article) == ("h1", "contrast")


def test_nothing_is_ignored_by_an_empty_key() -> None:
    assert ignored_by(replace(written(ROOT).issue.article, extra={"ignore": None})) == ()


def test_a_misspelt_code_has_a_likely_one() -> None:
    assert misspelt(["h1", "contrst", "zzzzzz"]) == {"contrst": "contrast", "zzzzzz": ""}


def test_the_codes_that_are_found_before_are_all_there() -> None:
    """Every short code in the sources of reading and composing; dots are for errors that stop."""
    found = set()
    parts = ("articles", "compose", "composed.py", "pipeline.py", "cli/theme_findings.py")
    for part in parts:
        top = ROOT / "newsletter" / part
        for file in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            found |= set(_codes(ast.parse(file.read_text("utf-8"))))
    assert found <= CODES, f"add to FOUND_BEFORE: {sorted(found - CODES)}"
    assert set(FOUND_BEFORE) <= found, f"gone: {sorted(set(FOUND_BEFORE) - found)}"


def _codes(tree: ast.Module) -> Iterator[str]:
    """First arguments of Rule, _refuse, refusal and warn, and every `code=`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        values = [word.value for word in node.keywords if word.arg == "code"]
        if name in ("Rule", "_refuse", "refusal"):
            values += node.args[:1]
        if name == "warn":
            values += node.args[1:2]
        for value in values:
            if isinstance(value, ast.Constant) and "-" in str(value.value):
                yield str(value.value)


findings = st.builds(
    problem,
    st.sampled_from(sorted(BY_CODE)[:4]),
    st.integers(1, 9),
    st.sampled_from(list(Severity)),
)


@settings(max_examples=50)
@given(st.lists(findings, max_size=12), st.lists(findings, max_size=4))
def test_a_baseline_knows_what_it_was_made_of_and_nothing_more(
    old: list[Problem], new: list[Problem]
) -> None:
    known = read_baseline(write_baseline(old), "b.json")
    assert unknown(old, known) == []
    assert len(unknown([*old, *new], known)) == len(new)
