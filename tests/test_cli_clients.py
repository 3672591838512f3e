"""clients: the list, the facts anew, and docs/compatibility.md, which tells of both."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from newsletter.lint.caniemail import clients, facts
from newsletter.lint.caniemail.clients import ESTIMATE
from newsletter.lint.caniemail.facts import TABLE
from newsletter.lint.rules import BY_CODE
from tests.publication import publication

ROOT = Path(__file__).resolve().parent.parent
DOCS = (ROOT / "docs/compatibility.md").read_text("utf-8")
Run: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


def published(date: str = "2030-01-01", **cells: str) -> dict[str, Any]:
    """caniemail.json as it would have to be to give the table that is here, later, with changes:
    `css_gap="y"` for what Apple Mail on macOS makes of it."""
    names = facts().clients
    families = {name.family: name.said.partition(" (")[0] for name in names.values()}
    platforms = {
        name.id.partition(".")[2]: name.said.partition(" (")[2].rstrip(")")
        for name in names.values()
    }
    features = []
    for slug in facts().rows:
        feature = facts().feature(slug)
        stats: dict[str, dict[str, dict[str, str]]] = {}
        for name, cell in feature.cells.items():
            family, _, platform = name.partition(".")
            versions = stats.setdefault(family, {}).setdefault(platform, {})
            if cell.support != "-":
                versions["1"] = " ".join((cell.support, *(f"#{note}" for note in cell.notes)))
        if changed := cells.get(slug.replace("-", "_")):
            stats["apple-mail"]["macos"] = {"1": changed}
        guests = dict.fromkeys(map(str, feature.guests), "not with non Google accounts")
        only = dict.fromkeys(map(str, feature.guests_only), "with non Google accounts only")
        row = {"slug": slug, "last_test_date": feature.tested, "stats": stats}
        features.append({**row, "notes_by_num": guests | only})
    nicenames = {"family": families, "platform": platforms}
    return {"last_update_date": date, "nicenames": nicenames, "data": features}


def packed(folder: Path, content: dict[str, Any], version: str = "9.9.9") -> Path:
    """The package as npm packs it."""
    file = folder / f"caniemail-{version}.tgz"
    with tarfile.open(file, "w:gz") as archive:
        for name, body in (
            ("package.json", {"version": version}),
            ("data/caniemail.json", content),
        ):
            (folder / "member").write_text(json.dumps(body))
            archive.add(folder / "member", f"package/{name}")
    return file


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command of an installation of its own, whose table may be replaced."""
    shutil.copytree(
        ROOT / "newsletter",
        tmp_path / "site/newsletter",
        ignore=shutil.ignore_patterns("__pycache__"),
    )

    def command(*arguments: str | Path, path: str = "") -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "newsletter", "clients", *map(str, arguments)]
        env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PYTHONUTF8": "1"}
        env["PATH"] = path or env["PATH"]
        return subprocess.run(
            words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )

    return command


def table(folder: Path) -> str:
    return (folder / "site/newsletter/lint/caniemail/table.txt").read_text("utf-8")


# --- the list ---


def test_the_list_gives_each_client_its_share(tmp_path: Path) -> None:
    made = publication(tmp_path)
    answer = made.ask("clients")
    assert answer["date"] == facts().date
    assert [row["id"] for row in answer["clients"]] == [each.id for each in clients()]
    made.write("newsletter.toml", made.root.joinpath("newsletter.toml").read_text() + CHECK)
    shares = {row["id"]: row["percent"] for row in made.ask("clients")["clients"]}
    assert (shares["gmx.desktop-webmail"], shares["outlook.windows"]) == (pytest.approx(3.33), 40)
    assert "drops <style>" in made.run("clients").stdout


CHECK = '\n[check]\nclients = { gmx = 10, "outlook.windows" = 40 }\n'


def test_the_list_needs_no_publication(tmp_path: Path, run: Run) -> None:
    done = run("--json")
    assert json.loads(done.stdout)["clients"][0]["id"] == clients()[0].id


def test_a_client_that_is_misspelt_in_the_configuration_is_named_with_its_line(
    tmp_path: Path,
) -> None:
    made = publication(tmp_path)
    text = made.root.joinpath("newsletter.toml").read_text()
    made.write("newsletter.toml", f"{text}\n[check]\nclients = {{ gmial = 10 }}\n")
    result = made.run("check", code=2)
    line = text.count("\n") + 3
    assert f"newsletter.toml:{line}: no mail client is called `gmial`" in result.stderr
    assert "Did you mean `gmail`?" in result.stderr


# --- the facts anew ---


def test_the_facts_that_are_here_change_nothing(tmp_path: Path, run: Run) -> None:
    done = run("--update", packed(tmp_path, published(facts().date)))
    assert done.stdout.splitlines()[1:] == ["nothing has changed"]
    assert table(tmp_path).partition("\n\n")[2] == TABLE.read_text("utf-8").partition("\n\n")[2]


