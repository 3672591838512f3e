"""The mail with images off: as it arrives with most people who never wrote to the sender."""

from __future__ import annotations

import re
from dataclasses import replace

from lxml import etree

from newsletter.lint import css
from newsletter.lint.css import StyleRule
from newsletter.lint.page import tree_of
from newsletter.preview.lenses.document import (
    declared,
    elements,
    forget,
    named,
    restyle,
    restyle_sheets,
    without_pictures,
    written,
)

# Pixels and hairlines: a client has no room to show a frame or words.
TOO_SMALL = 8
OFF = "picture-off"
_PICTURE = re.compile(r"(?<![\w.#-])img(?![\w-])")
_KEPT = ("font", "color", "line-height", "letter-spacing", "text-align", "text-decoration")
_BOX = (
    "display:inline-block; box-sizing:border-box; overflow:hidden; max-width:100%; padding:4px; "
    "border:1px solid #8a8f94; vertical-align:middle; background-color:transparent; "
)


def images_off(document: str) -> str:
    """The document with each picture as its frame and alternative text, in the size that the
    attributes give it and in the fonts and colours of its own style; no background pictures."""
    root = tree_of(document)
    restyle(root, lambda _, said: without_pictures(said))
    restyle_sheets(root, _of_frames)
    for element in named(root, "img", "input"):
        if element.tag == "img" or element.get("type", "").lower() == "image":
            frame(element)
    for element in named(root, "source"):
        forget(element, "srcset", "src")
    for element in elements(root):
        forget(element, "background", "poster")
    return written(root)


def _of_frames(rule: StyleRule) -> StyleRule:
    """The rule as it colours the words of a picture that is off."""
    return replace(
        rule,
        selector=_PICTURE.sub(f".{OFF}", rule.selector),
        declarations=tuple(without_pictures(rule.declarations)),
    )


def frame(image: etree._Element) -> None:
    """Turn the picture into a box of its size with its words in it."""
    style = css.declarations(image.get("style", ""))
    sizes, words = _sizes(image, style), image.get("alt")
    own = "; ".join(declared(part) for part in style if part.name.startswith(_KEPT))
    block = "display:block; " if css.longhand(style, "display") == "block" else ""
    size = "".join(f"{side}:{length}; " for side, length in sizes.items())
    width = css.pixels(sizes.get("width", ""))
    # Without words and a height of its own nothing is left of a picture.
    is_bare = (width is not None and width < TOO_SMALL) or (words == "" and "height" not in sizes)
    names = f"{OFF} {image.get('class', '')}".strip()
    image.attrib.clear()
    image.tag = "span"
    image.set("class", names)
    if is_bare:
        image.set("style", f"{size}display:inline-block")
    elif words is None:
        image.text = "no alternative text"
        image.set("style", f"{_BOX}{block}{size}font-style:italic; border-style:dashed; {own}")
    else:
        image.text = words
        image.set("style", f"{_BOX}{block}{size}{own}")


def _sizes(image: etree._Element, style: tuple[css.Declaration, ...]) -> dict[str, str]:
    """Width and height as clients keep them: the attribute's, else the style's in px."""
    sizes = {}
    for side in ("width", "height"):
        typed, said = image.get(side, ""), css.longhand(style, side)
        if typed.isdigit():
            sizes[side] = f"{typed}px"
        elif typed.endswith("%") or (said and said != "auto"):
            sizes[side] = typed or said
    return sizes
