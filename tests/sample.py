"""Small nouns that several tests share."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.model import Letter, Mailbox
from newsletter.slots import BUILT_IN


def letter(root: Path) -> Letter:
    """A letter whose folders are below `root`."""
    return Letter(
        root=root,
        name="Field Notes",
        base_url="https://letters.example.org",
        language="en",
        timezone=ZoneInfo("UTC"),
        issues=root / "issues",
        templates=root / "templates",
        sender=Mailbox("Field Notes", "notes@letters.example.org"),
        reply_to=None,
        postal_address="1 Example Road, Exampleton",
        list_id="letter.letters.example.org",
        permalink="/{slug}/",
        fields=(*BUILT_IN, "city"),
    )
