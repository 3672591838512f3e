"""The door to premailer: what it is asked, what it may not touch, what it refuses."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import css_inline
import premailer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from newsletter.compose import inline
from newsletter.compose.block_rules import Rule
from newsletter.compose.inline import inline_css
from newsletter.compose.theme import load_theme
from newsletter.errors import ComposeError
from newsletter.model import Slot
from newsletter.slots import TOKEN
from tests.themed import BODY, page

KEPT = """
:root{color-scheme:light dark}
@media (max-width:599px){.px{padding:0 !important}.a > b{color:#ffffff !important}}
@media (prefers-color-scheme:dark){.page{background-color:#000000 !important}}
@font-face{font-family:"X";src:url(x.woff2)}
@supports (display:grid){.g{display:grid}}
@keyframes k{from{opacity:0}}
[data-ogsc] .ink{color:#eeeeee !important}
u + .body a{color:inherit}
a[x-apple-data-detectors]{color:inherit !important}
#MessageViewBody a{color:inherit}
"""


def mail(body: str, css: str = "", kept: str = KEPT, head: str = "") -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>t</title>'
        f'{head}<style>{css}</style><style data-premailer="ignore">{kept}</style></head>'
        f'<body class="body">{body}</body></html>'
    )


def body_of(document: str) -> str:
    return document[document.index("<body") :].partition(">")[2].rpartition("</body>")[0]


def inlined(body: str, css: str = "", kept: str = KEPT) -> str:
    return body_of(inline_css(mail(body, css, kept)))


@pytest.fixture
def whole(tmp_path: Path) -> str:
    """The base template around everything an article may hold, not inlined yet."""
    made = page(tmp_path, BODY)
    return load_theme(made.letter).fill_html(made)[0]


# --- what survives -------------------------------------------------------------------------------


def test_block_b_survives_byte_for_byte() -> None:
    assert f"<style>{KEPT}</style>" in inline_css(mail("<p>x</p>", "p{color:#111111}"))


def test_block_b_of_the_base_template_loses_only_what_nothing_wears(whole: str) -> None:
    before, after = (
        re.findall(
            r"([^{}@]+)\{([^{}]*)\}", re.findall(r"<style[^>]*>(.*?)</style>", text, re.S)[-1]
        )
        for text in (whole, inline_css(whole))
    )
    rules = {(each.strip(), body) for selectors, body in before for each in selectors.split(",")}
    left = {(each.strip(), body) for selectors, body in after for each in selectors.split(",")}
    assert left <= rules
    for selector, _ in rules - left:
        names = [name.lstrip(".") for name in re.findall(r"\.?[\w-]+$|\.[\w-]+", selector)]
        assert not all(re.search(rf'[<" ]{name}[" >]', body_of(whole)) for name in names), selector


def test_what_nothing_wears_goes_from_block_b_and_what_a_client_adds_stays() -> None:
    theme = ".callout td{color:#111111} .note{color:#111111} mark{color:#111111} p{color:#111111}"
    kept = (
        "@media (max-width:599px){.callout td,.copy p{color:#222222 !important}}\n"
        "@media (prefers-color-scheme:dark){\n.note{color:#222222 !important}\n}\n"
        "[data-ogsc] .note,[data-ogsc] mark{color:#222222 !important}\n"
        ".ExternalClass p{margin:0}\nu + .body p{margin:0}\n.note[x-a]{margin:0}\n"
    )
    document = inline_css(mail("<p>x</p>", theme, kept))
    assert document.partition("<style>")[2].partition("</style>")[0] == (
        "@media (max-width:599px){.copy p{color:#222222 !important}}\n"
        ".ExternalClass p{margin:0}\nu + .body p{margin:0}\n.note[x-a]{margin:0}\n"
    )
    quoted = '.note::before{content:"}"}'
    assert quoted in inline_css(mail("<p>x</p>", theme, quoted))


def test_block_b_is_small_and_has_no_comment_and_one_condition_per_rule(whole: str) -> None:
    kept = re.findall(r'<style data-premailer="ignore">(.*?)</style>', whole, re.DOTALL)[0]
    assert len(kept.encode()) <= 4096
    assert "/*" not in kept
    assert [query.count(",") for query in re.findall(r"@media[^{]*", kept)] == [0, 0]


def test_the_document_begins_with_its_doctype(whole: str) -> None:
    assert inline_css(whole).startswith("<!DOCTYPE html>\n<html")
    assert inline_css("\n" + mail("x")).startswith("<!DOCTYPE html>\n<html")


def test_no_three_digit_hex_is_left(whole: str) -> None:
    document = inline_css(whole)
    assert not re.findall(r"#[0-9a-f]{3}\b", document, re.I)
    assert "#ffffff" in inlined('<p class="w">x</p>', ".w{color:#ffffff}")


def test_every_img_keeps_its_width_and_height(whole: str) -> None:
    sizes = re.compile(r'<img[^>]*\b(width="\d+")\s+(height="\d+")?')
    assert sizes.findall(inline_css(whole)) == sizes.findall(whole)
    image = inlined('<img src="a" width="520" alt="">', "img{width:100%;height:auto}")
    assert 'width="520"' in image
    assert 'height="' not in image


def test_the_tokens_are_the_same_before_and_after(whole: str) -> None:
    assert sorted(TOKEN.findall(inline_css(whole))) == sorted(TOKEN.findall(whole))


def test_the_same_document_gives_the_same_bytes(whole: str) -> None:
    assert inline_css(whole) == inline_css(whole)
    assert inline_css(whole.replace("\n", "\r\n")) == inline_css(whole)


def test_threads_do_not_disturb_each_other() -> None:
    mails = [mail(f'<p class="c{n}">x</p>', f".c{n}{{margin:{n}px}}") for n in range(40)]
    alone = [inline_css(each) for each in mails]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(inline_css, mails)) == alone


@pytest.mark.parametrize(
    "snippet",
    [
        "<!--[if mso]><table><tr><td><![endif]-->x<!--[if mso]></td></tr></table><![endif]-->",
        "<!--[if !mso]><!-->x<!--<![endif]-->",
        "<!--[if mso]><style>td{color:#123}</style><![endif]-->",
        "<p>{{ name }} %%url%% [[x]] *|X|* @@x@@</p>",
        f'<a href="{Slot("unsubscribe_url").token}">x</a>',
        "<p>\U0001f44b\U0001f3fd \U0001f469\u200d\U0001f52c \U0001f1f5\U0001f1f9</p>",
        "<p>a\u00a0b\u2007\u034f\u00ad \u200bc</p>",
        '<table><tr><td nowrap align="center">x</td></tr></table>',
        "<pre>a\n   b\n\n\n  c  </pre>",
        '<div style="white-space:pre-wrap">a   b\n\n c</div>',
        "<p>a <b>b</b> <i>c</i></p>",
        '<a name="x"></a>',
        '<a href="#here">x</a><p id="here">y</p>',
        '<th scope="col">x</th>',
    ],
)
def test_it_comes_out_as_it_went_in(snippet: str) -> None:
    snippet = f"<table><tr>{snippet}</tr></table>" if snippet.startswith("<th ") else snippet
    assert inlined(snippet).replace('nowrap=""', "nowrap") == snippet


def test_the_blanks_between_rows_go_and_between_words_shrink() -> None:
    body = "<table>\n  <tr>  <td>\n   a   b\n\n\n   c</td> </tr>\n</table>"
    assert inlined(body) == "<table>\n<tr><td>\na b\nc</td></tr>\n</table>"


def test_what_is_nested_very_deep_is_kept() -> None:
    deep = "<div>" * 700 + "bottom" + "</div>" * 700
    assert "bottom" in inlined(deep, "p{margin:0}")


# --- the table of composition 4 ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "css", "result"),
    [
        ("<p>x</p>", "p{color:#111111 !important}", 'style="color:#111111 !important"'),
        ("<p>a</p><p>b</p>", "p:first-child{margin:0}", '<p style="margin:0">a</p><p>b</p>'),
        ("<p>a</p><p>b</p>", "p:last-child{margin:0}", '<p>a</p><p style="margin:0">b</p>'),
        ('<p style="color:#222222">x</p>', "p{color:#111111}", '"color:#222222"'),
        ("<p>x</p>", "p{color:#111111;color:#222222}", '"color:#222222"'),
        ('<p class="a">x</p>', "p{margin:0}.a{margin:0 0 8px}", '"margin:0 0 8px"'),
        ("<br/>", "", "<br>"),
        ("&mdash;&nbsp;&zwnj;&shy;&#847;", "", "—\u00a0\u200c\u00ad\u034f"),
        ('<a href="https://e.org/a b/é">x</a>', "", 'href="https://e.org/a%20b/%C3%A9"'),
        ("<p>x</p>", 'p{font-family:"A B",serif}', "style='font-family:\"A B\", serif'"),
        ("<p>x</p>", "p{font-family:A B,serif}", '"font-family:A B,serif"'),
        ("<p>x</p>", "p{mso-line-height-rule:exactly}", "mso-line-height-rule:exactly"),
        ("<p>x</p>", "/* c */p{/* d */margin:0/* e */}", '"margin:0"'),
        ('<th align="right">x</th>', 'th{margin:0}th[align="right"]{padding:0}', "padding:0"),
    ],
)
def test_what_premailer_does_right(body: str, css: str, result: str) -> None:
    body = f"<table><tr>{body}</tr></table>" if body.startswith("<th") else body
    assert result in inlined(body, css)


def test_block_a_leaves_no_style_element_behind() -> None:
    document = inline_css(mail("<p>x</p>", "p{color:#111111}.gone{margin:0}"))
    assert document.count("<style") == 1
    assert ".gone" not in document


@pytest.mark.parametrize(
    "css",
    [
        "@media (max-width:600px){p{margin:0}}",
        "@media (width <= 600px){p{margin:0}}",
        "@media screen{@media print{p{margin:0}}}",
        "@font-face{font-family:X}",
        "@import url(https://example.org/x.css);",
        "@supports (display:grid){p{margin:0}}",
        "a:hover{color:#111111}",
        "p::before{content:'x'}",
        ":root{--x:1}",
        "tr:nth-child(even) td{margin:0}",
        "p:not(.a){margin:0}",
        "p:is(.a,.b){margin:0}",
        "p:has(b){margin:0}",
        'a[href^="https:"]{color:#111111}',
        'input[type="a,b"]{margin:0}',
        "*{margin:0}",
        "p > *{margin:0}",
        ".sm\\:w-full{width:100%}",
        "p{color:var(--c)}",
        "p{margin:0",
        "p{margin:0}}",
        "p..a{margin:0}",
    ],
)
def test_css_that_premailer_would_drop_or_mangle_is_refused(css: str) -> None:
    """An unclosed block is CSS: the parser closes it, so it is inlined."""
    if css == "p{margin:0":
        assert 'style="margin:0"' in inlined("<p>x</p>", css)
        return
    with pytest.raises(ComposeError, match=r"line \d+ of the style block"):
        inline_css(mail("<p>x</p>", css))


def test_a_style_block_in_the_article_is_inlined_like_block_a() -> None:
    assert inlined("<style>p{margin:0}</style><p>x</p>") == '<p style="margin:0">x</p>'


@pytest.mark.parametrize(
    "document",
    [
        "",
        "   ",
        "<p>x</p>",
        "<!doctype html><html><head></head><body>x</body></html>",
        "<!-- made by hand -->" + mail("x"),
        "\ufeff" + mail("x"),
        '<?xml version="1.0" encoding="utf-8"?>' + mail("x"),
    ],
)
def test_a_document_without_a_doctype_at_the_start_is_refused(document: str) -> None:
    with pytest.raises(ComposeError, match="begin with <!DOCTYPE html>"):
        inline_css(document)


def test_the_conditional_that_hides_nothing_is_refused() -> None:
    with pytest.raises(ComposeError, match="broken comment"):
        inline_css(mail("<![if !mso]>x<![endif]>"))


@pytest.mark.parametrize(
    "head",
    [
        '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">',
        '<link href="/etc/hostname" rel="alternate STYLESHEET">',
        '<base href="https://example.org/">',
    ],
)
def test_attack_21_nothing_is_fetched(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        pytest.fail("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    with pytest.raises(ComposeError, match="network"):
        inline_css(mail("<p>x</p>", head=head))
    remote = '<img src="http://127.0.0.1:9/x.png" alt=""><p>x</p>'
    assert "127.0.0.1:9" in inlined(remote, "p{background-image:url(http://127.0.0.1:9/y.png)}")


# --- what is left of names and attributes --------------------------------------------------------


def test_only_names_that_block_b_uses_are_left() -> None:
    body = '<p class="px lead ink" id="p1">x</p><p class="lead" id="MessageViewBody">y</p>'
    assert inlined(body) == '<p class="px ink">x</p><p id="MessageViewBody">y</p>'


def test_word_gets_bgcolor_on_cells_and_nobody_gets_it_elsewhere() -> None:
    css = ".t{background-color:#abcdef;text-align:center;vertical-align:top}"
    cell = inlined('<table><tr><td class="t">x</td></tr></table>', css)
    assert all(part in cell for part in ('bgcolor="#abcdef"', 'align="center"', 'valign="top"'))
    assert "bgcolor" not in inlined('<p class="t">x</p>', css)
    assert "align=" not in inlined('<span class="t">x</span>', css)
    assert "align=" not in inlined('<p class="s">x</p>', ".s{text-align:start}").replace(
        "-align", ""
    )


def test_every_class_of_the_base_template_that_is_left_is_named_in_block_b(whole: str) -> None:
    document = inline_css(whole)
    kept = document.partition("<style>")[2]
    left = {name for value in re.findall(r'class="([^"]*)"', document) for name in value.split()}
    assert left
    assert all(f".{name}" in kept for name in left)


# --- a second opinion ----------------------------------------------------------------------------


def declarations(document: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each element of the body with its declarations. A tbody that the other parser adds has
    none and is left out."""
    body = etree.fromstring(document, etree.HTMLParser()).find("body")
    assert body is not None
    for element in body.iter(etree.Element):
        pairs = (part.partition(":") for part in element.get("style", "").split(";"))
        style = {name.strip(): _same(value) for name, _, value in pairs if name.strip()}
        if element.tag != "tbody" or style:
            yield str(element.tag), style


def _same(value: str) -> str:
    return re.sub(r"\s*,\s*", ",", value.strip().replace('"', "'"))


def test_css_inline_gives_every_element_the_same_declarations(whole: str) -> None:
    kept = whole.replace('data-premailer="ignore"', 'data-css-inline="keep"')
    other = css_inline.CSSInliner(load_remote_stylesheets=False).inline(kept)
    ours = list(declarations(inline_css(whole)))
    assert len(ours) > 100
    assert ours == list(declarations(other))


def test_no_selector_of_block_a_mixes_a_shorthand_with_its_parts(whole: str) -> None:
    """premailer 3.10.0 orders them wrongly: see composition 4."""
    block = re.findall(r"<style>\n(.*?)</style>", whole, re.DOTALL)[0]
    for family in ("margin", "padding", "font", "background", "list-style"):
        names = set(re.findall(rf"[{{;]\s*({family}(?:-\w+)*)\s*:", block))
        assert family not in names or names == {family}, names


def test_no_style_attribute_holds_a_quote(whole: str) -> None:
    assert "style='" not in inline_css(whole)


def test_the_base_template_keeps_within_what_mail_clients_know(whole: str) -> None:
    styles = "".join(re.findall(r'style="([^"]*)"', inline_css(whole)))
    for unknown in ("rem", "flex", "grid", "position:", "calc(", "float:", "rgb(", "var("):
        assert unknown not in styles


# --- colours -------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rule_72_every_ink_is_legible_on_every_ground(tmp_path: Path, scheme: str) -> None:
    theme = load_theme(page(tmp_path).letter)
    module = theme.environment.get_template("palette.jinja").module
    colours: dict[str, str] = getattr(module, scheme)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours.values())
    for ink in ("ink", "muted", "heading", "link"):
        for ground in ("page", "panel", "tint"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ink in ("keyword", "string", "number", "comment", "note", "tip", "warning"):
        assert contrast(colours[ink], colours["tint"]) >= 4.5, ink
    assert contrast(colours["button_ink"], colours["button"]) >= 4.5


# --- anything goes in ----------------------------------------------------------------------------

WORDS = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="<>&\ufeff"), max_size=30
)


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, max_size=5), st.sampled_from(["p", "div", "h2", "span"]))
def test_no_word_is_lost(words: list[str], tag: str) -> None:
    body = "".join(f"<{tag}>{word}</{tag}>" for word in words)
    tree: Any = etree.fromstring(inline_css(mail(body, f"{tag}{{margin:0}}")), etree.HTMLParser())
    got = "".join(map(str, tree.xpath("//body//text()")))
    assert re.sub("[ \t\n\r\f]+", " ", "".join(words)).strip(" ") == got.strip(" \n")


# --- what is remembered --------------------------------------------------------------------------


def test_a_rule_is_remembered_without_its_place_in_the_block() -> None:
    both = '<p class="one two">x</p>'
    for first, second in (("one", "two"), ("two", "one"), ("one", "two")):
        css = f".{first}{{color:#111111}} .{second}{{color:#222222}}"
        assert inlined(both, css) == '<p style="color:#222222">x</p>'


def _whole(rule: Rule, present: set[str]) -> str:
    return f"{','.join(each.text for each in rule.selectors)}{{{rule.declarations}}}"


def test_each_mail_is_as_premailer_makes_it_without_a_memory(
    whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the whole block A: rules that match nothing, and reading each once, change nothing."""
    remembered = [inline_css(whole), inline_css(whole)]
    monkeypatch.setattr(inline, "_needed", _whole)
    monkeypatch.setattr(inline, "_premailer", lambda: premailer.Premailer)
    assert remembered == [inline_css(whole)] * 2


def test_a_selector_whose_class_nobody_wears_is_left_out_and_its_neighbour_kept() -> None:
    css = "td.no,.no p,p.yes{margin:0}"
    assert inlined('<p class="yes">x</p>', css) == '<p style="margin:0">x</p>'


@pytest.mark.parametrize(
    "selector",
    [
        "p",
        ".yes",
        "p.yes.too",
        "div > p",
        "body div p",
        "#here",
        "p#here.no-1-x",
        'p[title="a .b c"]',
        "p[title$='.b c']",
        "div p:first-child",
        "div+p,p",
        "h9,div~p,p.yes",
    ],
)
def test_what_a_selector_needs_never_hides_a_match(selector: str) -> None:
    body = '<div><p class="yes too no-1-x" id="here" title="a .b c">x</p></div>'
    assert 'style="margin:0"' in inlined(body, f"{selector}{{margin:0}}")
