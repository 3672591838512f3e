"""The lenses: one document in, one document out, as a kind of client would show it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from newsletter.errors import UsageError
from newsletter.lint.caniemail import clients
from newsletter.lint.colour import parse
from newsletter.lint.inversion import inverted_ground, inverted_ink
from newsletter.preview.lenses import LENSES, lens_named
from newsletter.preview.lenses.conditional import as_word_reads, holds_in_word
from newsletter.preview.lenses.links import LinkRow, links_in
from newsletter.preview.lenses.outline import Heading, headings_in
from tests.conftest import GOLDEN

KITCHEN_SINK = (GOLDEN / "letter" / "kitchen-sink.html").read_text("utf-8")


def seen(name: str, body: str, head: str = "") -> str:
    document = f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"
    return LENSES[name].apply(document)


def words(document: str) -> str:
    tree = html.document_fromstring(document)
    return " ".join(" ".join(map(str, next(tree.iter("body")).itertext())).split())


@pytest.mark.parametrize("name", LENSES)
def test_a_lens_gives_a_whole_document_and_loses_no_words(name: str) -> None:
    through = LENSES[name].apply(KITCHEN_SINK)
    assert through.startswith("<!DOCTYPE html>")
    for sentence in ("Breathe out longer than you breathe in.", "1 Example Road, Exampleton"):
        assert sentence in words(through)
    assert "日本語の文章も、そのまま届きます。 مرحبا 😄" in words(through)


@pytest.mark.parametrize("name", LENSES)
@given(document=st.text(alphabet=st.characters(), max_size=80))
def test_a_lens_bears_anything(name: str, document: str) -> None:
    assert LENSES[name].apply(document).startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", LENSES)
@pytest.mark.parametrize("document", ["", "<!-- -->", "text", "<html>", "<body style='x'>", "\x00"])
def test_a_lens_bears_documents_that_are_none(name: str, document: str) -> None:
    assert "<html>" in LENSES[name].apply(document)


def test_lenses_can_be_put_one_over_the_other() -> None:
    once = KITCHEN_SINK
    for lens in LENSES.values():
        once = lens.apply(once)
    assert "Breathe out longer than you breathe in." in words(once)
    assert "<style>" in once, "dropped blocks were there before, not those a lens adds later"


def test_an_unknown_lens_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no lens 'rose'") as refused:
        lens_named("rose")
    assert "images-off" in str(refused.value.hint)


# clients


def through_client(name: str, body: str, head: str = "") -> str:
    document = f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"
    return lens_named(f"client:{name}").apply(document)


@pytest.mark.parametrize("name", [client.id for client in clients()])
def test_every_client_leaves_the_words_of_the_letter(name: str) -> None:
    through = lens_named(f"client:{name}").apply(KITCHEN_SINK)
    for sentence in ("Breathe out longer than you breathe in.", "1 Example Road, Exampleton"):
        assert sentence in words(through)


@given(document=st.text(alphabet="<>/ abimgspanvideo\"'=", max_size=80))
def test_a_client_bears_anything(document: str) -> None:
    assert "<html>" in lens_named("client:gmail.ios").apply(document)


def test_an_unknown_client_is_refused() -> None:
    with pytest.raises(UsageError, match="gmail"):
        lens_named("client:gmail.pager")


def test_gmail_on_a_phone_drops_what_caniemail_says() -> None:
    through = through_client(
        "gmail.ios",
        '<div style="position:relative; color:#111111; width:var(--w)">a<video>b<i>c</i>d</video>e'
        "<svg><title>f</title></svg>g</div>",
        "<style>.a:hover,.b{color:#222222}@media (prefers-color-scheme:dark){.c{color:#333333}}"
        "@media (max-width:599px){.d{color:#444444}}</style>",
    )
    assert 'style="color:#111111"' in through
    assert "ab<i>c</i>deg" in through
    assert ".b{color:#222222}" in through
    assert ":hover" not in through
    assert "#333333" not in through
    assert ".d{color:#444444}" in through


def test_a_client_that_drops_style_blocks_and_one_that_is_word() -> None:
    drops = next(client.id for client in clients() if client.drops_style)
    assert "<style" not in through_client(drops, "x", "<style>p{}</style>")
    branch = "<!--[if mso]><b>word</b><![endif]-->"
    assert "<b>word</b>" in through_client("outlook.windows", branch)
    density = "<!--[if mso]><noscript><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml></noscript>"
    assert "96" not in through_client("outlook.windows", "x", f"{density}<![endif]-->")
    webp = through_client("outlook.windows", '<img src="a.webp" alt="Leaf" width="60">')
    assert "a.webp" not in webp
    assert "Leaf" in words(webp)


# images-off


def test_a_picture_becomes_its_words_in_a_box_of_its_size() -> None:
    through = seen(
        "images-off",
        '<img src="https://x.example/a.png" alt="A &lt;leaf&gt;" width="520" height="300"'
        ' style="display:block; color:#1f6b54; font-size:14px; width:100%; border:0">',
    )
    assert "x.example" not in through
    assert "A &lt;leaf&gt;" in through
    [style] = re.findall(r'class="picture-off" style="([^"]*)"', through)
    for part in ("width:520px", "height:300px", "color:#1f6b54", "font-size:14px", "display:block"):
        assert part in style
    assert "border:0" not in style


def test_the_words_of_a_picture_have_its_colour_in_the_dark_too() -> None:
    through = seen(
        "images-off",
        "<style>@media (prefers-color-scheme:dark){.copy img,.logo{color:#eeeeee}}.imgs{margin:0}"
        '</style><p class="copy"><img class="logo" src="a.png" alt="A leaf"></p>',
    )
    assert ".copy .picture-off,.logo{color:#eeeeee}" in through
    assert 'class="picture-off logo"' in through
    assert ".imgs{" in through


def test_a_picture_without_words_says_so_and_an_ornament_stays_silent() -> None:
    assert "no alternative text" in words(seen("images-off", '<img src="a.png" width="60">'))
    assert words(seen("images-off", '<img src="a.png" alt="" width="60">')) == ""
    pixel = seen("images-off", '<img src="a.png" alt="x" width="1" height="1">')
    assert "border" not in pixel


def test_background_pictures_are_off_too_but_colours_stay() -> None:
    through = seen(
        "images-off",
        '<table background="b.png"><tr><td style="background:#ffeecc url(a.png) no-repeat;'
        ' background-image:url(c.png); color:#000000">x</td></tr></table>',
        head="<style>.a{background-image:url(d.png);color:#111111}</style>",
    )
    for name in ("a.png", "b.png", "c.png", "d.png"):
        assert name not in through
    assert "background:#ffeecc" in through
    assert ".a{color:#111111}" in through


# no-style


def test_without_style_blocks_attributes_stay() -> None:
    through = seen(
        "no-style",
        '<style>p{color:red}</style><p class="a" style="color:#000000">x</p>tail',
        head='<style>b{}</style><link rel="stylesheet" href="x.css"><link rel="icon" href="y">',
    )
    assert "<style" not in through
    assert "x.css" not in through
    assert 'rel="icon"' in through
    assert 'style="color:#000000"' in through
    assert words(through) == "x tail"


# inverted


def test_ink_and_ground_are_turned_over_each_by_itself() -> None:
    through = seen("inverted", '<p style="color:#1f2328; background-color:#ffffff">x</p>')
    ink, ground = parse("#1f2328"), parse("#ffffff")
    assert ink is not None
    assert ground is not None
    assert (
        f'style="color:{inverted_ink(ink)}; background-color:{inverted_ground(ground)}"' in through
    )
    white_button = seen("inverted", '<a style="color:#ffffff; background:#0b57d0">x</a>')
    assert "color:#ffffff" in white_button


def test_attributes_and_gradients_are_turned_over_and_pictures_stay() -> None:
    through = seen(
        "inverted",
        '<table bgcolor="#ffffff"><tr><td style="background:linear-gradient(#ffffff, transparent)">'
        '<font color="#000000">x</font><img src="a.png"></td></tr></table>',
    )
    assert 'bgcolor="#212121"' in through
    assert 'color="#dbdbdb"' in through
    assert "linear-gradient(#212121, transparent)" in through
    assert 'src="a.png"' in through


def test_the_mails_own_dark_rules_are_not_read() -> None:
    head = (
        "<style>.a{color:#000000}@media (prefers-color-scheme:dark){.a{color:#123456}}"
        "[data-ogsc] .a{color:#123456}</style><meta name='color-scheme' content='light dark'>"
    )
    through = seen("inverted", "<p class='a'>x</p>", head)
    assert "#123456" not in through
    assert ".a{color:#dbdbdb}" in through
    assert "light dark" not in through


# word


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("mso", True),
        ("!mso", False),
        ("gte mso 9", True),
        ("lt mso 12", False),
        ("mso 16", True),
        ("mso 12", False),
        ("(gte mso 9)|(IE)", True),
        ("(mso)&(!vml)", False),
        ("!(mso | IE)", False),
        ("IE", False),
        ("true", True),
        ("gte mso", False),
        ("mso)", False),
        ("", False),
        ("!" * 60, False),
    ],
)
def test_conditions_are_those_of_outlook_for_windows(condition: str, holds: bool) -> None:
    assert holds_in_word(condition) is holds


@given(st.text(alphabet="()&|! msogtelv0.9", max_size=60))
def test_no_condition_is_too_odd(condition: str) -> None:
    assert holds_in_word(condition) in (True, False)


def test_word_sees_its_own_branches_and_not_those_of_the_others() -> None:
    read = as_word_reads(
        "<!--[if mso]><b>word</b><![endif]-->"
        "<!--[if !mso]><!--><i>others</i><!--<![endif]-->"
        "<!--[if !mso]><!-- --><i>others</i><!-- <![endif]-->"
        "<![if !mso]><i>others</i><![endif]>"
        "<!--[if IE]>old<![endif]--><!-- a remark -->"
    )
    assert read == "<b>word</b><!-- a remark -->"


def test_word_draws_the_ghost_table_of_the_theme() -> None:
    assert KITCHEN_SINK.count("<!--[if mso]><table") == 2
    tree = html.document_fromstring(LENSES["word"].apply(KITCHEN_SINK))
    assert tree.xpath("//table[@width='600']//h1")
    assert tree.xpath("//td[@width='260']//p"), "the teasers stand in the cells meant for Word"


def test_word_drops_what_it_does_not_know() -> None:
    through = seen(
        "word",
        '<div style="padding:9px; max-width:600px; border-radius:4px; width:50%; color:#111111">'
        '<td style="padding:8px; margin:4px; display:inline-block; color:#222222 !important">'
        '<p style="margin:4px; background:#ffffff url(a.png); box-shadow:0 0 1px #000">x</p>',
        head="<style>p{color:#333333}u + .body p{color:#444444}"
        "@media (max-width:599px){p{color:#555555}}</style>",
    )
    for gone in (
        "padding:9px",
        "max-width",
        "radius",
        "width:50%",
        "margin:4px; display",
        "#222222",
    ):
        assert gone not in through
    for gone in ("a.png", "shadow", "#444444", "#555555"):
        assert gone not in through
    for kept in ("#111111", "margin:4px", "background:#ffffff", "p{color:#333333}"):
        assert kept in through


def test_word_takes_times_for_a_stack_that_begins_with_a_web_font() -> None:
    head = "<style>@font-face{font-family:'Own';src:url(x.woff2)}</style>"
    own = seen("word", '<p style="font-family:Own, Georgia, serif">x</p>', head)
    assert "Times New Roman" in re.findall(r"<p style='?\"?[^>]*", own)[0]
    stack = seen(
        "word", '<p style="font-family:Helvetica Neue, Helvetica, Arial, sans-serif">x</p>'
    )
    assert "arial" in re.findall(r"<p [^>]*", stack)[0]


# zoom


def test_zoom_doubles_text_and_leaves_boxes() -> None:
    through = seen(
        "zoom",
        '<p style="font-size:18px; line-height:28px; width:260px; padding:4px">x</p>'
        '<p style="font:italic 12px/1.5 Georgia">y</p>',
        head="<style>@media (max-width:599px){h1{font-size:28px !important}}</style>",
    )
    assert "font-size:36px; line-height:56px; width:260px; padding:4px" in through
    assert "italic 24px/1.5 Georgia" in through
    assert "h1{font-size:56px !important}" in through


# links, outline


def test_links_are_numbered_by_target() -> None:
    body = '<a href="/a">one</a> <a href="/b"><img alt="two"></a> <a href="/a">again</a> <a name=x>'
    assert links_in(f"<body>{body}</body>") == (
        LinkRow(1, "/a", ("one", "again")),
        LinkRow(2, "/b", ("two",)),
    )
    assert words(seen("links", body)) == "1 one 2 1 again"


def test_the_outline_names_levels_and_what_is_wrong_with_them() -> None:
    body = "<h1>A</h1><h3>B <b>b</b></h3><h2>C</h2><h1>D</h1>"
    assert headings_in(f"<body>{body}</body>") == (
        Heading(1, "A"),
        Heading(3, "B b", "skips h2"),
        Heading(2, "C"),
        Heading(1, "D", "a second h1"),
    )
    assert words(seen("outline", body)) == "h1 A h3: skips h2 B b h2 C h1: a second h1 D"
