"""Rules on reading: headings, contrast, type, and what a screen reader makes of it (WCAG 2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from newsletter.lint import colour
from newsletter.lint.galley import Galley
from newsletter.lint.page import Run, squeeze, start_tag, style_of, words_in
from newsletter.lint.rule import Finding, Findings, error, warning
from newsletter.model import Severity

SMALLEST, SMALL = 11, 14
TIGHTEST = 1.4
LARGE = 24
CAPITALS = re.compile(r"\b[A-Z\u00c0-\u00de][A-Z\u00c0-\u00de ,.'’&-]{20,}")
EMOJI = re.compile("^\\s*[\u2190-\u2bff\U0001f300-\U0001faff\u2713\u2714\u25cf\u25aa]\ufe0f?\\s")
BLOCKS = ("p", "li", "td", "th", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "div")


def _read(galley: Galley) -> Iterator[Run]:
    """The runs with words in them."""
    return (run for run in galley.page.seen if run.words)


def _about(words: str) -> tuple[str, ...]:
    return (words,)


@error("article-empty", "composition 7", "write it, or mark it  draft: true")
def the_article_says_something(galley: Galley) -> Findings:
    """Nothing stands below the front matter, so that the letter is its masthead and its footer."""
    if galley.written and not galley.written.issue.article.body.strip():
        yield Finding("the article is empty", about=("title:",))


@error("h1", "composition 71; WCAG 1.3.1", "write the title as the one <h1>; begin articles at ##")
def one_title(galley: Galley) -> Findings:
    """Not exactly one `<h1>`."""
    found = [words_in(heading) for heading in galley.page.named("h1")]
    if galley.html is not None and len(found) != 1:
        more = (f"# {squeeze(found[-1])}", squeeze(found[-1])) if found else ("<h1",)
        yield Finding(f"{len(found)} <h1>", about=more)


@warning(
    "heading-skip", "composition 71; WCAG 1.3.1", "go down one level at a time", "screen readers"
)
def heading_levels_are_not_skipped(galley: Galley) -> Findings:
    """A heading that is two levels below the one before it."""
    level = 0
    for heading in galley.page.named("h1", "h2", "h3", "h4", "h5", "h6"):
        here = int(str(heading.tag)[1])
        words = squeeze(words_in(heading))
        if level and here > level + 1:
            yield Finding(
                f'"{words}" is <h{here}> after <h{level}>', about=(f"{'#' * here} {words}", words)
            )
        level = here


@warning("heading-empty", "WCAG 1.3.1", "give it words, or drop it", "screen readers")
def headings_have_words(galley: Galley) -> Findings:
    """A heading without words."""
    for heading in galley.page.named("h1", "h2", "h3", "h4", "h5", "h6"):
        alts = "".join(image.get("alt", "") for image in heading.iterdescendants("img"))
        if not squeeze(words_in(heading)) and not alts:
            yield Finding(f"an empty <{heading.tag}>", about=(f"<{heading.tag}", "##"))


@warning(
    "heading-faked",
    "composition 71; WCAG 1.3.1",
    "write it as a heading: ## ...",
    "screen readers",
)
def headings_are_headings(galley: Galley) -> Findings:
    """A paragraph of nothing but bold words with a paragraph after it, used as a heading."""
    for paragraph in galley.page.named("p"):
        words = squeeze(words_in(paragraph))
        child = next(iter(paragraph), None)
        after = paragraph.getnext()
        bold = child is not None and child.tag in ("b", "strong") and len(paragraph) == 1
        if not bold or child is None or squeeze(words_in(child)) != words or len(words) > 60:
            continue
        classed = paragraph.get("class") or not words or words.endswith((".", "!", "?", ":", ","))
        if not classed and after is not None and after.tag in ("p", "ul", "ol"):
            yield Finding(f'"{words}" is bold and no heading', about=(f"**{words}", words))


@error(
    "contrast",
    "composition 72; WCAG 1.4.3",
    "make the text darker or its background lighter: 4.5, or 3 for 24 px and bold 19 px",
)
def contrast_is_enough(galley: Galley) -> Findings:
    """Text that is hard to tell from its background."""
    worst: dict[tuple[colour.Colour, colour.Colour], Run] = {}
    for run in _read(galley):
        worst.setdefault((run.ink.colour, run.ink.ground), run)
        if not run.is_large:
            worst[run.ink.colour, run.ink.ground] = run
    for (ink, ground), run in worst.items():
        ratio = colour.contrast(ink, ground)
        wanted = 3.0 if run.is_large else 4.5
        if ratio < wanted:
            yield Finding(
                f'contrast {ratio:.2f} of {wanted:g}: {ink} on {ground}: "{run.words[:30]}"',
                about=(str(ink), run.words, str(ground)),
            )


@warning(
    "color-pair",
    "composition 69",
    "set background-color and color on the same element",
    "clients in dark mode",
)
def colours_come_in_pairs(galley: Galley) -> Findings:
    """A text colour, and nowhere above it a background: dark mode changes one of the two."""
    if galley.html is None:
        return
    grounds = (e for e in galley.page.named("body", "table", "td", "div") if _has_ground(e))
    if next(grounds, None) is None and any("color" in dict_of(e) for e in galley.page.elements):
        yield Finding("colours of text without any background", about=("<body",))


def dict_of(element: etree._Element) -> dict[str, str]:
    """What the element's style says, by property."""
    return {part.name: part.value for part in style_of(element)}


