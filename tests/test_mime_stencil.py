"""Encoded once, filled per reader: exact, personal, and nobody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from html import escape, unescape
from itertools import zip_longest
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.errors import MailRefused
from newsletter.mime import (
    Stencil,
    fill,
    gate,
    places,
    stencil,
)
from newsletter.model import Recipient, Slot
from newsletter.slots import fill_slots
from tests.conftest import needs, thorough
from tests.mime_letter import (
    ADDRESS,
    CITY,
    DATE,
    FIRST_NAME,
    KEPT,
    LEAVE,
    LETTER,
    SLOTS,
    email,
    mail,
    needs_mailparser,
    parsed,
    part,
    reader,
)

BODY = st.characters(exclude_categories=["Cs"])
SEGMENTS = st.lists(
    st.text(alphabet=BODY, max_size=60) | st.text(alphabet=" =.F\nä\tЖ", max_size=150),
    min_size=1,
    max_size=5,
)
VALUES = st.fixed_dictionaries(
    {"first_name": st.text(alphabet=KEPT, max_size=90), "city": st.text(alphabet=KEPT, max_size=40)}
)


def lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def with_slots(segments: list[str], slots: list[Slot]) -> str:
    pairs = zip_longest(segments, slots[: len(segments) - 1], fillvalue=None)
    return "".join(
        (segment or "") + (slot.token if isinstance(slot, Slot) else "") for segment, slot in pairs
    )


def said(to: Recipient) -> Mapping[str, str]:
    return {**to.values, "address": to.address, "unsubscribe_url": to.unsubscribe_url}


def columns(content: bytes) -> int:
    return max(map(len, content.partition(b"\r\n\r\n")[2].split(b"\r\n")))


@settings(max_examples=thorough(150, 37), deadline=None)
@given(SEGMENTS, st.lists(st.sampled_from(SLOTS), min_size=4, max_size=4), VALUES)
@example(["", "", "", "", ""], list(SLOTS), {"first_name": " ", "city": ""})
@example(["x" * 73, "=" * 30, "\n", ".\n", " "], list(SLOTS), {"first_name": ". ", "city": "From "})
def test_any_text_with_slots_anywhere_arrives_exactly(
    segments: list[str], slots: list[Slot], values: dict[str, str]
) -> None:
    text = with_slots(segments, slots)
    to = reader(**values)
    content = mail(email(text=text), to).content
    assert part(content, "plain") == fill_slots(lf(text), SLOTS, said(to))
    assert columns(content) <= 76
    gate(content)
    parsed(content)


@settings(max_examples=thorough(150, 37), deadline=None)
@given(SEGMENTS, st.lists(st.sampled_from(SLOTS), min_size=4, max_size=4), VALUES)
def test_any_html_with_slots_between_tags_arrives_escaped(
    segments: list[str], slots: list[Slot], values: dict[str, str]
) -> None:
    html = with_slots([escape(segment) for segment in segments], slots)
    to = reader(**values)
    content = mail(email(html=html), to).content
    assert part(content, "html") == fill_slots(lf(html), SLOTS, said(to), escape)
    assert columns(content) <= 76


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_slots_in_the_subject_are_filled_and_encoded(values: dict[str, str]) -> None:
    to = reader(**values)
    subject = f"{FIRST_NAME.token}: quiet evenings in {CITY.token}?"
    meant = fill_slots(subject, SLOTS, values).strip(" ")
    while "  " in meant:
        meant = meant.replace("  ", " ")
    content = mail(email(subject=subject), to).content
    assert str(parsed(content)["Subject"]) == meant
    gate(content)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=KEPT, max_size=60))
@example("javascript:alert(1)")
@example("//evil.example.com")
@example("\" onclick='x' <b>&amp;")
@example("data:text/html,x")
def test_attack_08_a_value_in_a_link_is_one_component_of_it(value: str) -> None:
    html = (
        f'<p><a id="q" href="https://example.org/?a=1&amp;n={CITY.token}&amp;z=2">x</a>'
        f"<a id='s' href='{CITY.token}/page'>y</a></p>"
    )
    filled = part(mail(email(html=html), reader(city=value)).content, "html")
    query, start = lxml_html.fromstring(filled).iterfind(".//a")
    assert set(query.attrib) == set(start.attrib) == {"id", "href"}
    said_there = value if value.strip() else ""
    assert unquote(query.get("href", "")) == f"https://example.org/?a=1&n={said_there}&z=2"
    scheme = start.get("href", "").partition("/")[0].lower()
    assert ":" not in scheme or scheme in ("http:", "https:")


def test_a_web_address_at_the_start_of_a_link_stays_one() -> None:
    html = f'<a href="{CITY.token}">x</a>'
    filled = part(
        mail(email(html=html), reader(city="https://example.org/a?b=c d&e=é#f")).content, "html"
    )
    assert filled == '<a href="https://example.org/a?b=c%20d&amp;e=%C3%A9#f">x</a>'


def test_the_unsubscribe_link_works_as_link_and_as_text_in_outlook_too() -> None:
    html = (
        f'<a href="{LEAVE.token}">leave</a> {LEAVE.token}'
        f'<!--[if mso]><v:roundrect href="{LEAVE.token}?via=mso"></v:roundrect><![endif]-->'
    )
    to = reader()._replace(unsubscribe_url="https://example.org/u?k=a&l='b")
    link = "https://example.org/u?k=a&amp;l=&#x27;b"
    content = mail(email(html=html, text=f"{LEAVE.token}\n"), to).content
    assert part(content, "html") == (
        f'<a href="{link}">leave</a> {link}'
        f'<!--[if mso]><v:roundrect href="{link}?via=mso"></v:roundrect><![endif]-->'
    )
    assert part(content, "plain") == "https://example.org/u?k=a&l='b\n"


def test_the_recipients_own_link_and_address_win_over_the_values() -> None:
    to = reader(address="ada@example.net", unsubscribe_url="https://evil.example")
    text = f"{LEAVE.token} {ADDRESS.token}\n"
    to = to._replace(values={**to.values, "address": "eve@example.com"})
    content = mail(email(text=text), to).content
    assert part(content, "plain") == f"{to.unsubscribe_url} ada@example.net\n"


@pytest.mark.parametrize("value", ["{{7*7}}", "{% raw %}", "{{ first_name }}", CITY.token])
def test_attack_06_template_source_in_a_value_arrives_literally(value: str) -> None:
    marks = f"{FIRST_NAME.token}"
    to = reader(first_name=value, city="Exampleton")
    letter = email(text=f"{marks}\n", html=f"<p>{marks}</p>", subject=f"For {marks}")
    content = mail(letter, to).content
    assert part(content, "plain") == f"{value}\n"
    assert part(content, "html") == f"<p>{value}</p>"
    assert str(parsed(content)["Subject"]) == f"For {value}"


def test_attack_08_markup_in_a_name_is_text() -> None:
    to = reader(first_name="<b title=\"x\">Ada</b> & 'co'")
    letter = email(
        text=f"{FIRST_NAME.token}\n", html=f'<p title="{FIRST_NAME.token}">{FIRST_NAME.token}</p>'
    )
    content = mail(letter, to).content
    shown = part(content, "html")
    assert "<b" not in shown
    assert unescape(shown).count("<b title=\"x\">Ada</b> & 'co'") == 2
    assert part(content, "plain") == "<b title=\"x\">Ada</b> & 'co'\n"


@pytest.mark.parametrize(
    "value", ["Ada\r\nPlease pay", "Ada\nPlease pay", "Ada\u2028Please pay", "Ada\x0bPlease pay"]
)
def test_attack_01_a_value_cannot_forge_a_line(value: str) -> None:
    to = reader(first_name=value)
    letter = email(text=f"Dear {FIRST_NAME.token}\n", subject=f"Dear {FIRST_NAME.token}")
    content = mail(letter, to).content
    (line,) = part(content, "plain").splitlines()
    assert line.split() == ["Dear", "Ada", "Please", "pay"]
    assert str(parsed(content)["Subject"]) == "Dear Ada Please pay"


def test_attack_05_a_body_cannot_end_the_mail_early() -> None:
    text = "one\n.\r\nQUIT\r.\r\r\n.\n\r\n"
    content = mail(email(text=text)).content
    assert part(content, "plain") == lf(text)
    assert b"\r\n." not in content
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")


@pytest.mark.parametrize("value", ["", " ", "\t\r\n", "\u202e", "\u00a0"])
def test_a_blank_value_means_the_fallback(value: str) -> None:
    letter = email(text=f"Dear {FIRST_NAME.token}!\n", subject=f"Dear {FIRST_NAME.token}")
    content = mail(letter, reader(first_name=value)).content
    assert part(content, "plain") == "Dear friend!\n"
    assert str(parsed(content)["Subject"]) == "Dear friend"


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_attack_35_no_mail_holds_anything_of_another_reader(
    ada: dict[str, str], eve: dict[str, str]
) -> None:
    marks = " ".join(slot.token for slot in SLOTS)
    letter = email(text=f"{marks}\n", html=f"<p>{marks}</p>", subject=marks)
    cut = stencil(letter, LETTER, DATE)
    to_ada = reader("Ada", "ada@example.net")._replace(values={"first_name": "Qz1" + "a"} | ada)
    to_eve = reader("Eve Zyx", "eve@example.com")._replace(
        values={"first_name": "x", **eve, "city": "Wxyzburg"}
    )
    alone = fill(cut, to_ada)
    fill(cut, to_eve)
    after = fill(cut, to_ada)
    assert after == alone
    for theirs in (b"eve@example.com", b"token-of-eve", b"Wxyzburg", b"Zyx", b"+eve@"):
        assert theirs not in after.content


def test_the_same_mail_is_built_twice_to_the_same_bytes() -> None:
    marks = " ".join(slot.token for slot in SLOTS)
    letter = email(text=f"{marks}\n", html=f"<p>{marks}</p>", subject=marks)
    first, second = (mail(letter, reader("Jörg", first_name="Jörg")) for _ in range(2))
    assert first == second
    code = (
        "import sys; from tests.test_mime_stencil import *\n"
        "marks = ' '.join(slot.token for slot in SLOTS)\n"
        "letter = email(text=f'{marks}\\n', html=f'<p>{marks}</p>', subject=marks)\n"
        "sys.stdout.buffer.write(mail(letter, reader('Jörg', first_name='Jörg')).content)"
    )
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            check=True,
        )
        assert ran.stdout == first.content


def test_another_date_or_content_has_another_boundary() -> None:
    def boundary(cut: Stencil) -> str | None:
        return parsed(fill(cut, reader()).content).get_boundary()

    cuts = [
        stencil(email(), LETTER, DATE),
        stencil(email(), LETTER, DATE.replace(year=2027)),
        stencil(email(text="Goodbye\n"), LETTER, DATE),
    ]
    assert len({boundary(cut) for cut in cuts}) == 3


@pytest.mark.parametrize(
    "broken",
    [
        email(text=f"{Slot('unknown').token}\n"),
        email(text=f"{FIRST_NAME.token.upper()}\n"),
        email(text=f"{FIRST_NAME.token[:9]}\n{FIRST_NAME.token[9:]}\n"),
        email(subject=Slot("unknown").token),
        email(html=f"<p>{Slot('first_name', 'other').token}</p>"),
    ],
)
def test_an_email_with_a_slot_nobody_can_fill_makes_no_stencil(broken: object) -> None:
    with pytest.raises(MailRefused, match="no value can fill"):
        stencil(broken, LETTER, DATE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "html",
    [
        f"<style>p{{color:{CITY.token}}}</style>",
        f"<p style='color:{CITY.token}'>x</p>",
        f'<p onclick="f({CITY.token})">x</p>',
        f"<script>f({CITY.token})</script>",
        f"<p title={CITY.token}>x</p>",
        f"<p {CITY.token}=x>x</p>",
    ],
)
def test_attack_08_a_slot_where_no_escaping_is_safe_makes_no_stencil(html: str) -> None:
    with pytest.raises(MailRefused, match="could do anything"):
        stencil(email(html=html), LETTER, DATE)


def test_words_that_look_like_attributes_in_an_article_are_text() -> None:
    html = f'<p>write href="x{CITY.token}" or style="{CITY.token}" once = \'{CITY.token}\'</p>'
    content = mail(email(html=html), reader(city="a b")).content
    assert part(content, "html") == html.replace(CITY.token, "a b")


def test_an_article_may_show_double_braces() -> None:
    letter = email(text="Use {{ name }} or {% if %}.\n", html="<p><code>{{ name }}</code></p>")
    assert part(mail(letter).content, "plain") == "Use {{ name }} or {% if %}.\n"


def test_an_http_unsubscribe_link_is_refused_with_a_way_out() -> None:
    with pytest.raises(MailRefused, match="https://") as refused:
        mail(email(), reader()._replace(unsubscribe_url="http://127.0.0.1/u/k"))
    assert "base_url" in (refused.value.hint or "")


def test_a_letter_without_mailto_still_has_its_https_link() -> None:
    content = mail(email(), reader()._replace(unsubscribe_mailto="")).content
    assert parsed(content)["List-Unsubscribe"] == "<https://letters.example.org/u/token-of-ada>"


def test_a_mail_that_was_refused_leaves_the_next_reader_alone() -> None:
    cut = stencil(email(), LETTER, DATE)
    before = fill(cut, reader())
    with pytest.raises(MailRefused):
        fill(cut, reader(address="no address"))
    assert fill(cut, reader()) == before


# --- read by others ------------------------------------------------------------------------------


def rich() -> bytes:
    marks = " ".join(slot.token for slot in SLOTS)
    letter = email(
        text=f"Grüße, {marks}\n" * 3,
        html=f'<p>Grüße, {marks} <a href="{LEAVE.token}">x</a></p>\n' * 3,
        subject=f"{FIRST_NAME.token}, „ruhige“ Nächte & Tage in {CITY.token} " + "und weiter " * 6,
    )
    to = reader("Jörg “Jo” Müller, Praxis für Ruhe und Schlaf", first_name="Jörg", city="Köln")
    return mail(letter, to).content


def test_reformime_sees_two_quoted_printable_alternatives() -> None:
    needs("reformime")
    ran = subprocess.run(["reformime", "-i"], input=rich(), capture_output=True, check=True)
    tree = ran.stdout.decode()
    kinds = [line.split(": ")[1] for line in tree.splitlines() if line.startswith("content-type:")]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    assert tree.count("content-transfer-encoding: quoted-printable") == 2
    said = subprocess.run(
        ["reformime", "-e", "-s", "1.1"],
        input=rich(),
        capture_output=True,
        check=True,
    )
    assert said.stdout.decode().replace("\r\n", "\n") == part(rich(), "plain")


MAILPARSER = """
const {simpleParser} = require('mailparser');
simpleParser(process.stdin).then(m => console.log(JSON.stringify({
  to: m.to.value, subject: m.subject, text: m.text, html: m.html, id: m.messageId,
  list: Object.fromEntries([...m.headers].filter(([k]) => k === 'list')).list})));
