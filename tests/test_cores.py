"""Many issues at once: the same files and words as one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli.cores import TOGETHER
from tests.publication import Publication, publication

MANY = 2 * TOGETHER + 5
SEVERAL = hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1
needs_cores = pytest.mark.skipif(not SEVERAL, reason="one core, or a system that does not fork")

ARTICLE = (
    "---\ntitle: Letter {0}\ndate: 2026-01-01\nnumber: {0}\n---\nRead {{{{ pet }}}} [{0}]({0})\n"
)
OUT_OF_ORDER = f"""
import os, time
from newsletter.cli.cores import on_every_core

def work(number):
    time.sleep(0.02 if number % 2 else 0)
    return number, os.getpid()

seen = list(on_every_core(work, range({MANY})))
assert [number for number, _ in seen] == list(range({MANY}))
print(len({{process for _, process in seen}}))
"""
FAILING = f"""
from newsletter.cli.cores import on_every_core
from newsletter.errors import ArticleError

def work(number):
    if number == 20:
        raise ArticleError("is empty", path="x.md", line=3, hint="write it")
    return number

try:
    for number in on_every_core(work, range({MANY})):
        last = number
except ArticleError as error:
    print(type(error).__name__, str(error), last)
"""


@pytest.fixture
def letters(tmp_path: Path) -> Publication:
    made = publication(tmp_path, months=0)
    for number in range(MANY):
        made.write(f"issues/letter-{number:03}.md", ARTICLE.format(number))
    made.write(
        "issues/letter-020.md",
        "---\ntitle: Broken\ndate: 2026-01-01\nnumber: 20\n---\n<{{ first_name }}>\n",
    )
    return made


def command(letters: Publication, *arguments: str) -> tuple[int, str, str]:
    """A process of its own: one that has threads, as the test's has, does not fork."""
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", "-C", str(letters.root), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_archive_built_on_every_core_is_as_built_on_one(
    letters: Publication, tmp_path: Path
) -> None:
    both, one = tmp_path / "both", tmp_path / "one"
    code, out, err = command(letters, "build", "--out", str(both))
    assert (code, "built 36 of 37 issues" in out) == (3, True)
    names = [f"letter-{number:03}" for number in range(MANY)]
    singly = [
        letters.run("build", *half, "--out", str(one), code=None).stderr
        for half in (names[:20], names[20:])
    ]
    assert files(both) == files(one)
    assert warnings(err) == [line for text in singly for line in warnings(text)]


def warnings(text: str) -> list[str]:
    return [line for line in text.splitlines() if "warning" in line]


@needs_cores
def test_a_check_on_every_core_says_what_one_says(letters: Publication) -> None:
    cores = os.sched_getaffinity(0)
    both = command(letters, "check")
    try:
        os.sched_setaffinity(0, {min(cores)})
        one = command(letters, "check")
    finally:
        os.sched_setaffinity(0, cores)
    assert both == one
    assert "issues/letter-020.md" in both[1]


@needs_cores
def test_results_keep_the_order_of_what_was_given() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_ORDER], check=True, capture_output=True, text=True, timeout=60
    )
    assert int(done.stdout) > 2


@needs_cores
def test_an_error_arrives_whole_and_ends_the_work() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILING], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("ArticleError x.md:3: is empty\n  write it")
