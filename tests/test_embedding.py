"""Pictures that travel inside the mail: composed, encoded, frozen, sent, shown."""

from __future__ import annotations

import sqlite3
import subprocess
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from newsletter.compose.embedding import embed
from newsletter.compose.images import picture
from newsletter.compose.picture_header import Kind
from newsletter.config import load_config
from newsletter.errors import MailRefused, StoreError
from newsletter.lint import check_mail
from newsletter.mime import fill, gate, stencil
from newsletter.model import Email, InlinePicture, Severity
from newsletter.preview.app import desk_app
from newsletter.preview.studio import Studio
from newsletter.store import Audience, open_store
from tests.conftest import needs
from tests.mime_letter import FIRST_NAME, LETTER, email, mail, parsed, reader
from tests.photographs import photograph
from tests.publication import Publication, publication
from tests.stores import NEW, NOW, OpenStore
from tests.written import article, letter, png, put

pytest_plugins = ("tests.store_fixtures",)

LEAF = (Path(__file__).parent.parent / "issues/images/leaf.jpg").read_bytes()


def inline(content: bytes, name: str = "leaf.jpg") -> InlinePicture:
    digest = sha256(content).hexdigest()
    return InlinePicture(
        cid=f"{digest[:24]}@letters.example.org",
        name=name,
        media_type="image/jpeg",
        digest=digest,
        url=f"https://letters.example.org/media/leaf.{digest[:12]}.jpg",
        content=content,
    )


def with_pictures(*pictures: InlinePicture) -> Email:
    shown = "".join(f'<img src="cid:{p.cid}" alt="x">' for p in pictures)
    return replace(email(html=f"<p>{FIRST_NAME.token}</p>{shown}"), pictures=pictures)


def parts(content: bytes) -> list[EmailMessage]:
    """The picture parts, in order."""
    walk = parsed(content).walk()
    return [part for part in walk if part.get_content_maintype() == "image"]


# --- composed ---


def composed(root: Path, html: str) -> tuple[str, tuple[InlinePicture, ...]]:
    made = embed(html, article("", root), letter(root))
    return made.html, made.pictures


def shown(root: Path, name: str) -> str:
    return picture(article("", root), letter(root), name).url


def test_a_picture_is_named_by_its_content_and_carried_once(tmp_path: Path) -> None:
    put(tmp_path, "issues/i/süßes blatt.jpg", LEAF)
    url = shown(tmp_path, "i/süßes blatt.jpg")
    html = f'<a href="{url}"><img alt="a" src="{url}" width="9"></a><img src="{url}">'
    document, (leaf,) = composed(tmp_path, html)
    cid = f"{sha256(LEAF).hexdigest()[:24]}@example.org"
    assert leaf.cid == cid
    assert document == (
        f'<a href="{url}"><img alt="a" src="cid:{cid}" width="9"></a><img src="cid:{cid}">'
    )
    assert (leaf.name, leaf.media_type) == ("sues-blatt.jpg", "image/jpeg")
    assert (leaf.content, leaf.url) == (LEAF, url)


def test_what_is_not_the_publications_stays_where_it_is(tmp_path: Path) -> None:
    put(tmp_path, "issues/a.md", b"secret")
    html = (
        '<img src="https://e.example/x.png"><img src="https://letters.example.org/media/a.md">'
        '<img src="https://letters.example.org/media/gone.0123456789ab.png">'
        '<img src="https://letters.example.org/media/../a.md">'
    )
    assert composed(tmp_path, html) == (html, ())


@pytest.mark.parametrize(
    ("padding", "severity"),
    [(900_000, None), (1_200_000, Severity.WARNING), (10_100_000, Severity.ERROR)],
)
def test_the_weight_of_all_pictures_is_a_warning_and_then_an_error(
    tmp_path: Path, padding: int, severity: Severity | None
) -> None:
    share = padding // 3
    html = ""
    for number in range(3):
        film = photograph(9, 9 + number, Kind.GIF) + bytes(share)
        put(tmp_path, f"issues/{number}.gif", film)
        html += f'<img src="{shown(tmp_path, f"{number}.gif")}">'
    problems = embed(html, article("", tmp_path), letter(tmp_path)).problems
    assert [(p.code, p.severity) for p in problems] == (
        [("image-total", severity)] if severity else []
    )
    assert all("MB" in problem.message and problem.hint for problem in problems)


# --- encoded ---


