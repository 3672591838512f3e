"""Rules on the document's head and frame: what a client reads before it paints."""

from __future__ import annotations

import re

from lxml import etree

from newsletter.lint.galley import Galley
from newsletter.lint.page import Page, around, squeeze, words_in
from newsletter.lint.rule import Finding, Findings, error, warning

CHARSET = re.compile(r"<meta\b[^>]*\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
CHARSET_REACH = 1024
FORBIDDEN = (
    *("script", "base", "iframe", "frame", "frameset", "form", "input", "select", "textarea"),
    *("button", "object", "embed", "applet", "video", "audio", "canvas", "dialog", "portal"),
)
SEMANTIC = (
    *("section", "article", "figure", "figcaption", "header", "footer", "main", "nav", "aside"),
    *("details", "summary"),
)


def _meta(page: Page, name: str) -> etree._Element | None:
    metas = (meta for meta in page.named("meta") if meta.get("name", "").lower() == name)
    return next(metas, None)


@error(
    "doctype",
    "composition 10; caniemail html-doctype",
    "begin email.html with <!DOCTYPE html>, upper case, nothing before it",
)
def doctype_first(galley: Galley) -> Findings:
    """The HTML does not begin with `<!DOCTYPE html>`: web mail may fall into quirks mode."""
    if galley.html is not None and not galley.page.html.startswith("<!DOCTYPE html>"):
        yield Finding(f"HTML begins with {galley.page.html[:20]!r}", about=("<!doctype", "<html"))


@error(
    "html-lang",
    "composition 11; WCAG 3.1.1",
    'write <html lang="..."> and the same on the wrapper <div role="article">',
)
def language_is_named(galley: Galley) -> Findings:
    """`<html>` has no `lang`, so that screen readers guess how to pronounce it."""
    if galley.html is None:
        return
    root = next(galley.page.named("html"), None)
    if root is None or not root.get("lang", "").strip():
        yield Finding("<html> has no lang", about=("<html",))


@warning("html-dir", "composition 11", 'write dir="ltr" or dir="rtl" on <html>')
def direction_is_named(galley: Galley) -> Findings:
    """`<html>` has no `dir`."""
    root = next(galley.page.named("html"), None)
    if galley.html is not None and (root is None or root.get("dir") not in ("ltr", "rtl", "auto")):
        yield Finding("<html> has no dir", about=("<html",))


@warning(
    "wrapper-lang",
    "composition 11; caniemail html-body",
    'wrap the body in <div role="article" aria-roledescription="email" lang="..." dir="...">',
    "Gmail, Yahoo, Outlook.com",
)
def wrapper_repeats_language(galley: Galley) -> Findings:
    """No wrapper repeats `lang`; these clients replace `<body>` by a div of their own."""
    if galley.html is None:
        return
    wrappers = (e for e in galley.page.named("div", "table", "center") if e.get("lang"))
    if next(wrappers, None) is None:
        yield Finding("nothing inside of <body> repeats lang", about=("<body",))


@error(
    "charset",
    "composition 12; HTML 4.2.5.4",
    'put <meta charset="utf-8"> first in <head>, once',
)
def charset_early_and_once(galley: Galley) -> Findings:
    """The charset is not declared within the first 1,024 bytes, or declared twice."""
    if galley.html is None:
        return
    found = [match[1].lower() for match in CHARSET.finditer(galley.page.head)]
    start = galley.page.html.encode("utf-8", "replace")[:CHARSET_REACH].decode("utf-8", "replace")
    if not found:
        yield Finding("no <meta charset>", about=("<head",))
    elif CHARSET.search(start) is None:
        yield Finding("<meta charset> stands after the first 1,024 bytes", about=("<meta charset",))
    for other in dict.fromkeys(found):
        if other not in ("utf-8", "utf8") or (other != found[0]):
            yield Finding(f"<meta charset> says {other}", about=(other,))
    if len(found) > 1:
        yield Finding("several <meta charset>", about=("<meta charset",))


@error("title-missing", "composition 13; WCAG 2.4.2", "put the subject into <title>")
def title_is_there(galley: Galley) -> Findings:
    """No `<title>`; it is shown in notifications and on the web page."""
    if galley.html is None:
        return
    title = next(galley.page.named("title"), None)
    if title is None or not squeeze(words_in(title)):
        yield Finding("<title> is empty or missing", about=("<title", "<head"))


@warning(
    "title-subject",
    "composition 13; SpamAssassin HTML_TITLE_SUBJ_DIFF",
    "let <title> repeat the subject",
)
def title_is_about_the_subject(galley: Galley) -> Findings:
    """`<title>` and the subject have not a single word in common."""
    title = next(galley.page.named("title"), None)
    if title is None:
        return
    said, subject = (set(re.findall(r"\w+", t.lower())) for t in (words_in(title), galley.subject))
    if said and subject and not said & subject:
        yield Finding(
            f'<title> "{squeeze(words_in(title))}" has no word of the subject', about=("<title",)
        )


@warning(
    "viewport",
    "composition 14",
    'add <meta name="viewport" content="width=device-width, initial-scale=1">',
    "phones",
)
def viewport_is_set(galley: Galley) -> Findings:
    """No viewport, so that phones show a shrunken desktop page."""
    meta = _meta(galley.page, "viewport")
    if galley.html is None:
        return
    if meta is None or "width=device-width" not in meta.get("content", "").replace(" ", ""):
        yield Finding("no viewport of device width", about=('name="viewport"', "<head"))


@error("viewport-zoom", "composition 14; WCAG 1.4.4", "let readers zoom: drop it", "phones")
def viewport_lets_zoom(galley: Galley) -> Findings:
    """The viewport forbids to zoom."""
    meta = _meta(galley.page, "viewport")
    content = meta.get("content", "").lower().replace(" ", "") if meta is not None else ""
    for word in ("user-scalable=no", "user-scalable=0", "maximum-scale"):
        if word in content:
            yield Finding(f"viewport says {word}", about=(word, "user-scalable", "viewport"))


@warning(
    "color-scheme",
    "composition 15; caniemail html-meta-color-scheme",
    'add <meta name="color-scheme" content="light dark"> and "supported-color-schemes"',
    "Apple Mail, Outlook for Mac",
)
def colour_scheme_is_declared(galley: Galley) -> Findings:
    """There is dark CSS, but the head does not declare it, so it may not be used."""
    if not any("prefers-color-scheme" in sheet.text for sheet in galley.page.sheets):
        return
    for name in ("color-scheme", "supported-color-schemes"):
        if _meta(galley.page, name) is None:
            yield Finding(f"dark CSS without <meta {name}>", about=("prefers-color-scheme",))
    if not any("color-scheme:" in sheet.text.replace(" ", "") for sheet in galley.page.sheets):
        yield Finding(
            "dark CSS without :root{color-scheme:light dark}", about=("prefers-color-scheme",)
        )


@warning(
    "auto-links",
    "composition 16, 77",
    "add format-detection and x-apple-disable-message-reformatting, and rules for "
    "a[x-apple-data-detectors], u + .body and #MessageViewBody",
    "Apple Mail, Gmail on iOS, Samsung",
)
def auto_links_are_tamed(galley: Galley) -> Findings:
    """Clients turn dates, numbers and addresses into blue links of their own."""
    if galley.html is None:
        return
    for name in ("format-detection", "x-apple-disable-message-reformatting"):
        if _meta(galley.page, name) is None:
            yield Finding(f"no <meta {name}>", about=("<head",))
    kept = " ".join(sheet.text for sheet in galley.page.sheets)
    for hook in ("x-apple-data-detectors", "u + .body", "#MessageViewBody"):
        if hook.replace(" ", "") not in kept.replace(" ", ""):
            yield Finding(f"no rule for {hook} in the kept styles", about=("<style",))


@warning(
    "mso-dpi",
    "composition 17; email-bugs 83",
    "add <!--[if mso]><noscript><xml>...<o:PixelsPerInch>96...</xml></noscript><![endif]-->",
    "Outlook for Windows",
)
def word_knows_its_resolution(galley: Galley) -> Findings:
    """Nothing tells Word to count 96 pixels an inch, or it is not inside of `<noscript>`.

    Word then scales pictures and not text; T-Online and eM Client print "96"."""
    if galley.html is None:
        return
    head = galley.page.head
    if "PixelsPerInch" not in head:
        yield Finding("no PixelsPerInch for Word", about=("<head",))
    elif not re.search(r"<noscript>\s*<xml>.*?PixelsPerInch", head, re.DOTALL | re.IGNORECASE):
        yield Finding("PixelsPerInch is not inside of <noscript>", about=("PixelsPerInch",))
    elif 'xmlns:o="' not in head:
        yield Finding("<html> lacks xmlns:o", about=("<html",))


@warning(
    "mso-font",
    "composition 18; caniemail css-at-font-face",
    "add <!--[if mso]><style>td,p,a,h1{font-family:Georgia,serif}</style><![endif]-->",
    "Outlook for Windows",
)
def word_has_a_font(galley: Galley) -> Findings:
    """No font for Word, which turns to Times New Roman at the first name it does not know."""
    if galley.html is None:
        return
    for match in re.finditer(r"<!--\[if [^\]]*\]>(.*?)<!\[endif\]", galley.page.html, re.DOTALL):
        if "font-family" in match[1]:
            return
    yield Finding("no font-family inside of <!--[if mso]>", about=("<head",))


@error(
    "element-forbidden",
    "composition 19, 51; caniemail html-*",
    "mail programs remove it, some with all it holds: use links and pictures",
    "all",
)
def forbidden_elements(galley: Galley) -> Findings:
    """Elements that no mail may have: scripts, forms, frames, players."""
    for element in galley.page.named(*FORBIDDEN):
        if element.tag == "script" and element.get("type") == "application/ld+json":
            continue
        yield Finding(f"<{element.tag}>", about=(f"<{element.tag}",))
    for element in galley.page.elements:
        for name in map(str, element.attrib):
            if re.fullmatch(r"on[a-z]+", name.lower()):
                yield Finding(f"<{element.tag} {name}>", about=(f"{name}=",))


@error(
    "stylesheet-linked",
    "composition 19; caniemail html-link",
    "put the CSS into the templates: nothing is loaded from elsewhere",
    "all",
)
def linked_style_sheets(galley: Galley) -> Findings:
    """CSS that is loaded from elsewhere."""
    for element in galley.page.named("link"):
        if "stylesheet" in element.get("rel", "").lower():
            yield Finding(f"<link> to {element.get('href', '')}", about=("<link",))
    for sheet in galley.page.sheets:
        for at_rule in sheet.at_rules:
            if at_rule[-1].startswith("@import"):
                yield Finding(at_rule[-1], about=("@import",))


@error(
    "meta-refresh",
    "deliverability 6; SpamAssassin HTML_META_REFRESH",
    "remove it: a mail stays where it is",
)
def refreshing(galley: Galley) -> Findings:
    """`<meta http-equiv="refresh">`."""
    for meta in galley.page.named("meta"):
        if meta.get("http-equiv", "").lower() == "refresh":
            yield Finding('<meta http-equiv="refresh">', about=("http-equiv",))


@error(
    "style-in-body",
    "composition 20; caniemail html-style",
    "move it into <head>",
    "Gmail",
)
def styles_in_the_body(galley: Galley) -> Findings:
    """`<style>` in the body, which Gmail ignores."""
    for element in galley.page.named("style"):
        if around(element, "body") is not None:
            yield Finding("<style> inside of <body>", about=("<style",))


@warning(
    "element-semantic",
    "composition 52; caniemail html-semantics",
    "use a table cell or a div",
    "Gmail, Yahoo, Outlook",
)
def semantic_elements(galley: Galley) -> Findings:
    """Elements that these clients remove or do not style."""
    for element in galley.page.named(*SEMANTIC):
        yield Finding(f"<{element.tag}>", about=(f"<{element.tag}",))
