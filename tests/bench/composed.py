"""The letter that is raced with: an article of the archive, composed as any issue is.

`composed()` is its Email. `python -m tests.bench.composed` writes it as JSON, in a process of its
own: what composes it would stand in the memory of a process that is measured, so nothing of it is
imported there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from newsletter.model import Email, Slot

BLOCKS = 26  # make a mail of 45 KB
GREETING = "{{ first_name | friend }}"
NUMBER = 2


@cache
def composed() -> Email:
    """45 KB of mail: a greeting by name in subject, text and HTML, and at its foot the reader's
    address and link to unsubscribe."""
    command = [sys.executable, "-m", "tests.bench.composed"]
    parts = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    slots = tuple(Slot(**slot) for slot in parts.pop("slots"))
    return Email(**{**parts, "slots": slots, "pictures": ()})


def filled(text: str, number: int) -> str:
    """The subject, text or html for that reader, as the others are to fill it."""
    words = own_words(number)
    for slot in composed().slots:
        text = text.replace(slot.token, words[slot.name])
    return text


def own_words(number: int) -> dict[str, str]:
    """What is different in each reader's mail."""
    return {
        "first_name": f"Pat{number}",
        "address": f"p{number}@example.com",
        "unsubscribe_url": f"https://letters.example.org/u/{number}",
    }


def compose(root: Path) -> Email:
    from newsletter.config import load_config
    from newsletter.shelf import Shelf
    from tests.bench.archive import write_archive, write_article

    write_archive(root, 3)
    article = write_article(root / "issues", NUMBER, BLOCKS)
    head, body = article.read_text("utf-8").split("\n---\n", 1)
    head += f'\nsubject: "The long dark, {GREETING}"\n---\n'
    article.write_text(f"{head}\nDear {GREETING},\n{body}", "utf-8")
    shelf = Shelf.of(load_config(root).letter(), datetime(2030, 1, 1, tzinfo=UTC))
    return shelf.compose(shelf.archive.articles[NUMBER - 1]).email


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asdict(compose(Path(folder)))))