def test_pictures_stand_beside_the_html_within_the_second_alternative() -> None:
    content = mail(with_pictures(inline(LEAF), inline(png(4, 4), "dot.png")), reader()).content
    message = parsed(content)
    text, related = message.iter_parts()
    assert message.get_content_type() == "multipart/alternative"
    assert text.get_content_type() == "text/plain"
    assert related.get_content_type() == "multipart/related"
    assert related.get_param("type") == "text/html"
    html, first, second = related.iter_parts()
    assert html.get_content_type() == "text/html"
    assert (first.get_content(), second.get_content()) == (LEAF, png(4, 4))
    assert first["Content-ID"] == f"<{inline(LEAF).cid}>"
    assert f"cid:{inline(LEAF).cid}" in html.get_content()
    assert first["Content-Disposition"] == 'inline; filename="leaf.jpg"'
    assert first["Content-Transfer-Encoding"] == "base64"
    assert max(map(len, content.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    gate(content)


def test_the_mail_is_what_it_was_byte_for_byte(golden: Callable[[str, bytes], None]) -> None:
    dot, line = inline(b"\xff\xd8" + bytes(9), "dot.jpg"), inline(bytes(range(256)), "line.jpg")
    golden("mime/with-pictures.eml", mail(with_pictures(dot, line)).content)


def test_a_mail_without_pictures_is_what_it_was() -> None:
    assert b"related" not in mail(email()).content


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=3, unique=True))
def test_any_bytes_arrive_as_they_left(contents: list[bytes]) -> None:
    content = mail(with_pictures(*map(inline, contents))).content
    assert [part.get_content() for part in parts(content)] == contents
    gate(content)


def test_a_fill_encodes_no_picture() -> None:
    cut = stencil(with_pictures(inline(LEAF)), LETTER, NOW)
    (row,) = {piece for piece in cut.pieces if b"base64" in piece}
    one, two = (fill(cut, reader(address=f"{n}@example.net")).content for n in "ab")
    assert one.endswith(row)
    assert two.endswith(row)


def test_letters_that_happen_to_spell_a_token_are_no_unfilled_field() -> None:
    spelt = b64decode(b"AAAAxslot1aAAAAA" * 40)
    content = mail(with_pictures(inline(spelt))).content
    assert b"xslot1a" in content
    gate(content)
    with pytest.raises(MailRefused):
        gate(content.replace(b"Hello", b"xslot1a"))
    behind = content.replace(b"--\r\n", b"\r\n\r\nxslot1a\r\n--\r\n")
    with pytest.raises(MailRefused):
        gate(behind)


@pytest.mark.parametrize("name", ['a"b.png', "a\r\nBcc: x", "ü.png", ""])
def test_attack_02_no_file_name_breaks_out_of_its_header(name: str) -> None:
    (part,) = parts(mail(with_pictures(inline(LEAF, name))).content)
    assert part["Bcc"] is None
    assert part.get_content() == LEAF


@pytest.mark.parametrize("cid", ["a@b\r\nBcc: x@y", "ab", "a@b>c"])
def test_attack_02_nor_does_a_content_id(cid: str) -> None:
    with pytest.raises(MailRefused):
        mail(with_pictures(replace(inline(LEAF), cid=cid)))


def test_reformime_sees_the_same_tree() -> None:
    needs("reformime")
    content = mail(with_pictures(inline(LEAF))).content
    ran = subprocess.run(["reformime", "-i"], input=content, capture_output=True, check=True)
    kinds = [
        line.removeprefix("content-type: ")
        for line in ran.stdout.decode().splitlines()
        if line.startswith("content-type: ")
    ]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html",
                     "image/jpeg"]  # fmt: skip
    whole = ["reformime", "-e", "-s", "1.2.2"]
    assert subprocess.run(whole, input=content, capture_output=True, check=True).stdout == LEAF


# --- frozen ---


def test_the_content_hash_pins_every_picture() -> None:
    plain = email()
    one, other = (replace(plain, pictures=(inline(content),)) for content in (LEAF, png(4, 4)))
    assert len({plain.content_hash, one.content_hash, other.content_hash}) == 3
    same = replace(plain, pictures=(inline(LEAF),))
    assert same.content_hash == one.content_hash
    # As it was before pictures could travel: what is frozen in a database stays readable.
    assert replace(plain, slots=()).content_hash.startswith("846a7e1a")


def test_a_frozen_email_comes_back_with_its_pictures(opened: OpenStore) -> None:
    letter = replace(NEW.email, pictures=(inline(LEAF), inline(png(4, 4), "dot.png")))
    send = opened().freeze(replace(NEW, email=letter), NOW)
    again = replace(NEW, email=letter, audience=Audience(only_new=True))
    opened().freeze(again, NOW)
    assert [each.email for each in opened().sends()] == [letter, letter]
    assert send.email.pictures[0].content == LEAF


