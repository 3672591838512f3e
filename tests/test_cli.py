"""The command line: conventions, exit codes, one error boundary."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from newsletter.cli import COMMANDS, cli
from tests.publication import Publication, publication


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    return publication(tmp_path)


def test_every_command_has_help() -> None:
    for name in COMMANDS:
        result = CliRunner().invoke(cli, [name, "--help"])
        assert result.exit_code == 0, result.output
        assert len(result.output.splitlines()) > 4


def test_help_names_every_command_in_its_section() -> None:
    output = CliRunner().invoke(cli, ["--help"]).output
    assert all(f"\n  {name} " in output for name in COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from newsletter.cli import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        "heavy = {'premailer','starlette','uvicorn','pygments','markdown','lxml','pydantic',"
        "'aiosmtpd','rich','yaml','jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_a_list_of_the_issues_imports_nothing_that_composes(letter: Publication) -> None:
    program = (
        "import sys; from newsletter.cli import cli\n"
        "cli(['-C', sys.argv[1], 'list'], standalone_mode=False)\n"
        "heavy = {'premailer','pygments','markdown','lxml','jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(letter.root)], check=True, stdout=subprocess.DEVNULL
    )


def test_a_misspelt_command_is_guessed(letter: Publication) -> None:
    result = letter.run("sned", code=2)
    assert "Did you mean 'send'?" in result.stderr


def test_a_misspelt_option_is_guessed(letter: Publication) -> None:
    assert "--dry-run" in letter.run("send", "latest", "--dru", code=2).stderr


def test_an_error_names_the_file_and_goes_to_stderr(letter: Publication) -> None:
    bad = letter.write("issues/2026-05-01-bad.md", "---\ntitle: Rust: what we learned\n---\nx\n")
    result = letter.run("build", bad.name, "--out", str(letter.root / "out"), code=3)
    assert "issues/2026-05-01-bad.md:2" in result.stderr
    assert result.stdout == ""


def test_an_error_is_json_when_json_is_asked_for(letter: Publication) -> None:
    answer = letter.ask("build", "nothing-like-it", code=2)
    assert answer["error"]["code"] == "issue.none"
    assert (answer["v"], answer["exit"]) == (1, 2)


@pytest.mark.parametrize(
    "typed",
    [
        ("send",),
        ("send", "latest", "--nope"),
        ("sned",),
        ("status", "latest", "--who", "nobody"),
        ("subscribers", "add"),
        ("-C", "/nonexistent", "list"),
        ("--nope", "list"),
    ],
)
def test_a_usage_error_is_json_when_json_is_asked_for(
    letter: Publication, typed: tuple[str, ...]
) -> None:
    answer = letter.ask(*typed, code=2)
    assert (answer["error"]["code"], answer["exit"]) == ("usage", 2)


def test_a_file_that_cannot_be_written_is_an_error_and_no_traceback(letter: Publication) -> None:
    for typed in (
        ("build", "--out", "/dev/null/x"),
        ("subscribers", "export", "--out", "/dev/null/x"),
        ("init", "/dev/null/x"),
    ):
        assert "/dev/null" in letter.ask(*typed, code=None)["error"]["file"]


def test_no_color_holds_for_errors_too(letter: Publication) -> None:
    typed = ["-C", str(letter.root), "build", "nothing-like-it"]
    environ = {"NO_COLOR": ""}
    red = CliRunner().invoke(cli, typed, color=True, env=environ)
    assert "\x1b[31m" in red.stderr
    for plain in (
        CliRunner().invoke(cli, ["--no-color", *typed], color=True, env=environ),
        CliRunner().invoke(cli, typed, color=True, env={"NO_COLOR": "1"}),
    ):
        assert "\x1b" not in plain.stderr


def test_outside_of_a_publication_it_says_how_to_start_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["-C", str(tmp_path), "list"])
    assert result.exit_code == 2
    assert "newsletter init" in result.stderr


def test_an_issue_is_named_by_slug_number_prefix_path_or_latest(letter: Publication) -> None:
    for name in ("letter-3", "3", "#3", "letter-3", "issues/2026-03-01-letter-3.md", "latest"):
        built = letter.ask("build", name, "--out", str(letter.root / "out"))["built"]
        assert [issue["slug"] for issue in built] == ["letter-3"], name


def test_an_ambiguous_name_lists_the_candidates(letter: Publication) -> None:
    result = letter.run("build", "letter", "--out", str(letter.root / "out"), code=2)
    assert "letter-1" in result.stderr
    assert "letter-3" in result.stderr


def test_list_shows_the_newest_first_with_its_state(letter: Publication) -> None:
    letter.write("issues/2026-04-01-draft.md", "---\ntitle: D\ndraft: true\n---\nx\n")
    letter.write("issues/2030-04-01-later.md", "---\ntitle: L\n---\nx\n")
    rows = letter.ask("list")["issues"]
    assert [(row["slug"], row["state"]) for row in rows] == [
        ("later", "future"),
        ("draft", "draft"),
        ("letter-3", "ready"),
        ("letter-2", "ready"),
        ("letter-1", "ready"),
    ]
    assert not (letter.root / ".newsletter").exists(), "a question writes nothing"


def test_new_makes_the_next_draft_which_reads_back(letter: Publication) -> None:
    answer = letter.ask("new", 'Tea & "rest"', "--date", "2026-11-01")
    assert (answer["slug"], answer["number"]) == ("tea-rest", 4)
    [draft] = letter.ask("list", "--drafts")["issues"]
    assert draft["title"] == 'Tea & "rest"'
    letter.run("new", "Tea, rest", code=2)


def test_build_writes_the_same_bytes_twice(letter: Publication) -> None:
    first, second = letter.root / "a", letter.root / "b"
    letter.run("build", "--out", str(first))
    letter.run("build", "--out", str(second))
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(
        f"letter-{month}.{kind}" for month in (1, 2, 3) for kind in ("eml", "html", "txt")
    )
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_one_bad_article_fails_alone(letter: Publication) -> None:
    letter.write("issues/2026-05-01-bad.md", "---\ntitle: a: b\n---\nx\n")
    result = letter.run("build", "--out", str(letter.root / "out"), code=3)
    assert "built 3 of 4 issues" in result.stdout
    assert "issues/2026-05-01-bad.md:2" in result.stderr


def test_build_says_once_what_is_wrong_with_a_template(letter: Publication) -> None:
    letter.write("templates/partials/masthead.html", "<tr><td>{{ leter.name }}</td></tr>")
    result = letter.run("build", "--out", str(letter.root / "out"), code=3)
    assert "built 0 of 3 issues" in result.stdout
    assert result.stderr.count("leter") == 1
    assert "Did you mean `letter`?" in result.stderr
    assert "this one file keeps 3 issues from being made" in result.stderr
    assert len(letter.ask("build", "--out", str(letter.root / "out"), code=3)["errors"]) == 1


def test_build_exits_3_for_a_theme_that_cannot_be_read(letter: Publication) -> None:
    file = letter.root / "newsletter.toml"
    file.write_text(file.read_text() + '\n[theme]\nlink = "#a0c4ff"\n')
    result = letter.run("build", "--out", str(letter.root / "out"), code=3)
    assert "error: link #a0c4ff on panel" in result.stderr
    file.write_text(file.read_text() + '\n[check]\nignore = ["theme-contrast"]\n')
    assert letter.run("build", "--out", str(letter.root / "out")).stderr == ""


def test_build_warns_of_braces_and_send_refuses_them(letter: Publication) -> None:
    letter.write("issues/2026-06-01-x.md", "---\ntitle: X\n---\nHello {{ frist_name }},\n\ntext.\n")
    result = letter.run("build", "x", "--out", str(letter.root / "out"))
    assert "issues/2026-06-01-x.md:4: warning" in result.stderr
    letter.people(1)
    refused = letter.run("send", "x", "--yes", code=3)
    assert "issues/2026-06-01-x.md:4" in refused.stderr
    assert letter.inbox == []


def test_braces_in_code_are_sent_as_typed(letter: Publication) -> None:
    letter.write("issues/2026-06-01-x.md", "---\ntitle: X\n---\nWrite `{{ frist_name }}` so.\n")
    letter.people(1)
    letter.run("send", "x", "--yes")
    assert b"{{ frist_name }}" in letter.inbox[0].read_bytes()


def test_config_show_prints_no_secret_and_schema_is_json(letter: Publication) -> None:
    assert "base_url" in letter.run("config", "show").stdout
    assert "properties" in json.loads(letter.run("config", "schema").stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert "_NEWSLETTER_COMPLETE" in result.output


def test_init_makes_a_publication_that_works(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "my-letter")])
    assert result.exit_code == 0, result.output
    made = Publication(tmp_path / "my-letter")
    assert made.ask("list")["issues"][0]["slug"] == "hello"
    made.run("doctor")
    made.people(1)
    made.run("send", "latest", "--yes")
    assert len(made.inbox) == 1
    assert ".newsletter/" in (made.root / ".gitignore").read_text()
    again = CliRunner().invoke(cli, ["init", str(made.root)])
    assert again.exit_code == 2


@pytest.mark.parametrize(
    "question",
    [
        ("status",),
        ("status", "latest"),
        ("doctor",),
        ("list",),
        ("subscribers", "list"),
        ("subscribers", "show", "ada@example.com"),
        ("subscribers", "stats"),
        ("subscribers", "export"),
        ("send", "latest", "--dry-run"),
        ("resume", "latest"),
    ],
)
def test_a_question_makes_no_database(letter: Publication, question: tuple[str, ...]) -> None:
    letter.run(*question, code=None)
    assert not (letter.root / ".newsletter").exists()


def test_a_rehearsed_import_makes_no_database(letter: Publication) -> None:
    file = letter.write("people.csv", "email\nada@example.com\n")
    assert letter.ask("subscribers", "import", str(file), "--dry-run")["added"] == 1
    assert not (letter.root / ".newsletter").exists()


def test_an_import_with_bad_rows_finds_a_place_for_its_report(letter: Publication) -> None:
    config = letter.root / "newsletter.toml"
    config.write_text(config.read_text().replace("sqlite:.newsletter/", "sqlite:elsewhere/"))
    file = letter.write("people.csv", "email\nnobody\n")
    report = Path(letter.ask("subscribers", "import", str(file))["report"])
    assert report.stat().st_mode & 0o777 == 0o600
    assert report.parent.stat().st_mode & 0o777 == 0o700


def test_init_refuses_what_it_cannot_use_before_it_makes_anything(tmp_path: Path) -> None:
    made = ["-C", str(tmp_path), "init", "made"]
    refused = CliRunner().invoke(cli, [*made, "--from", "nobody"])
    assert (refused.exit_code, list(tmp_path.iterdir())) == (2, [])
    done = CliRunner().invoke(cli, [*made, "--name", 'Two\nlines \x7f "quoted"'])
    assert done.exit_code == 0, done.output
    Publication(tmp_path / "made").run("list")


@pytest.mark.parametrize("slug", ["../../evil", "a/b", "A B", "", ".", "é"])
def test_new_makes_no_file_for_a_slug_that_is_none(letter: Publication, slug: str) -> None:
    before = sorted(letter.root.rglob("*"))
    letter.run("new", "Title", "--slug", slug, code=2)
    assert sorted(letter.root.rglob("*")) == before


def test_doctor_says_a_wrong_configuration_once(letter: Publication) -> None:
    config = letter.root / "newsletter.toml"
    config.write_text(config.read_text() + "\nnonsense = 1\n")
    findings = letter.ask("doctor", code=3)["findings"]
    assert len(findings) == 1


def test_doctor_reads_a_checkout_whose_file_names_are_no_text(letter: Publication) -> None:
    subprocess.run(["git", "init", "-q"], cwd=letter.root, check=True)
    (letter.root / os.fsdecode(b"caf\xe9.md")).touch()
    subprocess.run(["git", "add", "."], cwd=letter.root, check=True)
    letter.run("doctor")


def test_doctor_finds_a_bad_article_and_a_missing_password(letter: Publication) -> None:
    letter.run("doctor")
    letter.write("issues/2026-05-01-bad.md", "---\ntitle: a: b\n---\nx\n")
    letter.write(
        "newsletter.toml",
        (letter.root / "newsletter.toml")
        .read_text()
        .replace(
            'preset = "inbox"',
            'preset = "fastmail"\nper_day = 50\nusername = "u"\npassword_env = "NOT_SET_1"',
        ),
    )
    result = letter.run("doctor", code=3)
    assert "issues/2026-05-01-bad.md:2" in result.stdout
    assert "NOT_SET_1" in result.stdout


def test_attack_30_control_characters_never_reach_the_terminal(letter: Publication) -> None:
    result = letter.run("build", "x\x1b[31mred", code=2)
    assert "\x1b" not in result.stderr
    name = "x\x1b\x9b31m\u202e\udcff\U0001f634"
    said = letter.run("build", name, "--json", code=2).stdout
    assert not {"\x1b", "\x9b", "\u202e"} & set(said)
    assert "\U0001f634" in said


def test_build_collects_the_pictures_and_an_error_in_an_article_is_exit_3(
    letter: Publication,
) -> None:
    picture = Path(__file__).parent.parent / "issues" / "images" / "leaf.jpg"
    (letter.root / "issues" / "leaf.jpg").write_bytes(picture.read_bytes())
    letter.write("issues/2026-06-01-x.md", "---\ntitle: X\n---\n![A leaf](leaf.jpg)\n")
    letter.write("issues/2026-07-01-y.md", "---\ntitle: Y\n---\n![None](nowhere.jpg)\n")
    result = letter.run("build", "--out", str(letter.root / "out"), code=3)
    assert "built 4 of 5 issues" in result.stdout
    assert "issues/2026-07-01-y.md:4" in result.stderr
    (copy,) = (letter.root / "out" / "media").iterdir()
    assert copy.name == f"leaf.{sha256(picture.read_bytes()).hexdigest()[:12]}.jpg"
    assert copy.read_bytes() == picture.read_bytes()
    assert f"media/{copy.name}" in (letter.root / "out" / "x.html").read_text()


def test_a_greeting_is_neither_teaser_nor_preheader(letter: Publication) -> None:
    letter.run("build", "3", "--out", str(letter.root / "out"))
    text = (letter.root / "out" / "letter-3.txt").read_text()
    assert text.count("this is the letter of month 2.") == 1
    assert "Hello friend" not in text
    page = (letter.root / "out" / "letter-3.html").read_text()
    assert "Hello friend" not in page


def test_an_empty_archive_says_where_it_looked(tmp_path: Path) -> None:
    assert "no issues in issues/" in publication(tmp_path, months=0).run("list").stderr


def test_doctor_finds_subscribers_in_git(letter: Publication) -> None:
    letter.people(5)
    letter.write("people.csv", "\n".join(f"p{number}@example.com" for number in range(5)))
    subprocess.run(["git", "init", "-q"], cwd=letter.root, check=True)
    subprocess.run(["git", "add", "people.csv"], cwd=letter.root, check=True)
    result = letter.run("doctor", code=3)
    assert "people.csv is in git and names 5 subscribers" in result.stdout
    assert "no people, keys or secrets in git" not in result.stdout