def _has_ground(element: etree._Element) -> bool:
    style = dict_of(element)
    return bool(element.get("bgcolor") or "background-color" in style or "background" in style)


@error(
    "font-size",
    "composition 37; deliverability 1 (Gmail: no hidden text)",
    "14 px or more for what is read, never below 11",
)
def type_is_large_enough(galley: Galley) -> Findings:
    """Type below 11 px, or below 14 where it is read."""
    sizes: dict[float, Run] = {}
    for run in _read(galley):
        if run.ink.size < SMALL and re.search(r"\w", run.words) and not _is_raised(run):
            sizes.setdefault(run.ink.size, run)
    for size, run in sorted(sizes.items()):
        yield Finding(
            f'{size:g} px: "{run.words[:40]}"',
            about=(f"font-size:{size:g}px", run.words),
            severity=Severity.ERROR if size < SMALLEST else Severity.WARNING,
        )


def _is_raised(run: Run) -> bool:
    """Whether it is a footnote's mark, which is small by trade."""
    above = (run.element, *run.element.iterancestors())
    return any(element.tag in ("sup", "sub") for element in above)


@error(
    "font-unit",
    "composition 37; caniemail css-unit-rem",
    "write px",
    "Outlook for Windows",
)
def type_is_measured_in_px(galley: Galley) -> Findings:
    """A size of type in rem or %."""
    for element in galley.page.elements:
        size = dict_of(element).get("font-size", "")
        if size.endswith(("rem", "%", "vw", "vh")):
            yield Finding(f"font-size:{size} on {start_tag(element)}", about=(size,))


@warning(
    "line-height",
    "composition 73; WCAG 1.4.12",
    "1.4 times the size of the type, or more",
)
def lines_are_not_too_close(galley: Galley) -> Findings:
    """Paragraphs with less than 1.4 of line height."""
    seen: dict[float, Run] = {}
    for run in _read(galley):
        leading = run.ink.leading
        if leading is None or leading >= TIGHTEST or run.ink.size >= LARGE or _is_raised(run):
            continue
        if run.element.tag in ("p", "li", "td") and len(run.words) > 60:
            seen.setdefault(round(leading, 2), run)
    for leading, run in seen.items():
        yield Finding(f'line height {leading:g}: "{run.words[:40]}"', about=_about(run.words))


@warning("text-centred", "composition 73", "set it flush; centre headings at most")
def paragraphs_are_set_flush(galley: Galley) -> Findings:
    """A justified paragraph, or a centred one of more than three lines."""
    for run in _read(galley):
        align, length = run.ink.align.removeprefix("-webkit-"), len(run.words)
        if run.element.tag == "p" and (
            (align == "justify" and length > 60) or (align == "center" and length > 200)
        ):
            yield Finding(f'{align}: "{run.words[:40]}"', about=_about(run.words))


@warning(
    "aria-reference",
    "composition 74",
    "use aria-label: Gmail takes ids away",
    "Gmail",
)
def labels_by_reference(galley: Galley) -> Findings:
    """`aria-labelledby` and `aria-describedby`."""
    for element in galley.page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            if name in element.attrib:
                yield Finding(f"{name} on {start_tag(element)}", about=(name,))


@warning(
    "bullet-emoji",
    "composition 74",
    "write a list: - ...",
    "screen readers",
)
def emoji_are_no_bullets(galley: Galley) -> Findings:
    """Paragraphs in a row that begin with the same emoji."""
    last: tuple[str, etree._Element] | None = None
    for paragraph in galley.page.named("p"):
        words = words_in(paragraph)
        match = EMOJI.match(words)
        here = (match[0].strip(), paragraph) if match else None
        if here and last and here[0] == last[0] and paragraph.getprevious() is last[1]:
            yield Finding(f'"{squeeze(words)[:40]}"', about=_about(squeeze(words)))
        last = here


@warning(
    "capitals",
    "composition 74; WCAG 3.1",
    "write it as a sentence: screen readers spell capitals",
    "screen readers",
)
def nothing_shouts(galley: Galley) -> Findings:
    """More than 20 capitals in a row."""
    for run in _read(galley):
        match = CAPITALS.search(run.words)
        if match and not run.ink.literal:
            yield Finding(f'"{match[0][:40]}"', about=_about(match[0]))


@warning(
    "text-hidden",
    "deliverability 1 (Gmail: no hidden text)",
    "take it out: only a preheader may be hidden",
)
def nothing_else_is_hidden(galley: Galley) -> Findings:
    """Hidden text that is no preheader."""
    seen = False
    for run in galley.page.runs:
        if not run.words:
            continue
        if run.ink.hidden and seen:
            yield Finding(f'hidden: "{run.words[:40]}"', about=(run.words, "display:none"))
        seen = seen or not run.ink.hidden
    for run in _read(galley):
        if run.ink.colour == run.ink.ground and re.search(r"\w", run.words):
            yield Finding(f'in its background\'s colour: "{run.words[:40]}"', about=(run.words,))
