"""check: what a person, a CI job and an editor see of what is found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from newsletter.cli import cli
from newsletter.cli.check_report import Report
from newsletter.defaults import default_folder
from newsletter.linkcheck import KINDS
from newsletter.lint.rules import RULES
from newsletter.model import Problem, Severity
from tests.linted import GOOD
from tests.publication import Publication, publication

BAD = """---
title: What we learned from 40 issues
date: 2026-04-01 08:00:00 +0000
preheader: Forty letters, six of them good, and what those six have in common after all.
---

Hello {{ first_name | friend }},

this is a letter with faults. One of them is a link to [click here](https://example.org/a), and
another is a link to [the machine beside us](http://192.0.2.7/b).
"""


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    made = publication(tmp_path)
    made.write("issues/2026-04-01-learned.md", BAD)
    return made


def configured(letter: Publication, table: str) -> None:
    file = letter.root / "newsletter.toml"
    file.write_text(f"{file.read_text()}\n[check]\n{table}\n")


def found(letter: Publication, *arguments: str, code: int = 3) -> dict[str, tuple[str, int | None]]:
    """Severity and line of each code in the answer of `check`."""
    answer = letter.ask("check", *arguments, code=code)
    return {row["code"]: (row["severity"], row["line"]) for row in answer["problems"]}


def test_an_error_is_named_with_its_line_and_exits_3(letter: Publication) -> None:
    result = letter.run("check", "learned", code=3)
    lines = result.stdout.splitlines()
    assert lines[0] == "issues/2026-04-01-learned.md"
    [local] = [line for line in lines if line.endswith("link-local")]
    assert local.split()[:2] in (["✗", "10"], ["X", "10"])
    assert any("other checks passed" in line for line in lines)
    assert lines[-1].startswith("1 error, ")
    assert "`ignore: [link-local]`" in lines[-1]


def test_a_link_to_an_article_that_is_not_out_is_found_at_its_line(letter: Publication) -> None:
    letter.write("issues/2026-03-09-tea.md", "---\ntitle: Tea\ndraft: true\n---\nx\n")
    letter.write("issues/2030-01-01-cups.md", "---\ntitle: Cups\n---\nx\n")
    body = "On [tea](2026-03-09-tea.md), on\n[cups](2030-01-01-cups.md#two).\n"
    letter.write("issues/2026-04-02-two.md", f"---\ntitle: Two\n---\n{body}")
    problems = letter.ask("check", "two", code=3)["problems"]
    assert [
        (p["severity"], p["line"], p["message"]) for p in problems if p["code"] == "link-draft"
    ] == [
        ("error", 4, "leads to 2026-03-09-tea.md, a draft"),
        ("warning", 5, "leads to 2030-01-01-cups.md, dated 2030-01-01"),
    ]
    own = letter.ask("check", "tea", code=None)["problems"]
    assert "link-draft" not in {p["code"] for p in own}, "its own page is no fault"
    letter.write("issues/2030-02-01-later.md", f"---\ntitle: Later\n---\n{body}")
    later = letter.ask("check", "issues/2030-02-01-later.md", code=None)
    assert "link-draft" not in {p["code"] for p in later["problems"] if p["severity"] == "warning"}


def test_a_link_to_an_article_that_is_not_there_is_an_error(letter: Publication) -> None:
    letter.write("issues/2026-04-02-two.md", "---\ntitle: Two\n---\n[x](2026-03-01-leter-3.md)\n")
    [gone] = [p for p in letter.ask("check", "two", code=3)["problems"] if "link-m" in p["code"]]
    assert (gone["severity"], gone["line"]) == ("error", 4)
    assert gone["hint"] == "did you mean `2026-03-01-letter-3.md`?"


def test_a_colour_is_blamed_on_the_line_that_says_it(letter: Publication) -> None:
    file = letter.root / "newsletter.toml"
    file.write_text(file.read_text() + '\n[theme]\nlook = "plain"\nlink = "#a0c4ff"\n')
    line = file.read_text().splitlines().index('link = "#a0c4ff"') + 1
    letter.write("issues/2026-04-02-two.md", "---\ntitle: Two\n---\nNo link in here.\n")
    problems = letter.ask("check", "two", code=3)["problems"]
    places = {(p["file"], p["line"]) for p in problems if p["code"] == "contrast"}
    assert places == {("newsletter.toml", line)}
    assert "looks/" not in " ".join(p["file"] for p in problems), "of a look that is not in force"


def test_a_shipped_template_is_named_but_not_annotated(letter: Publication) -> None:
    footer = default_folder("templates") / "partials" / "footer.html"
    shipped = Problem(
        path=Path("templates/partials/footer.html"), line=4, severity=Severity.ERROR,
        code="x", message="bad",
    )  # fmt: skip
    report = Report(
        problems=(shipped,), looked_at=1, strict=False, root=letter.root, notes=True,
        config="newsletter.toml",
    )  # fmt: skip
    assert report.text().splitlines()[0] == "templates/partials/footer.html (shipped template)"
    [marked] = report.from_here()
    assert (marked.path.name, marked.line) == ("newsletter.toml", None)
    assert marked.message == "bad (in templates/partials/footer.html:4, a shipped template)"
    letter.write("templates/partials/footer.html", footer.read_text())
    assert report.text().splitlines()[0] == "templates/partials/footer.html"
    assert report.from_here()[0].line == 4


def test_links_that_lead_nowhere_are_found_where_they_stand(letter: Publication) -> None:
    footer = (default_folder("templates") / "partials" / "footer.html").read_text()
    with_map = footer.replace("</td>", '<a href="#">Map</a></td>')
    letter.write("templates/partials/footer.html", with_map)
    line = footer[: footer.index("</td>")].count("\n") + 1
    letter.write("issues/2026-04-02-two.md", "---\ntitle: Two\n---\n# One\n\nTry [here]().\n")
    problems = letter.ask("check", "two", code=3)["problems"]
    assert {(p["file"], p["line"]) for p in problems if p["code"] == "link-empty"} == {
        ("issues/2026-04-02-two.md", 6),
        ("templates/partials/footer.html", line),
    }


def test_a_heavy_picture_of_a_teaser_is_no_templates_fault(letter: Publication) -> None:
    gif = b"GIF89a\x58\x02\x90\x01\x00\x00\x00" + bytes(1_200_000)
    (letter.root / "issues" / "heavy.gif").write_bytes(gif)
    file = letter.root / "newsletter.toml"
    file.write_text(file.read_text() + "\n[theme]\nthumbnails = true\n")
    letter.write("issues/2026-04-02-one.md", "---\ntitle: One\nimage: heavy.gif\n---\nx\n")
    letter.write("issues/2026-04-03-two.md", "---\ntitle: Two\n---\nNo picture in here.\n")
    problems = letter.ask("check", "two", code=None)["problems"]
    heavy = [p for p in problems if p["code"] in ("image-weight", "image-only")]
    assert {(p["file"], p["line"]) for p in heavy} == {("issues/2026-04-03-two.md", 1)}
    assert any("of a neighbour's teaser" in p["message"] for p in heavy)


def test_braces_that_nothing_fills_are_one_error_with_the_name_that_was_meant(
    letter: Publication,
) -> None:
    head = "---\ntitle: Two\nsubject: For {{ frist_name }}\n---\n"
    letter.write("issues/2026-04-02-two.md", head + "x\n\nHello {{ frist_name }},\n")
    problems = letter.ask("check", "two", code=3)["problems"]
    errors = [(p["code"], p["line"], p["hint"]) for p in problems if p["severity"] == "error"]
    hint = "did you mean `first_name`?"
    assert errors == [("slot-unknown", 1, hint), ("slot-unknown", 7, hint)]


def test_a_lost_way_out_is_one_error_that_no_article_may_ignore(letter: Publication) -> None:
    footer = (default_folder("templates") / "partials" / "footer.html").read_text()
    link = '<a href="{{ unsubscribe_url }}">{{ strings.unsubscribe }}</a>'
    assert link in footer
    letter.write("templates/partials/footer.html", footer.replace(link, ""))
    result = letter.run("check", "letter-3", code=3)
    assert "ignore: [" not in result.stdout
    assert "unsubscribe-link" in result.stdout
    assert "html-link-lost" not in result.stdout


def test_a_sound_letter_passes(letter: Publication) -> None:
    answer = letter.ask("check", "letter-3")
    assert (answer["errors"], answer["exit"], answer["checked"]) == (0, 0, 1)


def test_strict_makes_warnings_count(letter: Publication) -> None:
    answer = letter.ask("check", "letter-3", "--strict", code=3)
    assert answer["warnings"] > 0
    letter.run("check", "letter-3")


def test_without_a_name_all_but_drafts_are_checked(letter: Publication) -> None:
    letter.write("issues/2026-05-01-d.md", BAD.replace("date:", "draft: true\ndate:"))
    assert letter.ask("check", code=3)["checked"] == 4
    assert letter.ask("check", "--all", code=3)["checked"] == 5


def test_an_article_that_cannot_be_read_is_an_error_and_the_rest_is_checked(
    letter: Publication,
) -> None:
    letter.write("issues/2026-05-01-x.md", "---\ntitle: Rust: what\n---\nx\n")
    answer = letter.ask("check", code=3)
    assert answer["checked"] == 5
    files = {row["file"]: row["line"] for row in answer["problems"] if row["severity"] == "error"}
    assert files["issues/2026-05-01-x.md"] == 2
    assert "issues/2026-04-01-learned.md" in files


def test_a_broken_template_is_one_error(letter: Publication) -> None:
    letter.write("templates/email.html", "<!DOCTYPE html>\n<p>{{ issue.titel }}</p>")
    problems = letter.ask("check", code=3)["problems"]
    assert [(p["file"], p["line"]) for p in problems] == [("templates/email.html", 2)]


def test_a_fault_of_a_template_is_found_in_the_template(letter: Publication) -> None:
    source = (Path(__file__).parent.parent / "templates" / "email.html").read_text("utf-8")
    letter.write("templates/email.html", source.replace('<html lang="{{ language }}"', "<html"))
    problems = letter.ask("check", code=3)["problems"]
    assert ("html-lang", "templates/email.html", 2) in {
        (p["code"], p["file"], p["line"]) for p in problems
    }


def test_front_matter_ignores_a_check(letter: Publication) -> None:
    assert "link-local" in found(letter, "learned")
    file = letter.root / "issues/2026-04-01-learned.md"
    file.write_text(BAD.replace("date:", "ignore: [link-local, link-text]\ndate:"))
    assert not {"link-local", "link-text"} & set(found(letter, "learned", code=0))


def test_an_ignored_code_that_is_none_is_named(letter: Publication) -> None:
    file = letter.root / "issues/2026-04-01-learned.md"
    file.write_text(BAD.replace("date:", "ignore: link-locl\ndate:"))
    problems = letter.ask("check", "learned", code=3)["problems"]
    [slip] = [p for p in problems if p["code"] == "ignore-unknown"]
    assert slip["hint"] == "did you mean `link-local`?"


def test_the_configuration_ignores_and_weighs(letter: Publication) -> None:
    configured(
        letter,
        'ignore = ["link-http"]\n'
        'severity = {link-local = "warning", link-text = "error", preheader-short = "off"}',
    )
    codes = found(letter, "learned")
    assert "link-http" not in codes
    assert codes["link-local"][0] == "warning"
    assert codes["link-text"][0] == "error"


def test_an_unknown_code_in_the_configuration_is_an_error_with_its_line(
    letter: Publication,
) -> None:
    configured(letter, 'severity = {link-locl = "off"}')
    error = letter.ask("check", code=2)["error"]
    assert "Did you mean `link-local`?" in error["message"]
    assert error["line"] == len((letter.root / "newsletter.toml").read_text().splitlines())


def test_a_baseline_makes_findings_known_and_new_ones_count(letter: Publication) -> None:
    letter.run("check", "--write-baseline")
    configured(letter, 'baseline = "check-baseline.json"')
    answer = letter.ask("check", "--strict")
    assert (answer["errors"], answer["warnings"]) == (0, 0)
    file = letter.root / "issues/2026-04-01-learned.md"
    more = BAD.replace("this is", "a line above moves them.\n\nthis is")
    file.write_text(f"{more}\nAnd [to another](http://192.0.2.8/c).\n")
    answer = letter.ask("check", code=3)
    assert [(p["code"], p["line"]) for p in answer["problems"] if p["severity"] == "error"] == [
        ("link-local", 14)
    ]


def test_writing_the_baseline_again_keeps_what_is_known(letter: Publication) -> None:
    letter.run("check", "--write-baseline")
    first = (letter.root / "check-baseline.json").read_text()
    configured(letter, 'baseline = "check-baseline.json"')
    letter.run("check", "--write-baseline")
    assert (letter.root / "check-baseline.json").read_text() == first
    assert all(row.keys() == {"file", "code", "message"} for row in json.loads(first)["findings"])


def test_a_broken_baseline_is_named(letter: Publication) -> None:
    configured(letter, 'baseline = "b.json"')
    letter.write("b.json", "[]")
    assert "b.json: not a baseline" in letter.run("check", code=2).stderr


def test_github_gets_annotations_relative_to_where_it_stands(
    letter: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(letter.root.parent)
    result = letter.run("check", "learned", "--format", "github", code=3)
    name = letter.root.name
    start = f"::error file={name}/issues/2026-04-01-learned.md,line=10,title=link-local::leads to"
    assert any(line.startswith(start) for line in result.stdout.splitlines())


def test_github_gets_notes_only_of_issues_that_were_named(letter: Publication) -> None:
    assert "::notice " not in letter.run("check", "--format", "github", code=None).stdout
    named = letter.run("check", "learned", "--format", "github", code=3).stdout
    assert "::notice file=" in named


def test_what_cannot_be_composed_has_passed_no_check(letter: Publication) -> None:
    assert " checks passed" in letter.run("check", code=None).stdout
    text = (letter.root / "newsletter.toml").read_text()
    letter.write("newsletter.toml", f'{text}\n[theme]\nlook = "leter"\n')
    said = letter.run("check", code=3).stdout
    line = text.count("\n") + 3
    assert re.search(
        rf"^newsletter.toml\n  ✗ +{line}   .*Did you mean `letter`", said, re.MULTILINE
    )
    assert " checks passed" not in said
    assert "1 error" in said


def test_an_author_cannot_write_workflow_commands(letter: Publication) -> None:
    letter.write(
        "issues/2026-04-01-learned.md",
        BAD.replace("title: What", 'subject: "x %0A::set-env name=X::y!!"\ntitle: What'),
    )
    result = letter.run("check", "learned", "--format", "github", code=3)
    assert "%250A" in result.stdout
    assert all(
        line.startswith(("::error file=", "::warning file=", "::notice file="))
        for line in result.stdout.splitlines()
    )


def test_sarif_names_rules_places_and_levels(letter: Publication) -> None:
    log = json.loads(letter.run("check", "learned", "--format", "sarif", code=3).stdout)
    [run] = log["runs"]
    assert log["version"] == "2.1.0"
    [result] = [r for r in run["results"] if r["ruleId"] == "link-local"]
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 10}
    assert place["artifactLocation"]["uri"].endswith("issues/2026-04-01-learned.md")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "link-local"


def test_the_list_names_every_check(letter: Publication) -> None:
    text = letter.run("check", "--list").stdout
    assert all(rule.code in text for rule in RULES)
    rows = letter.ask("check", "--list")["rules"]
    assert len(rows) == len(RULES) + len(KINDS)
    assert all(row["hint"] and row["source"] and row["title"] for row in rows)


def test_a_mail_is_checked_outside_of_any_publication(tmp_path: Path) -> None:
    file = tmp_path / "m.eml"
    file.write_bytes(GOOD.content.replace(b"--=_b7f3c1d0a94e42--\r\n", b""))
    result = CliRunner().invoke(cli, ["-C", str(tmp_path), "check", "--eml", str(file)])
    assert result.exit_code == 3
    assert "boundary-open" in result.stdout
    file.write_bytes(GOOD.content)
    result = CliRunner().invoke(cli, ["-C", str(tmp_path), "check", "--strict", "--eml", str(file)])
    assert result.exit_code == 0, result.output


def test_mails_and_issues_are_not_checked_together(letter: Publication) -> None:
    file = letter.root / "m.eml"
    file.write_bytes(GOOD.content)
    assert "mails alone" in letter.run("check", "learned", "--eml", str(file), code=2).stderr


def test_send_refuses_errors_and_nothing_leaves(letter: Publication) -> None:
    letter.people(2)
    result = letter.run("send", "learned", "--yes", code=3)
    assert "[link-local]" in result.stderr
    assert "newsletter check learned" in result.stderr
    assert letter.inbox == []
    assert letter.ask("status")["sends"] == []


def test_send_shows_warnings_and_sends(letter: Publication) -> None:
    letter.people(1)
    configured(letter, 'severity = {link-local = "warning"}')
    result = letter.run("send", "learned", "--yes")
    assert "[link-text]" in result.stderr
    assert len(letter.inbox) == 1


def test_a_proof_shows_the_errors_and_leaves(letter: Publication) -> None:
    result = letter.run("test", "learned", "--to", "me@example.org")
    assert "[link-local]" in result.stderr
    assert len(letter.inbox) == 1


def test_late_readers_get_the_frozen_issue_whatever_is_found_now(letter: Publication) -> None:
    letter.people(1)
    letter.run("send", "letter-3", "--yes")
    letter.article(3, title="Letter [3]")
    file = letter.root / "issues/2026-03-01-letter-3.md"
    file.write_text(f"{file.read_text()}\n[to the machine](http://192.0.2.7/b)\n")
    letter.run("subscribers", "add", "late@example.com")
    letter.run("send", "letter-3", "--yes", "--only-new")
    assert len(letter.inbox) == 2
