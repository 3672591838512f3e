"""An archive to measure with: articles that every Markdown mail tool can read.

Cut from the sample letters' paragraphs, lists, quotations and tables, in another order in each
article, with a block of code; CommonMark with tables, no slots, footnotes, callouts or pictures.
The same number of articles gives the same bytes.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random

from newsletter.sample import sample_toml

SAMPLES = Path(__file__).parents[2] / "issues"
OURS_ALONE = re.compile(r"\{|!\[|!!!|\[\^|\[[ x]\]|^ {4}", re.MULTILINE)
BLOCKS = 16
CODE = '''```python
def long_dark(latitude: float, day: int) -> timedelta:
    """The hours between sunset and sunrise."""
    tilt = radians(23.44) * cos(2 * pi * (day + 10) / 365)
    angle = tan(radians(latitude)) * tan(tilt)
    if not -1 < angle < 1:
        return timedelta(hours=24 if angle > 0 else 0)
    return timedelta(hours=24 * acos(-angle) / pi)  # roughly
```'''


def write_archive(root: Path, count: int) -> list[Path]:
    """A publication of `count` articles in `root`, oldest first, as for `newsletter build`."""
    config = sample_toml("Still Point", "https://letters.example.org", "letters@example.org")
    (root / "newsletter.toml").write_text(config, "utf-8")
    (root / "issues").mkdir()
    return [write_article(root / "issues", number) for number in range(1, count + 1)]


def write_article(folder: Path, number: int, blocks: int = BLOCKS) -> Path:
    """One of them, of so many blocks."""
    day = date(2014, 1, 2) + timedelta(weeks=number - 1)
    chosen = Random(number).sample(_blocks(), blocks)
    for place in (3, 7, 11, 15):
        chosen[place] = f"## On the {place}th of the month, letter {number}\n\n{chosen[place]}"
    chosen.insert(9, CODE)
    head = f'---\ntitle: "Letter {number}: the long dark"\ndate: {day}\nnumber: {number}\n---'
    path = folder / f"{day}-letter-{number}.md"
    path.write_text("\n\n".join((head, *chosen)) + "\n", "utf-8")
    return path


@cache
def _blocks() -> tuple[str, ...]:
    bodies = (
        sample.read_text("utf-8").split("\n---\n", 1)[1] for sample in sorted(SAMPLES.glob("*.md"))
    )
    return tuple(
        block
        for body in bodies
        for block in body.strip().split("\n\n")
        if len(block) > 80 and not block.startswith("#") and not OURS_ALONE.search(block)
    )


def touch(article: Path, turn: int) -> None:
    """Save the article with another last line."""
    text = article.read_text("utf-8").split("\n\nSaved ")[0].rstrip("\n")
    article.write_text(f"{text}\n\nSaved {turn} times.\n", "utf-8")
