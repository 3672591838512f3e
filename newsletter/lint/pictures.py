"""Rules on pictures: what stands for them, how wide they are, where they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from lxml import etree

from newsletter.compose.picture_header import EXTRA
from newsletter.lint.galley import Galley
from newsletter.lint.page import around, squeeze, words_in
from newsletter.lint.rule import Finding, Findings, error, note, warning
from newsletter.model import Severity

WIDEST = 600
HEAVY, HEAVY_TOGETHER = 1024 * 1024, 2 * 1024 * 1024
# A screen shows two pixels for one; what is beyond is weight.
SHARPEST = 2.5
LONGEST_ALT = 125
# What publishing adds to a name, and the suffix, which it may change.
HASHED = re.compile(r"(?<=\.)[0-9a-f]{12}\.[a-z]+$")
# SpamAssassin's HTML_IMAGE_ONLY counts such few words beside a picture as none.
FEW_WORDS = 40


def _pictures(galley: Galley) -> Iterator[tuple[etree._Element, str, tuple[str, ...]]]:
    """Each picture with its address and what to find it by."""
    for image in galley.page.named("img"):
        source = image.get("src", "")
        file = galley.files.get(source)
        name = PurePosixPath(urlsplit_path(file.url if file else source)).name
        typed = HASHED.sub("", name)
        # One of the publication's is some article's, if not this one's: no template is at fault.
        tag = "" if file else "<img"
        yield image, source, tuple(filter(None, (source, name, typed, image.get("alt", ""), tag)))


def urlsplit_path(url: str) -> str:
    """The path of an address, "" of one that cannot be read."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


@error(
    "alt-missing",
    "composition 53; WCAG 1.1.1",
    'say what it shows, ![in a few words](...); alt="" for a mere ornament',
    "screen readers, all with pictures off",
)
def pictures_without_alt(galley: Galley) -> Findings:
    """A picture without `alt`, of which a screen reader spells the address."""
    for image, source, about in _pictures(galley):
        if "alt" not in image.attrib:
            yield Finding(f"no alt text: {source}", about=about)


@warning(
    "alt-poor",
    "composition 53",
    "say what it shows in fewer than 125 characters; put the rest into a caption",
    "screen readers",
)
def poor_alt_texts(galley: Galley) -> Findings:
    """An alt text that is a file name, or an essay."""
    for image, source, about in _pictures(galley):
        alt = squeeze(image.get("alt", ""))
        name = PurePosixPath(urlsplit_path(source)).name
        if len(alt) > LONGEST_ALT:
            yield Finding(f"alt text of {len(alt)} characters", about=(alt, *about))
        elif alt and (alt in (name, name.rpartition(".")[0]) or re.fullmatch(r"\S+\.\w{3,4}", alt)):
            yield Finding(f'alt text "{alt}" is a file name', about=about)


@error(
    "image-width",
    "composition 54; caniemail html-width",
    'write  {width=520 height=300}  right behind it, in HTML width="520"; at most 600',
    "Outlook for Windows",
)
def pictures_have_a_width(galley: Galley) -> Findings:
    """A picture without a width in px: Word shows it as wide as its file, or as a share of that."""
    for image, source, about in _pictures(galley):
        width = image.get("width", "")
        if not width.isdigit():
            yield Finding(f'width="{width}": {source}' if width else f"no width: {source}", about)
        elif int(width) > WIDEST:
            yield Finding(f"{width} px wide: {source}", about=about)


@warning(
    "image-height",
    "composition 54",
    "write  {width=520 height=300}  right behind it: clients with pictures off keep the place",
)
def pictures_have_a_height(galley: Galley) -> Findings:
    """A picture of the article without a height, so that the text jumps when it is loaded."""
    for image, source, about in _pictures(galley):
        if not image.get("height") and image.get("alt"):
            yield Finding(f"no height: {source}", about=about)


@error(
    "image-source",
    "composition 55; caniemail image-base64",
    "put the file beside the article, or give its https address",
    "Gmail, Outlook",
)
def pictures_come_over_https(galley: Galley) -> Findings:
    """A picture that is not at an https address, nor a part of the mail."""
    for image, source, about in _pictures(galley):
        if not source.strip():
            yield Finding("a picture without src", about=about)
        elif not source.lower().startswith(("https://", "cid:")):
            shown = source if len(source) < 80 else f"{source[:60]}..."
            yield Finding(f"not https: {shown}", about=about)
        elif image.get("srcset") or around(image, "picture") is not None:
            yield Finding(f"srcset: {source}", about=about, severity=Severity.WARNING)


@error(
    "image-format",
    "composition 55; caniemail image-svg, image-webp",
    "save it as PNG or JPEG",
    "Outlook for Windows, Gmail",
)
def pictures_in_formats_that_all_know(galley: Galley) -> Findings:
    """SVG, WebP or AVIF."""
    for _, source, about in _pictures(galley):
        suffix = PurePosixPath(urlsplit_path(source).lower()).suffix
        if suffix in (".svg", ".svgz"):
            yield Finding(f"SVG: {source}", about=about)
        elif suffix in (".webp", ".avif", ".jxl", ".heic", ".bmp", ".tif", ".tiff"):
            yield Finding(f"{suffix[1:]}: {source}", about=about, severity=Severity.WARNING)
    for _ in galley.page.named("svg"):
        yield Finding("a drawing in the HTML: <svg>", about=("<svg",))


@error(
    "image-only",
    "composition 57; SpamAssassin HTML_IMAGE_ONLY",
    "write the message as text: pictures are off for many, and it looks like spam",
)
def picture_only_mails(galley: Galley) -> Findings:
    """A mail that is little more than a picture."""
    pictures = [image for image in galley.page.named("img") if image.get("width") not in ("0", "1")]
    words = len(galley.page.words.split())
    if pictures and words < FEW_WORDS:
        many = "1 picture" if len(pictures) == 1 else f"{len(pictures)} pictures"
        yield Finding(f"{many} and {words} words", about=("![",))


