"""newsletter.compose.images: files inside the publication, their size and their address."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.compose.images import (
    Picture,
    image_url,
    media_path,
    media_url,
    picture,
)
from newsletter.compose.picture_header import Kind
from newsletter.errors import ComposeError
from newsletter.model import Severity
from tests.photographs import photograph
from tests.written import article, compose, found, letter, only_problem, png, put


def shown(root: Path, source: str, width: int | None = None) -> Picture:
    return picture(article("", root), letter(root), source, width)


def unhashed(text: str) -> str:
    """Without the digits that publishing puts into a picture's name."""
    return re.sub(r"\.[0-9a-f]{12}(?=\.png)", "", text)


def refusal(root: Path, source: str) -> str:
    with pytest.raises(ComposeError) as caught:
        shown(root, source)
    return caught.value.code


@pytest.mark.parametrize(
    ("natural", "size"),
    [
        ((1040, 520), (520, 260)),
        ((3000, 2000), (520, 347)),
        ((800, 600), (520, 390)),
        ((300, 200), (300, 200)),
        ((5000, 1), (520, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_a_picture_is_shown_at_most_520_wide_in_proportion(
    tmp_path: Path, natural: tuple[int, int], size: tuple[int, int]
) -> None:
    put(tmp_path, "issues/p.png", png(*natural))
    found_picture = shown(tmp_path, "p.png")
    assert (found_picture.width, found_picture.height) == size


def test_an_asked_width_and_a_double_density_name_are_honoured(tmp_path: Path) -> None:
    put(tmp_path, "issues/p.png", png(400, 200))
    put(tmp_path, "issues/logo@2x.png", png(400, 200))
    assert shown(tmp_path, "p.png", 100).height == 50
    assert shown(tmp_path, "p.png", 9000).width == 520
    assert shown(tmp_path, "logo@2x.png").width == 200


def test_the_address_is_percent_encoded_below_media(tmp_path: Path) -> None:
    put(tmp_path, "issues/2026/süß bild#1.png", png(4, 4))
    wanted = "https://letters.example.org/media/2026/s%C3%BC%C3%9F%20bild%231.png"
    assert unhashed(shown(tmp_path, "2026/süß%20bild%231.png").url) == wanted
    assert unhashed(shown(tmp_path, "2026/süß bild%231.png").url) == wanted


@pytest.mark.parametrize(
    "source",
    ["/i/p.png", "{static}/i/p.png", "{static}i/p.png", "{attach}i/p.png", "|static|/i/p.png",
     "i/p.png?v=2", "./i/p.png", "i\\p.png"],
)  # fmt: skip
def test_the_spellings_of_site_generators_find_the_file(tmp_path: Path, source: str) -> None:
    put(tmp_path, "issues/i/p.png", png(4, 4))
    assert unhashed(shown(tmp_path, source).url).endswith("/media/i/p.png")


@pytest.mark.parametrize("top", ["", "static/", "assets/"])
def test_a_picture_of_the_root_has_an_address_of_its_own(tmp_path: Path, top: str) -> None:
    put(tmp_path, f"{top}img/p.png", png(4, 4))
    url = shown(tmp_path, "/img/p.png").url
    assert unhashed(url) == f"https://letters.example.org/media/~/{top}img/p.png"
    assert media_path(letter(tmp_path), url.removeprefix("https://letters.example.org")) == (
        tmp_path / top / "img/p.png"
    )


def test_jpeg_gif_webp_and_avif_are_measured_by_their_headers(tmp_path: Path) -> None:
    for kind in (Kind.GIF, Kind.JPEG, Kind.WEBP, Kind.AVIF):
        put(tmp_path, f"issues/a{kind}", photograph(30, 20, kind))
    sizes = {(shown(tmp_path, f"a.{kind}").width, shown(tmp_path, f"a.{kind}").height)
             for kind in ("gif", "jpg", "webp", "avif")}  # fmt: skip
    assert sizes == {(30, 20)}


def test_attack_22_nothing_outside_of_the_publication_is_a_picture(tmp_path: Path) -> None:
    root = tmp_path / "publication"
    put(tmp_path, "secret.png", png(4, 4))
    put(root, "issues/a.md", b"")
    (root / "issues" / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "issues" / "up").symlink_to(tmp_path)
    put(root, ".git/x.png", png(4, 4))
    for source in ("../../secret.png", "..%2f..%2fsecret.png", "link.png", "up/secret.png",
                   "/../../secret.png", str(tmp_path / "secret.png"), "{static}/../../secret.png",
                   "..\\..\\secret.png", "/.git/x.png", "../.git/x.png"):  # fmt: skip
        assert refusal(root, source) in {"image-outside", "image-missing"}, source
    for source in ("file:///etc/passwd", "data:image/png;base64,AA", "cid:x", "C:\\x.png"):
        assert refusal(root, source) == "image-scheme"
    for source in ("", "a\0b.png", "x" * 5000, "/", "."):
        assert refusal(root, source) == "image-missing"


def test_attack_22_a_symlink_that_stays_inside_is_a_picture(tmp_path: Path) -> None:
    real = put(tmp_path, "issues/real.png", png(4, 4))
    (tmp_path / "issues" / "link.png").symlink_to(real)
    assert unhashed(shown(tmp_path, "link.png").url).endswith("/media/real.png")


def test_attack_22_media_gives_out_pictures_and_documents_of_the_publication_only(
    tmp_path: Path,
) -> None:
    root, here = tmp_path / "publication", letter(tmp_path / "publication")
    put(tmp_path, "secret.png", png(4, 4))
    picture_file = put(root, "issues/i/ü x.png", png(4, 4))
    document = put(root, "issues/i/plan.pdf", b"%PDF")
    for name in ("issues/draft.md", "newsletter.toml", "people.csv", "issues/.p.png",
                 ".env.png", "issues/a.svg", "issues/a.html"):  # fmt: skip
        put(root, name, b"")
    (root / "issues" / "link.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(root / "issues" / "pipe.png")
    for path in ("/media/i/ü x.png", "/media/i/%C3%BC%20x.png", "media/i/ü x.png", "i/ü x.png"):
        assert media_path(here, path) == picture_file
    assert media_path(here, "/media/i/plan.pdf") == document
    for path in ("draft.md", "~/newsletter.toml", "~/people.csv", ".p.png", "~/.env.png", "a.svg",
                 "a.html", "link.png", "../../secret.png", "%2e%2e/%2e%2e/secret.png", "pipe.png",
                 f"/{tmp_path}/secret.png", "~/../secret.png", "", "~/", "i", "i/", "a\0.png",
                 "..\\secret.png", "x" * 9000):  # fmt: skip
        assert media_path(here, f"/media/{path}") is None, path


def test_attack_25_too_heavy_too_large_and_drawn_pictures_are_refused(tmp_path: Path) -> None:
    svg = b'<?xml version="1.0"?><svg width="4" height="4"/>'
    put(tmp_path, "issues/heavy.png", png(4, 4, padding=50_000_001))
    put(tmp_path, "issues/huge.png", png(40_000, 40_000))
    put(tmp_path, "issues/a.svg", svg)
    put(tmp_path, "issues/disguised.png", b"\xef\xbb\xbf\n" + svg)
    put(tmp_path, "issues/text.png", b"hello")
    put(tmp_path, "issues/empty.png", b"")
    put(tmp_path, "issues/cut.png", png(4, 4)[:14])
    put(tmp_path, "issues/none.png", png(0, 4))
    put(tmp_path, "issues/lfs.png", b"version https://git-lfs.github.com/spec/v1\n")
    names = [file.name for file in (tmp_path / "issues").iterdir()]
    codes = {name: refusal(tmp_path, name) for name in names}
    assert codes == {
        "heavy.png": "image-heavy",
        "huge.png": "image-huge",
        "a.svg": "image-svg",
        "disguised.png": "image-svg",
        "text.png": "image-unreadable",
        "empty.png": "image-unreadable",
        "cut.png": "image-unreadable",
        "none.png": "image-unreadable",
        "lfs.png": "image-unreadable",
    }


@settings(max_examples=150)
@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP",
                     b"\0\0\0\x20ftypavif"]),
    st.binary(max_size=80),
)  # fmt: skip
def test_attack_25_any_bytes_are_a_picture_or_refused(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, rest: bytes
) -> None:
    root = tmp_path_factory.mktemp("bytes")
    put(root, "issues/p.png", head + rest)
    try:
        assert 1 <= shown(root, "p.png").width <= 520
    except ComposeError as error:
        assert error.hint


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(st.characters(exclude_characters="/\0\\", exclude_categories=["Cs"]), max_size=40))
def test_a_media_url_leads_back_to_its_file(tmp_path: Path, name: str) -> None:
    if name.startswith(".") or len(name.encode()) > 200:
        return
    file = put(tmp_path, f"issues/i/{name}x.png", png(4, 4))
    url = media_url(letter(tmp_path), file)
    assert url.isascii()
    path = url.removeprefix("https://letters.example.org")
    assert media_path(letter(tmp_path), path) == file
    assert media_path(letter(tmp_path), unquote(path)) == file


def test_a_thumbnail_is_absolute_or_left_out(tmp_path: Path) -> None:
    put(tmp_path, "issues/p.png", png(4, 4))
    a, here = article("", tmp_path), letter(tmp_path)
    thumbnail = image_url(a, here, " p.png ") or ""
    assert unhashed(thumbnail) == "https://letters.example.org/media/p.png"
    assert image_url(a, here, "https://e.example/p.png") == "https://e.example/p.png"
    assert image_url(a, here, "//e.example/p.png") == "https://e.example/p.png"
    assert image_url(a, here, "gone.png") is None
    assert image_url(a, here, "data:image/png,x") is None


def test_a_local_picture_gets_size_and_address_in_the_article(tmp_path: Path) -> None:
    put(tmp_path, "issues/i/p.png", png(1200, 800))
    fragment = compose('![Two chairs](i/p.png "In the hall")', tmp_path)
    assert fragment.problems == ()
    assert unhashed(fragment.html) == (
        '<div class="figure"><img alt="Two chairs"'
        ' src="https://letters.example.org/media/i/p.png" class="photo" width="520" height="347">'
        '<p class="caption">In the hall</p></div>'
    )


def test_a_width_in_the_markdown_keeps_the_proportion(tmp_path: Path) -> None:
    put(tmp_path, "issues/p.png", png(400, 200))
    html = compose("![x](p.png){width=100 height=999}", tmp_path).html
    assert 'width="100"' in html
    assert 'height="50"' in html


def test_a_missing_picture_is_an_error_with_its_line_and_leaves_its_words(tmp_path: Path) -> None:
    fragment = compose("Text.\n\n![first](a.png)\n\n![Two chairs](gone.png)", tmp_path)
    assert found(fragment) == [("image-missing", 7), ("image-missing", 9)]
    assert {problem.severity for problem in fragment.problems} == {Severity.ERROR}
    assert "<p>Two chairs</p>" in fragment.html


def test_the_same_missing_picture_twice_names_both_lines(tmp_path: Path) -> None:
    fragment = compose("![a](gone.png)\n\ntext\n\n![b](gone.png)", tmp_path)
    assert found(fragment) == [("image-missing", 5), ("image-missing", 9)]


def test_a_picture_without_words_is_a_warning_unless_it_is_an_ornament(tmp_path: Path) -> None:
    put(tmp_path, "issues/p.png", png(4, 4))
    assert only_problem(compose("\n![](p.png)", tmp_path)).code == "alt-missing"
    assert found(compose("\n![](p.png)", tmp_path)) == [("alt-missing", 6)]
    again = "![Two chairs](p.png)\n\n![](p.png)"
    assert found(compose(again, tmp_path)) == [("alt-missing", 7)]
    assert only_problem(compose('<img src="p.png">', tmp_path)).severity is Severity.WARNING
    assert compose("![](p.png){role=presentation}", tmp_path).problems == ()


def test_attack_21_a_remote_picture_is_left_alone_and_never_fetched() -> None:
    source = "https://pictures.example/p.png"
    fragment = compose(f'![Two chairs]({source} "t")\n\n<img src="//e.example/q.png" alt="q">')
    assert f'<img alt="Two chairs" src="{source}" class="photo">' in fragment.html
    assert 'src="https://e.example/q.png"' in fragment.html
    assert fragment.problems == ()