def test_an_update_says_what_has_changed(tmp_path: Path, run: Run) -> None:
    content = published(css_gap="n")
    content["data"] = [row for row in content["data"] if row["slug"] != "css-float"]
    content["data"].append({**content["data"][0], "slug": "css-new-thing"})
    done = run("--update", packed(tmp_path, content), "--json")
    answer = json.loads(done.stdout)
    assert answer["changed"] == ["css-gap"]
    assert (answer["added"], answer["gone"]) == (["css-new-thing"], ["css-float"])
    assert answer["unread"] == ["css-new-thing"]
    assert "\ncss-gap 2022-12-28 ny " in table(tmp_path)
    assert json.loads(run("--json").stdout)["date"] == "2030-01-01"


def test_a_bare_json_file_will_do(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "caniemail.json"
    file.write_text(json.dumps(published(css_gap="n")))
    assert "1 changed: css-gap" in run("--update", file).stdout


@pytest.mark.parametrize("fault", ["older", "broken", "absent", "without style", "without Gmail"])
def test_what_cannot_be_used_leaves_the_table_as_it_was(
    tmp_path: Path, run: Run, fault: str
) -> None:
    content = published("2001-01-01" if fault == "older" else "2030-01-01")
    if fault == "without style":
        content["data"] = [row for row in content["data"] if row["slug"] != "html-style"]
    for row in content["data"]:
        if fault == "without Gmail":
            del row["stats"]["gmail"]
    file = packed(tmp_path, content)
    if fault == "broken":
        file.write_bytes(b"\x1f\x8b not a package")
    if fault == "absent":
        file.unlink()
    before = table(tmp_path)
    done = run("--update", file)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert table(tmp_path) == before
    assert not list((tmp_path / "site").rglob("*.new"))


def test_without_a_file_npm_is_asked_and_that_is_said(tmp_path: Path, run: Run) -> None:
    """The npm here is a shell script: it takes the same arguments and brings the file."""
    packed(tmp_path, published(css_gap="n"))
    programs = tmp_path / "programs"
    programs.mkdir()
    npm = programs / "npm"
    npm.write_text(
        '#!/bin/sh\n[ "$1 $2 $3 $4" = "pack caniemail@latest --ignore-scripts --pack-destination" ]'
        f' && /bin/cp {tmp_path}/caniemail-9.9.9.tgz "$5"\n'
    )
    npm.chmod(0o755)
    done = run("--update", path=str(programs))
    assert done.stderr == "fetching from npm's registry: npm pack caniemail@latest\n"
    assert "npm package caniemail 9.9.9" in done.stdout
    npm.write_text("#!/bin/sh\necho npm error code ENOTFOUND >&2; exit 1\n")
    failed = run("--update", path=str(programs))
    assert "npm pack caniemail@latest failed: npm error code ENOTFOUND" in failed.stderr
    npm.unlink()
    assert "npm is not installed" in run("--update", path=str(programs)).stderr


# --- the page ---


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)


def test_the_commands_of_the_page_work(tmp_path: Path, run: Run) -> None:
    made = publication(tmp_path / "letter")
    packed(tmp_path, published(), "2.0.2")
    first, second = blocks("sh")
    assert first.splitlines() == ["newsletter clients", "newsletter check --list"]
    for command in first.splitlines():
        made.run(*command.split()[1:])
    by_npm, by_file = second.splitlines()
    assert by_npm == "newsletter clients --update"
    assert run(*by_file.split()[2:]).returncode == 0


def test_the_configuration_of_the_page_is_one(tmp_path: Path) -> None:
    (shown,) = blocks("toml")
    made = publication(tmp_path)
    made.write("newsletter.toml", made.root.joinpath("newsletter.toml").read_text() + "\n" + shown)
    shares = {row["id"]: row["percent"] for row in made.ask("clients")["clients"]}
    assert sum(shares.values()) == pytest.approx(95, abs=0.1)
    assert tomllib.loads(shown)["check"]["many_readers"] == 5


def test_the_numbers_of_the_page_are_those_of_the_program() -> None:
    words = DOCS.replace("\n", " ")
    for family, said in (("gmail", "Gmail"), ("apple-mail", "Apple Mail"), ("yahoo", "Yahoo")):
        assert f"{said} {ESTIMATE[family]:g}" in words
    assert f"each of {len(clients())} clients" in words
    assert "compat.css-display-flex" in BY_CODE
    assert facts().tested("css-display-flex") in words
    old = sum(facts().tested(slug) < "2022" for slug in facts().rows)
    assert 0.55 < old / len(facts().rows) < 0.75
