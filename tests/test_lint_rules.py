"""Every rule has a letter that it speaks about and one that it passes over.

The sound mail is passed over by all of them (test_lint_mutants). FIRES has the faults, NEAR what
looks like one and is none: a rule that cries wolf is worse than no rule.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from newsletter.lint import check_mail
from newsletter.lint.rules import BY_CODE, RULES
from newsletter.model import Severity
from tests.linted import GOOD, HTML, PADDING, Letter, codes
from tests.test_lint_mutants import MUTANTS

PREHEADER = "What forty issues taught us about tools that nobody thanks."
WORDS = "and nobody said a word about it for the rest of that long evening "


def html(old: str, new: str) -> Letter:
    return GOOD.with_html(old, new)


def says(text: str) -> Letter:
    return GOOD.saying(text)


def kept(css: str) -> Letter:
    """With more CSS in the kept style block."""
    return GOOD.with_html(":root{", f"{css}\n:root{{")


def styled(style: str, tag: str = "p") -> Letter:
    return GOOD.saying(f'<{tag} style="{style}">Some words to look at.</{tag}>')


def linked(href: str, words: str = "the report of May") -> Letter:
    """With a link, and its address in the plain text too."""
    letter = GOOD.saying(f'<p><a href="{href}" style="color:#1f6b54">{words}</a></p>')
    return letter.with_text("[1] https", f"[2] {href}\n[1] https")


def pictured(attributes: str, src: str = "https://x.example.org/a.png") -> Letter:
    return GOOD.saying(f'<img src="{src}" {attributes}>')


def table(start: str, row: str = "<tr><td>a</td></tr>") -> Letter:
    return GOOD.saying(f"<table {start}>{row}</table>")


LAYOUT = 'role="presentation" border="0" cellpadding="0" cellspacing="0"'
SIZED = 'width="520" height="200" alt="A lamp"'
DARK = "@media (prefers-color-scheme:dark){X{color:#e3e8e4;background-color:#101513 !important}}"
HIDDEN = "display:none;max-height:0;overflow:hidden;mso-hide:all"

INBOX_ROW = [
    ("preheader-missing", html(HIDDEN, "font-size:18px")),
    ("preheader-missing", html(f"{PREHEADER} ", "")),
    ("preheader-same", html(PREHEADER, "Issue 42: Makefiles, mail logs and message size")),
    ("preheader-long", html(PREHEADER, WORDS * 3)),
    ("preheader-short", html(PREHEADER, "What we learned.")),
    ("preheader-padding", html(PADDING, "")),
    ("preheader-color", html(HIDDEN, f"{HIDDEN};color:#f3efe6")),
]
READING = [
    ("h1", says("<h1>Another</h1>")),
    ("h1", html("<h1 ", "<h2 ").with_html("</h1>", "</h2>")),
    ("heading-skip", html("<h2 ", "<h3 ").with_html("</h2>", "</h3>")),
    ("heading-empty", says("<h2> &nbsp;</h2>")),
    ("heading-faked", says("<p><strong>The second part</strong></p><p>It goes on.</p>")),
    ("contrast", says('<div style="background-color:#777777"><p>grey</p></div>')),
    ("contrast", styled("color:rgba(0,0,0,0.3)")),
    ("contrast", styled("color:#888888;font-size:20px")),
    ("contrast-dark", kept(DARK.replace("X", "td"))),
    ("contrast-dark", kept("@media (prefers-color-scheme: dark){p{color:#e3e8e4 !important}}")),
    (
        "color-pair",
        replace(GOOD, html=HTML.replace("background-color", "x").replace("bgcolor", "x")),
    ),
    ("font-size", styled("font-size:12px")),
    ("font-size", styled("font-size:7pt")),
    ("font-unit", styled("font-size:1.2rem")),
    ("font-unit", styled("font-size:110%")),
    ("line-height", says(f'<p style="font-size:18px;line-height:20px">{WORDS}</p>')),
    ("line-height", says(f'<p style="line-height:1.1">{WORDS}</p>')),
    ("text-centred", says(f'<p style="text-align:justify">{WORDS}</p>')),
    ("text-centred", says(f'<p align="center">{WORDS * 4}</p>')),
    ("aria-reference", says('<p aria-labelledby="x">x</p>')),
    ("bullet-emoji", says("<p>👉 one</p><p>👉 two</p>")),
    ("capitals", says("<p>THIS IS VERY IMPORTANT FOR YOU</p>")),
    ("text-hidden", says('<p style="display:none">cheap watches</p>')),
]
LINKS = [
    ("link-empty", linked("#")),
    ("link-empty", linked(" ")),
    ("link-relative", linked("/reports/may")),
    ("link-relative", linked("example.org/may")),
    ("link-broken", linked("https://example.org/a b")),
    ("link-broken", linked("https:///may")),
    ("link-broken", linked("https://[::1/may")),
    ("link-scheme", linked(" JavaScript:alert(1)")),
    ("link-http", linked("http://example.org/may")),
    ("link-local", linked("http://localhost:8000/")),
    ("link-local", linked("https://printer.local/")),
    ("link-local", linked("https://[::1]/")),
    ("link-local", linked("http://3232235777/")),
    ("link-disguised", linked("https://evil.example.net/", "www.bank.example.com")),
    ("link-text", linked("https://example.org/may", "Click here")),
    ("link-text", linked("https://example.org/may", "mehr lesen…")),
    ("link-text", says('<p>See <a href="https://example.org/makefiles"> </a>.</p>')),
    ("link-ambiguous", linked("https://example.org/june", "the essay of last spring")),
    ("link-anchor", linked("#part-2")),
    ("link-long", linked("https://example.org/?" + "a" * 1200)),
]
PICTURES = [
    ("alt-missing", pictured('width="520" height="200"')),
    ("alt-poor", pictured('width="520" height="200" alt="IMG_2041.jpg"')),
    ("alt-poor", pictured(f'width="520" height="200" alt="{WORDS * 3}"')),
    ("image-width", pictured('alt="A lamp"')),
    ("image-width", pictured('alt="A lamp" width="100%"')),
    ("image-width", pictured('alt="A lamp" width="1200" height="600"')),
    ("image-height", pictured('alt="A lamp" width="520"')),
    ("image-source", pictured(SIZED, "a.png")),
    ("image-source", pictured(SIZED, "http://x.example.org/a.png")),
    ("image-source", pictured(SIZED, "data:image/png;base64,AAAA")),
    ("image-source", pictured(SIZED, "")),
    ("image-format", pictured(SIZED, "https://x.example.org/a.svg")),
    ("image-format", pictured(SIZED, "https://x.example.org/a.webp?v=2")),
    ("image-format", says('<svg width="10" height="10"></svg>')),
    (
        "image-link-alt",
        says(
            '<a href="https://x.example.org/"><img src="https://x.example.org/a.png" '
            'width="520" height="200" alt=""></a>'
        ),
    ),
    ("image-cid", pictured(SIZED, "cid:lamp@example.org")),
    ("image-gif", pictured(SIZED, "https://x.example.org/a.gif")),
    (
        "image-caption-same",
        says(f'<p><img src="https://x.example.org/a.png" {SIZED}></p><p>A lamp</p>'),
    ),
]
PARTS = [
    ("source-markup", says("<!-- {% if x %} -->")),
    ("placeholder", says("<p>Your code: ${code}</p>")),
    (
        "unsubscribe-link",
        html("Unsubscribe", "Bye").with_html(
            "https://news.example.org/u/k7Qm2Zx9", "https://news.example.org/bye"
        ),
    ),
    ("unsubscribe-link", GOOD.with_text("Unsubscribe: https://news.example.org/u/k7Qm2Zx9\n", "")),
    ("unsubscribe-hidden", html('k7Qm2Zx9" style="', 'k7Qm2Zx9" style="font-size:9px;')),
    (
        "unsubscribe-hidden",
        html('k7Qm2Zx9" style="color:#5a645e', 'k7Qm2Zx9" style="color:#ddd5cc'),
    ),
    ("text-link-lost", says('<p><a href="https://example.org/only">only here</a></p>')),
    ("html-link-lost", GOOD.with_text("[1]", "https://example.org/only-there\n[1]")),
    ("text-markup", GOOD.with_text("Dear Ada", "<p>Dear Ada")),
    ("text-markup", GOOD.with_text("Dear Ada", "Dear Ada &amp; Bo")),
    ("text-wide", GOOD.with_text("Dear Ada", WORDS * 3)),
    ("size-clip", says(f"<p>{WORDS * 1600}</p>")),
    ("size-style", kept(".a{color:#000000}" * 800)),
    ("size", GOOD),
]
DOCUMENT = [
    ("doctype", html("<!DOCTYPE html>", "<!doctype html>")),
    ("doctype", html("<!DOCTYPE html>\n", "")),
    ("html-lang", html('<html lang="en"', "<html")),
    ("html-dir", html('<html lang="en" dir="ltr"', '<html lang="en"')),
    ("wrapper-lang", html('aria-label="Makefiles" lang="en"', 'aria-label="Makefiles"')),
    ("charset", html('<meta charset="utf-8">\n', "")),
    ("charset", html("<head>", f"<head><!-- {'x' * 1100} -->")),
    (
        "charset",
        html(
            "<title>", '<meta http-equiv="Content-Type" content="text/html; charset=latin1"><title>'
        ),
    ),
    (
        "title-missing",
        html("<title>Makefiles, mail logs and message size</title>", "<title></title>"),
    ),
    ("title-subject", html("<title>Makefiles, mail logs and message size", "<title>Untitled")),
    ("viewport", html('content="width=device-width, initial-scale=1"', 'content="width=600"')),
    ("viewport-zoom", html("initial-scale=1", "initial-scale=1, maximum-scale=1")),
    ("viewport-zoom", html("initial-scale=1", "user-scalable=no")),
    ("color-scheme", html('<meta name="color-scheme" content="light dark">\n', "")),
    ("auto-links", html("a[x-apple-data-detectors]{", "a.x{")),
    ("auto-links", html('name="format-detection"', 'name="other"')),
    ("mso-dpi", html("<noscript>", "").with_html("</noscript>", "")),
    ("mso-dpi", html("PixelsPerInch", "x").with_html("PixelsPerInch", "x")),
    ("mso-font", html("font-family:Georgia,serif}", "color:#000000}")),
    (
        "stylesheet-linked",
        html("<title>", '<link rel="stylesheet" href="https://x.example.org/a.css"><title>'),
    ),
    ("stylesheet-linked", kept("@import url(https://x.example.org/a.css);")),
    ("style-in-body", says("<style>.a{color:#000000}</style>")),
    ("element-semantic", says("<section>Words.</section>")),
    ("element-forbidden", says("<video></video>")),
    ("table-role", table('border="0"')),
    ("table-role", table(LAYOUT, '<tr><th scope="col">a</th></tr>')),
    ("th-scope", table('border="0"', "<tr><th>a</th></tr>")),
    ("table-attributes", table('role="presentation" border="0" cellpadding="0"')),
    ("width-fixed", table(f'{LAYOUT} width="800"')),
    ("width-fixed", styled("min-width:800px", "div")),
    ("mso-balance", says("<!--[if mso]><table><tr><td><![endif]--><!--[if mso]>x")),
    (
        "mso-balance",
        html("<!--[if mso]></td></tr></table><![endif]-->", "<!--[if mso]></td></tr></table>"),
    ),
    ("mso-balance", says("<!--[if mso]>x<!--<![endif]-->")),
    ("mso-balance", says("<![endif]-->")),
    ("mso-revealed", says("<![if !mso]>x<![endif]>")),
    ("table-stray", table(LAYOUT, "stray<tr><td>a</td></tr>")),
    ("table-stray", table(LAYOUT, "<tr><p>stray</p><td>a</td></tr>")),
    ("cell-tall", table(LAYOUT, f"<tr><td>{f'<p>{WORDS * 5}</p>' * 12}</td></tr>")),
    ("table-floating", table(f'{LAYOUT} align="left"')),
    ("box-padding", styled("padding:12px;background-color:#f7f4ed", "div")),
    ("box-margin", styled("margin:-10px 0 0")),
    ("box-margin", table(LAYOUT, '<tr><td style="margin:10px">a</td></tr>')),
    ("width-css-only", styled("max-width:260px", "div")),
    (
        "width-css-only",
        html("<!--[if mso]><table role", "<!-- <table role"),
    ),
]
STYLES = [
    (
        "css-at-nested",
        kept("@media (max-width:400px){@media (min-width:200px){.a{color:#000000 !important}}}"),
    ),
    ("css-nesting", kept(".a{color:#000000;.b{color:#111111}}")),
    ("css-media-list", kept("@media screen, print{.a{color:#000000 !important}}")),
    ("css-media-range", kept("@media (width <= 600px){.a{color:#000000 !important}}")),
    ("css-media-feature", kept("@media (max-height:400px){.a{color:#000000 !important}}")),
    ("css-comment", kept("/* the phone */")),
    ("css-comment", styled("color:#000000/* ink */")),
    ("important-case", kept(".a{color:#000000 !IMPORTANT}")),
    ("important-inline", styled("color:#000000 !important")),
    ("important-missing", kept("@media (max-width:400px){.px{padding:0}}")),
    ("class-name", says('<p class="_a">x</p>')),
    ("class-name", says('<p class="a__">x</p>')),
    ("class-characters", says('<p class="md:w-1/2">x</p>')),
    ("selector-attribute", kept('[class="x"]{color:#000000}')),
    ("selector-chained", kept(".a.b{color:#000000}")),
    ("font-generic", styled("font-family:Inter, Georgia")),
    ("font-weight", styled("font-weight:550")),
    ("color-modern", styled("color:oklch(40% 0.1 20)")),
    ("color-modern", kept(".a{color:color-mix(in srgb, red, blue)}")),
    ("color-spaces", styled("color:rgb(0 80 0 / 50%)")),
    ("color-spaces", kept(".a{color:rgb(0 80 0)}")),
    ("background-several", styled("background:url(https://x.example.org/a.png),#ffffff", "td")),
    (
        "background-fallback",
        says('<div style="background-image:url(https://x.example.org/a.png)">x</div>'),
    ),
    ("color-attribute", table(f'{LAYOUT} bgcolor="white"')),
    ("color-attribute", says('<font color="#123">x</font>')),
    ("color-short", styled("color:#123")),
    ("color-near-white", styled("background-color:#fffffe", "td")),
]
SIGNED_FIELDS = (
    "from:from:to:subject:subject:date:message-id:mime-version:content-type:"
    "list-unsubscribe:list-unsubscribe-post"
)


def signed(
    fields: str = SIGNED_FIELDS,
    more: str = "",
    domain: str = "news.example.org",
    algorithm: str = "rsa-sha256",
) -> Letter:
    """With a signature, folded as they are."""
    signature = (
        f"DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={domain};\n s=s1;{more}\n"
        + "".join(f" {part}:\n" for part in f"h={fields}".split(":")).rstrip(":\n")
        + ";\n bh=abc=; b=def=\n"
    )
    return GOOD.with_header("From:", f"{signature}From:")


def addressed(field: str) -> Letter:
    """With one more field."""
    return GOOD.with_header("Precedence:", f"{field}\nPrecedence:")


def from_(mailbox: str) -> Letter:
    return GOOD.with_header("Example Letter <letter@news.example.org>", mailbox)


BAND = '<td style="background-color:#1f6b54;color:#1f6b54">&#8203;</td>'
ATTACHED = 'text/html; charset="utf-8"'
SENDER = [
    ("from-freemail", from_("Example Letter <example@Yahoo.com>")),
    ("name-deceives", from_("=?utf-8?q?Ex=D0=B0mple?= <letter@news.example.org>")),
    ("name-deceives", from_("=?utf-8?q?Bank=E2=80=AEten?= <letter@news.example.org>")),
    ("message-id-reader", GOOD.with_header("<i42.", "<joerg=example.net.")),
    ("header-telltale", addressed("X-Mailer: Sendy 6.1 (letters.example.org)")),
    ("header-telltale", addressed("X-PHP-Originating-Script: 1000:send.php")),
    ("sender-same", addressed("Sender: Example Letter <letter@news.example.org>")),
    ("list-form", GOOD.with_header("List-Post: NO", "List-Post: never")),
    ("list-form", GOOD.with_header("<https://news.example.org/archive/>", "news.example.org")),
    ("header-base64", GOOD.with_header("Issue 42: Makefiles,", "=?utf-8?b?SXNzdWUgNDI=?=\n ")),
    ("dkim-fields", signed(SIGNED_FIELDS.removesuffix(":list-unsubscribe-post"))),
    ("dkim-fields", signed("")),
    ("dkim-oversigned", signed(SIGNED_FIELDS.replace("from:from", "from"))),
    ("dkim-length", signed(more=" l=1200;")),
    ("dkim-algorithm", signed(algorithm="rsa-sha1")),
    ("dkim-expiry", signed(more=" t=1795342800; x=1795429200;")),
    ("dkim-aligned", signed(domain="relay.example.net")),
    ("subject-question", GOOD.with_header("message size", "message size?")),
    ("preheader-number", html(PREHEADER, "What 1,200 issues taught us about tools and thanks.")),
    ("preheader-joiner", html(PADDING, "&zwnj;&nbsp;" * 60)),
    ("ink-hidden", table(LAYOUT, f"<tr>{BAND}</tr>")),
    ("link-color", says('<p><a href="https://example.org/makefiles">the essay</a></p>')),
    ("color-named", styled("color:red")),
    ("css-obsolete", kept(".ExternalClass{width:100%}")),
    ("mso-line-height", html("mso-line-height-rule", "mso-nothing")),
]
FIRES = [*SENDER, *INBOX_ROW, *READING, *LINKS, *PICTURES, *PARTS, *DOCUMENT, *STYLES]

NEAR: list[tuple[str, Letter]] = [
    ("preheader-short", html(PREHEADER, "四十号で学んだこと、そして誰も感謝しない道具について")),
    ("heading-skip", says("<h3>a</h3><h4>b</h4><h2>c</h2>")),
    ("heading-faked", says("<p><strong>Never do this.</strong></p><p>It goes on.</p>")),
    ("heading-faked", says("<p><strong>Note</strong> that it goes on.</p><p>So it does.</p>")),
    ("contrast", styled("color:#777777;font-size:24px;line-height:34px")),
    ("contrast", styled("color:#777777;font-size:19px;font-weight:bold")),
    ("contrast", says('<div style="background-color:#1f6b54;color:#ffffff">light on dark</div>')),
    ("contrast", styled("color:inherit")),
    ("contrast-dark", kept(DARK.replace("X", ".nobody"))),
    ("contrast-dark", kept(DARK.replace("X", "td:hover"))),
    ("contrast-dark", kept(DARK.replace("prefers-color-scheme:dark", "max-width:600px"))),
    ("font-size", says("<p>As we said<sup style='font-size:11px'>1</sup></p>")),
    ("line-height", styled("font-size:30px;line-height:34px")),
    ("text-centred", styled("text-align:center")),
    ("capitals", says("<p>The HTTP and SMTP RFCs.</p>")),
    ("capitals", says("<pre>SELECT NAME FROM PEOPLE ORDER BY NAME</pre>")),
    ("bullet-emoji", says("<p>👉 one</p><p>two</p>")),
    ("link-text", linked("https://example.org/may", "Read more about the report")),
    ("link-text", says('<p><a name="fn1" href="#fn1"></a>x</p>')),
    ("link-disguised", linked("https://www.example.org/may", "example.org/may")),
    ("link-disguised", linked("https://docs.example.org/", "example.org")),
    ("link-disguised", linked("https://nodejs.example.org/", "Node.js")),
    ("link-disguised", linked("https://github.example.org/x", "README.md")),
    ("link-disguised", linked("mailto:ada@example.com", "ada@example.com")),
    (
        "link-ambiguous",
        linked("https://example.org/fn2", "2").with_html("the essay of last spring", "2"),
    ),
    ("link-ambiguous", linked("https://example.org/makefiles/", "the essay of last spring")),
    ("link-anchor", linked("#fn1").with_html("<h2", '<a name="fn1"></a><h2')),
    ("link-relative", linked("mailto:ada@example.com")),
    ("link-broken", linked("https://example.org/a?b=c&d=%20e(f)")),
    ("link-broken", linked("https://münchen.example/größe")),
    ("link-homograph", linked("https://münchen.example/")),
    ("link-homograph", linked("https://пример.example/")),
    ("link-local", linked("https://local.example.org/")),
    ("link-local", linked("https://example.org/localhost")),
    ("image-source", pictured(SIZED, "cid:lamp@example.org")),
    ("image-height", pictured('width="232" alt=""')),
    (
        "image-link-alt",
        says(
            f'<a href="https://x.example.org/"><img src="https://x.example.org/a.png" {SIZED}></a>'
        ),
    ),
    ("image-tracker", pictured('width="16" height="16" alt=""')),
    ("alt-poor", pictured('width="520" height="200" alt="Lamp"')),
    ("placeholder", says("<p>Write <code>{{ name }}</code> in <code>{% if %}</code>.</p>")),
    ("placeholder", says("<p>It costs $5 {or so}, 100% of it.</p>")),
    ("placeholder", says("<p>Growth of 5%% and 6%% a year</p>")),
    ("greeting-nobody", says("<p>None of them came, and null results are results.</p>")),
    ("greeting-nobody", says("<p>Dear Nonette, hello nobody.</p>")),
    ("greeting-nobody", says("<p>Python says hello to <code>None</code></p>")),
    ("text-link-lost", says('<p><a href="https://news.example.org/u/k7Qm2Zx9">out</a></p>')),
    ("html-link-lost", GOOD.with_text("at hand.", "at hand (https://example.org/makefiles).")),
    (
        "html-link-lost",
        says("<pre><i>https</i>://example.org/<b>x</b></pre>").with_text(
            "[1]", "https://example.org/x\n[1]"
        ),
    ),
    (
        "html-link-lost",
        says("<p>See https://example.org/typed</p>").with_text(
            "[1]", "https://example.org/typed\n[1]"
        ),
    ),
    (
        "text-markup",
        says("<p>Write <code>&lt;p&gt;</code></p>").with_text("at hand", "at <p> hand"),
    ),
    ("text-wide", GOOD.with_text("at hand", f"    {WORDS * 3}\nat hand")),
    ("element-forbidden", says('<script type="application/ld+json">{}</script>')),
    (
        "css-media-feature",
        kept("@media screen and (max-width:400px){.a{color:#000000 !important}}"),
    ),
    ("important-missing", kept("@media (max-width:400px){.px{letter-spacing:0}}")),
    ("selector-attribute", kept("[data-ogsc] .a{color:#000000 !important}")),
    ("selector-chained", kept(".a .b{color:#000000}")),
    ("color-spaces", styled("color:rgb(0, 80, 0)")),
    ("color-modern", styled("background-color:#ffffff")),
    (
        "color-short",
        styled("background-image:url(https://x.example.org/#abc);background-color:#ffffff"),
    ),
    (
        "background-fallback",
        table(f'{LAYOUT} bgcolor="#ffffff" background="https://x.example.org/a.png"'),
    ),
    ("box-margin", styled("margin:0 0 20px")),
    ("box-margin", table(f'{LAYOUT} style="margin:0 auto"')),
    ("box-padding", styled("padding:12px;background-color:#f7f4ed", "td")),
    ("mso-balance", says("<!--[if !mso]><!--><p>x</p><!--<![endif]-->")),
    ("mso-balance", says("<!-- an ordinary comment -->")),
    ("table-role", table('border="0"', '<tr><th scope="col">a</th></tr>')),
    ("table-floating", table(f'{LAYOUT} align="center"')),
    ("title-subject", html("<title>Makefiles", "<title>MAKEFILES")),
    ("html-dir", html('dir="ltr" xmlns', 'dir="rtl" xmlns')),
    ("subject-caps", GOOD.with_header("Issue 42", "NASA")),
    ("subject-reply", GOOD.with_header("Issue 42", "Relay")),
    ("header-wide", GOOD.with_header("List-Post: NO", "List-Post:\n NO")),
    ("address-form", GOOD.with_header("From: Example Letter", 'From: "Letter, Example"')),
    ("name-address", GOOD.with_header("From: Example Letter", "From: letter@news.example.org")),
    ("date-form", GOOD.with_header("Sun, 22 Nov 2026 10:00:00 +0000", "22 Nov 2026 10:00 +0100")),
    ("feedback-id", GOOD.with_header("i42:letter:newsletter:exampleorg", "a:b:c:abcde")),
    ("bidi-control", says("<p>\u200fשלום</p>")),
    ("from-freemail", from_("Example Letter <letter@mail.gmail.com.example.org>")),
    ("name-deceives", from_("=?utf-8?q?J=C3=B6rg_=C5=81ukasz?= <letter@news.example.org>")),
    ("name-deceives", from_("=?utf-8?b?0J/QuNGB0YzQvNC+?= <letter@news.example.org>")),
    ("message-id-reader", GOOD.with_header("joerg@example.net", "i4@news.example.org")),
    ("header-telltale", addressed("X-Campaign: 42")),
    ("sender-same", addressed("Sender: Relay <relay@example.net>")),
    ("list-form", addressed("List-Help: <https://news.example.org/help>, <mailto:a@example.org>")),
    ("list-form", addressed("List-Owner: <mailto:a@example.org> (Contact Person)")),
    ("header-base64", GOOD.with_header("Issue 42: Makefiles,", "=?utf-8?b?w4Y=?=\n ")),
    *((f"dkim-{n}", signed()) for n in ("fields", "oversigned", "length", "algorithm", "aligned")),
    ("dkim-aligned", signed(domain="example.org")),
    ("dkim-expiry", signed(more=" t=1795342800; x=1796552400;")),
    ("dkim-expiry", signed(more=" t=1795342800;")),
    ("subject-question", GOOD.with_header("Issue 42:", "Why? Issue 42:")),
    (
        "preheader-number",
        html(PREHEADER, "What 1200 issues taught us, 3,4 and 5 of them, on tools."),
    ),
    ("ink-hidden", table(LAYOUT, f"<tr>{BAND.replace('color:#1f6b54;color', 'color')}</tr>")),
    ("ink-hidden", table(LAYOUT, '<tr><td style="background-color:#1f6b54">&#8203;</td></tr>')),
    ("link-color", linked("https://example.org/may")),
    (
        "link-color",
        says('<p><a href="https://a.example.org/"><b style="color:#1f6b54">a report</b></a></p>'),
    ),
    ("link-color", says('<p><a name="x"></a>words</p>')),
    ("color-named", styled("color:inherit;background-color:transparent")),
    ("css-obsolete", kept(".external{color:#000000}")),
]


def names(cases: list[tuple[str, Letter]]) -> list[str]:
    return [f"{number}-{code}" for number, (code, _) in enumerate(cases)]


@pytest.mark.parametrize(("code", "letter"), FIRES, ids=names(FIRES))
def test_a_fault_is_found(code: str, letter: Letter) -> None:
    assert code in codes(letter.content)


@pytest.mark.parametrize(("code", "letter"), NEAR, ids=names(NEAR))
def test_what_looks_like_a_fault_is_none(code: str, letter: Letter) -> None:
    assert code not in codes(letter.content)


def test_every_rule_has_a_letter_that_it_speaks_about() -> None:
    written = {
        "image-weight",
        "image-bytes",
        "postal-address",
        "web-version",
        "web-version-text",
        "sender-named",
        "image-stretched",
        "subject-repeated",
        "article-empty",
        "slot-bare",
        "link-draft",
    }
    shown = {code for code, _ in FIRES} | {code for code, _ in MUTANTS.values()} | written
    # Those on mail clients have a test of their own: test_lint_compat.
    assert shown == {code for code in BY_CODE if not code.startswith("compat.")}


def test_every_rule_has_a_code_of_its_own_a_source_a_remedy_and_a_title() -> None:
    assert len(RULES) == len(BY_CODE) >= 150
    for rule in RULES:
        assert rule.source, rule.code
        assert rule.remedy, rule.code
        assert len(rule.remedy) <= 140, rule.code
        assert 5 < len(rule.title) < 120, rule.code


def test_a_fault_made_a_thousand_times_is_said_a_dozen_times() -> None:
    links = "".join(f'<a href="/relative/{n}">report {n}</a>' for n in range(500))
    problems = [p for p in check_mail(says(links).content) if p.code == "link-relative"]
    assert len(problems) == 13
    assert problems[-1].message == "and 488 more of these"


def test_many_faults_are_summed_up_as_bad_as_the_worst_of_them() -> None:
    grids = "".join(f".a{n}{{display:grid}}" for n in range(30))
    found = [p for p in check_mail(kept(grids).content) if p.code == "compat.css-display-grid"]
    assert found[-1].message == "and 18 more of these"
    assert BY_CODE["compat.css-display-grid"].severity is Severity.ERROR
    assert {problem.severity for problem in found} == {Severity.WARNING}


@pytest.mark.parametrize("place", ['style="width:{}px"', 'bgcolor="{}"', 'style="color:rgb({})"'])
def test_a_number_without_end_is_passed_over(place: str) -> None:
    check_mail(says(f"<p {place.format('1' * 9000)}>x</p>").content)
    check_mail(kept(f".a{{width:{'1' * 9000}px}}").content)


def test_a_long_quotation_is_cut() -> None:
    problems = check_mail(linked("https://example.org/ " + "a" * 5000).content)
    assert max(len(problem.message) for problem in problems) <= 200


@pytest.mark.parametrize(
    ("size", "severity"), [(90_000, Severity.WARNING), (110_000, Severity.ERROR)]
)
def test_the_size_is_a_warning_first(size: int, severity: Severity) -> None:
    content = says(f"<p>{'word ' * (size // 5)}</p>").content
    assert [p.severity for p in check_mail(content) if p.code == "size-clip"] == [severity]


def test_a_letter_is_checked_in_under_50_ms() -> None:
    content = says("".join(f"<p>{WORDS * 3}</p>" for _ in range(40))).content

    def once() -> float:
        start = time.process_time()
        check_mail(content)
        return time.process_time() - start

    once()
    assert min(once() for _ in range(5)) < 0.05


def test_the_table_of_near_misses_is_about_rules_that_exist() -> None:
    assert {code for code, _ in NEAR} <= set(BY_CODE)