def test_a_damaged_picture_stops_the_send(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    frozen = replace(NEW, email=replace(NEW.email, pictures=(inline(LEAF),)))
    with open_store(f"sqlite:{file}") as store:
        store.freeze(frozen, NOW)
    for damage in ("UPDATE picture SET content = x'00'", "DELETE FROM picture"):
        with sqlite3.connect(file) as database:
            database.execute(damage)
        with open_store(f"sqlite:{file}") as store, pytest.raises(StoreError, match="picture"):
            store.sends()


# --- sent and shown ---


@pytest.fixture
def embedded(tmp_path: Path) -> Publication:
    made = publication(tmp_path, months=1)
    config = made.root / "newsletter.toml"
    config.write_text(config.read_text().replace("[letter]", '[letter]\nimages = "embedded"', 1))
    put(made.root, "issues/leaf.jpg", LEAF)
    with_leaf = "---\ntitle: A leaf\ndate: 2026-05-01\n---\nDear you.\n\n![A leaf](leaf.jpg)\n"
    made.write("issues/2026-05-01-leaf.md", with_leaf)
    return made


def test_late_readers_get_the_very_picture_the_first_ones_got(embedded: Publication) -> None:
    embedded.people(1)
    embedded.run("send", "leaf", "--yes")
    put(embedded.root, "issues/leaf.jpg", photograph(40, 30))
    embedded.run("subscribers", "add", "late@example.com")
    embedded.run("send", "leaf", "--yes", "--only-new")
    pictures = [parts(mail.read_bytes())[0] for mail in embedded.inbox]
    assert [part.get_content() for part in pictures] == [LEAF, LEAF]


def test_build_writes_a_mail_with_and_a_page_without_the_picture(embedded: Publication) -> None:
    out = embedded.root / "out"
    embedded.run("build", "leaf", "--out", str(out))
    (part,) = parts((out / "leaf.eml").read_bytes())
    assert part.get_content() == LEAF
    (file,) = (out / "media").iterdir()
    page = (out / "leaf.html").read_text()
    assert f'src="https://letters.example.org/media/{file.name}"' in page
    assert "cid:" not in page


def test_check_says_what_the_pictures_weigh(embedded: Publication) -> None:
    problems = embedded.ask("check", "leaf", code=None)["problems"]
    (gauge,) = [p["message"] for p in problems if p["code"] == "image-bytes"]
    assert gauge == "1 picture, 45 KB, 1 of them in every mail"
    assert not [p for p in problems if p["severity"] == "error"]


def test_a_picture_that_lost_its_part_or_its_place_is_found() -> None:
    content = mail(with_pictures(inline(LEAF))).content
    assert [p for p in check_mail(content) if p.code == "image-cid"] == []
    elsewhere = content.replace(b"Content-ID: <", b"Content-ID: <x")
    found = [(p.severity, p.message) for p in check_mail(elsewhere) if p.code == "image-cid"]
    cid = inline(LEAF).cid
    assert found == [
        (Severity.ERROR, f"no part is called {cid}"),
        (Severity.WARNING, f"shown nowhere, so an attachment: x{cid}"),
    ]


def test_the_desk_shows_the_pictures_of_an_issue_and_of_a_mail(embedded: Publication) -> None:
    embedded.people(1)
    embedded.run("send", "leaf", "--yes")
    desk = TestClient(
        desk_app(
            Studio(
                load=lambda: load_config(embedded.root).letter(),
                inbox=embedded.root / ".newsletter" / "inbox",
                now=lambda: datetime(2026, 11, 22, tzinfo=UTC),
            )
        ),
        base_url="http://127.0.0.1:8025",
    )
    key = embedded.inbox[0].stem
    for view in ("/preview/leaf/mail.html", f"/inbox/{key}/mail.html"):
        page = desk.get(view).text
        shown = page.partition('src="data:image/jpeg;base64,')[2].partition('"')[0]
        assert b64decode(shown) == LEAF, view


def test_an_unknown_place_for_images_is_refused_with_the_two_there_are(
    embedded: Publication,
) -> None:
    config = embedded.root / "newsletter.toml"
    config.write_text(config.read_text().replace('"embedded"', '"inline"'))
    said = embedded.run("build", code=2).stderr
    assert "newsletter.toml:" in said
    assert "hosted" in said
