"""The README is true: short, its picture is there, and every command of it works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.compose.strings import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PEOPLE = "email,name\nbo@example.com,Bo Berg\n"

# What a person would do by hand at these commands: not wait, look and go on, type the number.
BY_HAND = {
    "python3 send.py demo": ["--once", "--no-open"],
    "python3 tests": ["--collect-only", "-q", "tests/test_config.py"],
    "python3 -m pip install .": ["--dry-run", "--no-deps", "--no-build-isolation", "--quiet"],
    "newsletter preview": ["--no-open"],
    "newsletter send latest": ["--yes", "--expect", "1"],
}


def commands() -> Iterator[str]:
    """Every line of every sh block, in order."""
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL):
        yield from block.strip().splitlines()


def argv(command: str) -> list[str]:
    words = shlex.split(command)
    if words[0] == "python3":
        words[:1] = [sys.executable]
    elif words[0] == "newsletter":
        words[:1] = [sys.executable, "-m", "newsletter"]
    return words + BY_HAND.get(command, [])


def test_the_readme_has_at_most_150_lines_and_its_picture() -> None:
    assert len(README.splitlines()) <= 150
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")


def test_the_readme_shows_the_two_commands_and_the_licence() -> None:
    assert {"python3 send.py demo", "python3 tests"} <= set(commands())
    assert "MIT" in README
    assert "MIT" in (ROOT / "LICENSE").read_text()


def test_the_readme_counts_the_languages_of_today() -> None:
    assert len({tag.partition("-")[0] for tag in LANGUAGES}) == 9
    assert "nine languages" in " ".join(README.split())


def test_every_command_of_the_readme_works_in_a_fresh_clone(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    here = clone
    for command in commands():
        if command.startswith("cd "):
            here /= command.removeprefix("cd ")
            (here / "people.csv").write_text(PEOPLE)
            continue
        if command == "newsletter preview":
            preview(here)
            continue
        done = subprocess.run(
            argv(command), cwd=here, env=environ(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def environ() -> dict[str, str]:
    return {**os.environ, "NEWSLETTER_NO_BOOTSTRAP": "1"}


def preview(folder: Path) -> None:
    """Start the desk, wait until it says where it is, and stop it."""
    process = subprocess.Popen(
        argv("newsletter preview"), cwd=folder, env=environ(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("preview   http://127.0.0.1:")
    process.terminate()
    process.communicate(timeout=10)


@pytest.mark.parametrize("promise", range(1, 8))
def test_every_promise_is_numbered(promise: int) -> None:
    assert re.search(rf"^{promise}\. ", README, re.MULTILINE)