@warning(
    "image-link-alt",
    "composition 57; WCAG 2.4.4",
    "say in the alt text where the link leads",
    "screen readers, all with pictures off",
)
def linked_pictures_without_words(galley: Galley) -> Findings:
    """A linked picture with nothing that says where it leads, unless words beside it do."""
    for link in galley.page.links:
        images = list(link.element.iterdescendants("img"))
        if images and not link.words:
            beside = any(o.href == link.href and o.words for o in galley.page.links)
            if not beside:
                yield Finding(f"a picture without words leads to {link.href}", about=(link.href,))


@warning(
    "image-tracker",
    "deliverability 0.9; SpamAssassin",
    "drop it: counting readers needs their consent, and tells nothing",
)
def tracking_pixels(galley: Galley) -> Findings:
    """A picture of one pixel, which counts who opens the mail."""
    for image, source, about in _pictures(galley):
        tiny = image.get("width") in ("0", "1") and image.get("height") in ("0", "1", None)
        if tiny and not source.lower().startswith("cid:"):
            yield Finding(f"one pixel: {source}", about=about)


@note("image-gif", "composition 56", "let the first frame tell it all", "Outlook for Windows")
def moving_pictures(galley: Galley) -> Findings:
    """A GIF from elsewhere, of which Word shows the first frame only; composing looks into those
    of the publication."""
    for _, source, about in _pictures(galley):
        if urlsplit_path(source).lower().endswith(".gif") and source not in galley.files:
            yield Finding(f"GIF: {source}", about=about)


@warning(
    "image-caption-same",
    "WCAG 1.1.1",
    "leave the alt text empty, or say in it what the caption does not",
    "screen readers",
)
def captions_that_repeat_the_alt_text(galley: Galley) -> Findings:
    """A caption that says the same as the alt text, so that it is read twice."""
    for image, _, about in _pictures(galley):
        alt = squeeze(image.get("alt", ""))
        parent = around(image, "p")
        after = parent.getnext() if parent is not None else None
        if alt and after is not None and squeeze(words_in(after)).lower() == alt.lower():
            yield Finding(f'"{alt}" twice', about=about)


@warning(
    "image-weight",
    "composition 56; react-email",
    f"{EXTRA}  makes it 1,040 pixels wide: about 150 KB",
    "phones on the road",
)
def pictures_are_light(galley: Galley) -> Findings:
    """A picture of more than 1 MB, or pictures of more than 2 MB together."""
    for image, source, about in _pictures(galley):
        file = galley.files.get(source)
        if file is None:
            continue
        where = " of a neighbour's teaser" if file.url in _of_teasers(galley) else ""
        if file.weight > HEAVY:
            yield Finding(f"{file.weight / HEAVY:.1f} MB{where}: {source}", about=about)
        width = image.get("width", "")
        if width.isdigit() and file.width > SHARPEST * int(width) and file.weight > HEAVY / 4:
            yield Finding(f"{file.width} pixels for {width}: {source}", about=about)
    together = sum(file.weight for file in galley.files.values())
    if together > HEAVY_TOGETHER:
        yield Finding(f"pictures of {together / HEAVY:.1f} MB together", about=("![",))


def _of_teasers(galley: Galley) -> frozenset[str | None]:
    """The addresses of the pictures that the neighbours show of themselves."""
    issue = galley.written.issue if galley.written else None
    around = (issue.previous, issue.next) if issue else ()
    return frozenset(teaser.image for teaser in around if teaser)


@note("image-bytes", "composition 56", "about 150 KB each is enough for a sharp screen")
def what_pictures_weigh(galley: Galley) -> Findings:
    """What the publication's own pictures weigh, and where they are loaded from."""
    weights = [file.weight for file in galley.files.values()]
    if weights:
        inside = sum(source.startswith("cid:") for source in galley.files)
        where = f"{inside} of them in every mail" if inside else "loaded when the mail is opened"
        many = "1 picture" if len(weights) == 1 else f"{len(weights)} pictures"
        yield Finding(f"{many}, {sum(weights) / 1024:,.0f} KB, {where}")


@error(
    "image-cid",
    "RFC 2392; RFC 2387",
    "a picture shown as cid:... needs a part with that Content-ID, and every such part a picture",
)
def pictures_inside_are_there(galley: Galley) -> Findings:
    """A picture that should be inside the mail and is not, or that is there and shown nowhere."""
    inside = {
        part.value("Content-ID").strip("<> ")
        for part in galley.mail.leaves()
        if part.kind.startswith("image/")
    }
    shown = {
        source[4:]: about for _, source, about in _pictures(galley) if source[:4].lower() == "cid:"
    }
    for cid in sorted(shown.keys() - inside):
        yield Finding(f"no part is called {cid}", shown[cid])
    for cid in sorted(inside - shown.keys()):
        yield Finding(f"shown nowhere, so an attachment: {cid}", severity=Severity.WARNING)


@warning(
    "image-stretched",
    "composition 50; email-bugs 163",
    "use a table cell with a height for space, or a picture of its own size",
    "Outlook for Windows",
)
def pictures_are_not_stretched(galley: Galley) -> Findings:
    """A picture shown more than 65 times as wide as its file, which breaks in Word."""
    for image, source, about in _pictures(galley):
        file, width = galley.files.get(source), image.get("width", "")
        if file and width.isdecimal() and len(width) < 6 and int(width) > 65 * file.width:
            yield Finding(f"{file.width} px shown as {width}: {source}", about=about)
