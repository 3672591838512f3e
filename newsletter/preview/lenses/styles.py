"""The mail without its style blocks: Gmail's mobile web, GMX, WEB.DE and others drop them
(composition 0.13), Gmail for everybody once a mail is clipped."""

from __future__ import annotations

from newsletter.lint.page import tree_of
from newsletter.preview.lenses.document import drop, named, written


def without_style(document: str) -> str:
    """The document with every style block and style sheet dropped; style attributes stay."""
    root = tree_of(document)
    for element in named(root, "style", "link"):
        if element.tag == "style" or "stylesheet" in element.get("rel", "").lower():
            drop(element)
    return written(root)