"""


def test_mailparser_finds_the_links_the_names_and_the_same_texts() -> None:
    needs_mailparser()
    ran = subprocess.run(
        ["node", "-e", MAILPARSER],
        input=rich(),
        capture_output=True,
        check=True,
    )
    seen = json.loads(ran.stdout)
    assert seen["list"]["unsubscribe"]["url"] == "https://letters.example.org/u/token-of-ada"
    assert seen["list"]["unsubscribe-post"]["name"] == "List-Unsubscribe=One-Click"
    assert seen["to"] == [
        {"address": "ada@example.net", "name": "Jörg “Jo” Müller, Praxis für Ruhe und Schlaf"}
    ]
    assert seen["subject"] == str(parsed(rich())["Subject"])
    assert seen["text"].rstrip() == part(rich(), "plain").rstrip()
    assert seen["html"].rstrip() == part(rich(), "html").rstrip()


def test_percent_encoding_is_pythons() -> None:
    html = f'<a href="https://example.org/{CITY.token}">x</a>'
    value = "São Paulo/+%?#&"
    filled = part(mail(email(html=html), reader(city=value)).content, "html")
    assert filled == f'<a href="https://example.org/{quote(value, safe="")}">x</a>'


WRITERS = (places.write_text, places.write_html, places.write_link, places.write_link_part)
PLAIN = "https://letters.example.org/u/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@given(st.text(alphabet='aZ09@.:/_~+-=&<"? \n\u00fc', max_size=90) | st.just(PLAIN))
def test_a_value_stands_as_it_is_only_where_its_encoder_gives_the_same(value: str) -> None:
    for write in WRITERS:
        if places.as_it_stands(write)(value):
            assert write(value) == value.encode()


@pytest.mark.parametrize(
    ("value", "count"),
    [("Pat", 3), ("pat.doe+x@example.com", 2), (PLAIN, 3), ("", 0), (".", 0), ("a" * 72, 0)],
)
def test_what_most_readers_have_stands_as_it_is(value: str, count: int) -> None:
    assert sum(bool(places.as_it_stands(write)(value)) for write in WRITERS) == count
