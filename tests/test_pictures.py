"""newsletter.compose.published: what readers get of a picture, and what they do not get."""

from __future__ import annotations

import struct
import zlib
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.images import media_path, media_url, picture
from newsletter.compose.metadata import bare_jpeg, bare_png, bare_webp, tells_place
from newsletter.compose.picture_header import Kind
from newsletter.compose.published import WIDEST, Published, published
from newsletter.compose.redraw import redraw
from newsletter.config import load_config
from newsletter.errors import ComposeError
from newsletter.model import Severity
from tests.photographs import MAKER, exif, film, no_pillow, opened, photograph, swapped_colours
from tests.publication import publication
from tests.written import article, compose, found, letter, only_problem, png, put

LEFT = (Path(__file__).parent.parent / "issues/images/leaf.jpg").read_bytes()


def made(root: Path, name: str, content: bytes, *, whole: bool = False) -> Published:
    return published(
        put(root, f"issues/{name}", content), root / ".newsletter/pictures", whole=whole
    )


def codes(picture: Published) -> list[str]:
    return [remark.rule.code for remark in picture.remarks]


def test_a_picture_that_needs_nothing_is_published_as_it_is(tmp_path: Path) -> None:
    leaf = made(tmp_path, "leaf.jpg", LEFT)
    assert leaf.path == tmp_path / "issues/leaf.jpg"
    assert leaf.name == f"leaf.{sha256(LEFT).hexdigest()[:12]}.jpg"
    assert leaf.remarks == ()
    assert not (tmp_path / ".newsletter").exists()


def test_the_public_name_changes_with_the_picture_and_the_old_one_is_not_given_out(
    tmp_path: Path,
) -> None:
    here = letter(tmp_path)
    put(tmp_path, "issues/p.jpg", photograph(40, 30))
    before = picture(article("", tmp_path), here, "p.jpg").url
    put(tmp_path, "issues/p.jpg", photograph(50, 30))
    after = picture(article("", tmp_path), here, "p.jpg").url
    assert before != after
    assert media_path(here, after.removeprefix(here.base_url)) == tmp_path / "issues/p.jpg"
    assert media_path(here, before.removeprefix(here.base_url)) is None


@pytest.mark.parametrize("whole", [False, True])
def test_attack_25_no_photograph_tells_where_it_was_taken(tmp_path: Path, whole: bool) -> None:
    content = photograph(80, 60, exif=exif(), comment=b"at home", quality=90)
    assert tells_place(content)
    photo = made(tmp_path, "p.jpg", content, whole=whole).path.read_bytes()
    assert not tells_place(photo)
    assert [word for word in (MAKER.encode(), b"at home", b"Exif") if word in photo] == []
    assert opened(photo).tobytes() == opened(content).tobytes()


def test_attack_25_neither_without_pillow(tmp_path: Path) -> None:
    photo_with_place = photograph(80, 60, exif=exif(orientation=6))
    with no_pillow():
        photo = made(tmp_path, "p.jpg", photo_with_place)
    content = photo.path.read_bytes()
    assert not tells_place(content)
    assert MAKER.encode() not in content
    assert opened(content).getexif() == {0x0112: 6}
    assert codes(photo) == ["image-turned"]


def test_a_png_loses_its_texts_and_keeps_its_pixels(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    plain = photograph(30, 20, Kind.PNG)
    spoken = chunk(b"tEXt", b"Author\0Ada") + chunk(b"eXIf", exif()[6:])
    content = plain[:33] + spoken + plain[33:] + b"and what stands behind its end"
    assert tells_place(content)
    assert made(tmp_path, "p.png", content).path.read_bytes() == plain


def test_what_stands_behind_a_jpegs_end_is_cut_off() -> None:
    assert bare_jpeg(LEFT + photograph(20, 20, exif=exif())).content == LEFT


def test_a_progressive_jpeg_keeps_every_scan() -> None:
    content = photograph(300, 200, progressive=True, quality=70)
    assert bare_jpeg(content).content == content


@pytest.mark.parametrize("lost", [1, 2, 10, 2000, 40_000])
def test_attack_25_a_picture_that_breaks_off_is_refused_with_its_line(
    tmp_path: Path, lost: int
) -> None:
    put(tmp_path, "issues/p.jpg", LEFT[:-lost])
    problem = only_problem(compose("Text.\n\n![A leaf](p.jpg)", tmp_path))
    assert (problem.code, problem.severity, problem.line) == ("image-unreadable", Severity.ERROR, 7)
    assert problem.hint


def test_attack_25_a_damaged_png_is_refused(tmp_path: Path) -> None:
    content = bytearray(photograph(30, 20, Kind.PNG))
    content[60] ^= 1
    put(tmp_path, "issues/p.png", bytes(content))
    assert only_problem(compose("![x](p.png)", tmp_path)).code == "image-unreadable"


def test_a_webp_loses_its_metadata_and_keeps_its_pixels(tmp_path: Path) -> None:
    content = photograph(61, 40, Kind.WEBP, mode="RGBA", exif=exif(), xmp=b"<x:xmpmeta>GPSLatitude")
    assert tells_place(content)
    bare = made(tmp_path, "p.webp", content, whole=True).path.read_bytes()
    assert not tells_place(bare)
    assert opened(bare).getexif() == {}
    assert opened(bare).tobytes() == opened(content).tobytes()
    assert bare_webp(bare).content == bare


@pytest.mark.parametrize("frames", [1, 4])
def test_a_webp_without_metadata_is_left_as_it_is(frames: int) -> None:
    content = film(Kind.WEBP, frames)
    assert bare_webp(content).content == content


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.integers(2, len(LEFT) - 1), st.booleans())
def test_attack_25_any_bytes_are_stripped_or_refused(junk: bytes, at: int, cut: bool) -> None:
    content = LEFT[:at] + junk + (b"" if cut else LEFT[at:])
    for strip in (bare_jpeg, bare_png, bare_webp):
        try:
            strip(content)
        except ComposeError:
            continue
    assert tells_place(content) in (True, False)


def test_a_link_to_an_original_gives_it_out_without_its_place(tmp_path: Path) -> None:
    put(tmp_path, "issues/p.jpg", photograph(1300, 900, exif=exif()))
    html = compose("[in full](p.jpg)", tmp_path).html
    here = letter(tmp_path)
    path = html.partition(f'href="{here.base_url}')[2].partition('"')[0]
    original = media_path(here, path)
    assert original is not None
    assert opened(original.read_bytes()).width == 1300
    assert not tells_place(original.read_bytes())


# --- drawn anew ---


def test_a_wide_photograph_is_drawn_at_twice_the_measure_and_shown_as_large_as_before(
    tmp_path: Path,
) -> None:
    content = photograph(4000, 3000, quality=95, exif=exif(), comment=b"at home")
    wide = made(tmp_path, "p.jpg", content)
    small = opened(wide.path.read_bytes())
    assert (small.format, small.size) == ("JPEG", (WIDEST, 780))
    assert small.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density",
                                 "progressive", "progression"}  # fmt: skip
    assert wide.path.stat().st_size < len(content) / 4
    shown = picture(article("", tmp_path), letter(tmp_path), "p.jpg")
    assert (shown.width, shown.height) == (520, 390)


def test_the_same_picture_gives_the_same_bytes_on_another_machine(tmp_path: Path) -> None:
    content = photograph(1600, 900)
    names = {made(tmp_path / machine, "p.jpg", content).name for machine in ("here", "there")}
    assert len(names) == 1


def test_a_picture_is_drawn_once_and_kept(tmp_path: Path) -> None:
    first = made(tmp_path, "p.jpg", photograph(1600, 900))
    first.path.write_bytes(photograph(7, 7))
    again = published(put(tmp_path, "issues/q.jpg", photograph(1600, 900)), first.path.parent)
    assert again.path == first.path
    first.path.unlink()
    assert opened(made(tmp_path, "p.jpg", photograph(1600, 900)).path.read_bytes()).width == WIDEST


@pytest.mark.parametrize("kind", [Kind.WEBP, Kind.AVIF])
@pytest.mark.parametrize(("mode", "wanted"), [("RGB", "JPEG"), ("RGBA", "PNG")])
def test_what_outlook_cannot_show_becomes_jpeg_or_with_transparency_png(
    tmp_path: Path, kind: Kind, mode: str, wanted: str
) -> None:
    content = photograph(60, 40, kind, mode=mode, exif=exif())
    new = made(tmp_path, f"p{kind}", content)
    assert opened(new.path.read_bytes()).format == wanted
    assert new.name.endswith(".jpg" if wanted == "JPEG" else ".png")
    assert new.remarks == ()
    assert not tells_place(new.path.read_bytes())


def test_a_lossless_drawing_stays_lossless(tmp_path: Path) -> None:
    content = photograph(60, 40, Kind.WEBP, lossless=True)
    new = opened(made(tmp_path, "p.webp", content).path.read_bytes())
    assert (new.format, new.tobytes()) == ("PNG", opened(content).tobytes())


@pytest.mark.parametrize("kind", [Kind.WEBP, Kind.AVIF])
def test_without_pillow_the_author_learns_what_readers_will_see(tmp_path: Path, kind: Kind) -> None:
    put(tmp_path, f"issues/p{kind}", photograph(60, 40, kind, exif=exif()))
    with no_pillow():
        fragment = compose(f"Text.\n\n![x](p{kind})", tmp_path)
    place = [] if kind is Kind.WEBP else [("image-gps", 7)]
    assert found(fragment) == [("image-format", 7), *place]
    first = fragment.problems[0]
    assert "Outlook" in first.message
    assert "newsletter[images]" in first.hint
    assert f'{kind}" class' in fragment.html


def test_without_pillow_a_photograph_of_nine_megabytes_is_refused_with_the_remedy(
    tmp_path: Path,
) -> None:
    put(tmp_path, "issues/p.png", photograph(2200, 1500, Kind.PNG, compress_level=0))
    with no_pillow():
        problem = only_problem(compose("![x](p.png)", tmp_path))
    assert problem.code == "image-heavy"
    assert "newsletter[images]" in problem.hint


def test_a_photograph_of_nine_megabytes_is_made_small(tmp_path: Path) -> None:
    put(tmp_path, "issues/p.png", photograph(2200, 1500, Kind.PNG, compress_level=0))
    assert compose("![x](p.png)", tmp_path).problems == ()


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    turned = made(tmp_path, "p.jpg", photograph(80, 60, exif=exif(orientation=6)))
    assert opened(turned.path.read_bytes()).size == (60, 80)
    assert turned.natural == (60, 80)
    assert turned.remarks == ()


def test_colours_come_out_in_srgb(tmp_path: Path) -> None:
    ink = made(tmp_path, "cmyk.jpg", photograph(40, 30, mode="CMYK"))
    assert opened(ink.path.read_bytes()).mode == "RGB"
    content = photograph(40, 30, icc_profile=swapped_colours(), quality=95)
    web = opened(made(tmp_path, "odd.jpg", content).path.read_bytes())
    assert "icc_profile" not in web.info
    was, now = opened(content).getpixel((20, 29)), web.getpixel((20, 29))
    assert isinstance(was, tuple)
    assert isinstance(now, tuple)
    assert was[0] > was[2] + 80
    assert now[2] > now[0] + 80


def test_a_drawing_that_would_become_heavier_stays_as_it_is(tmp_path: Path) -> None:
    content = photograph(1100, 60, Kind.PNG, mode="1")
    assert made(tmp_path, "p.png", content).path == tmp_path / "issues/p.png"


def test_sixteen_bits_of_grey_are_left_alone(tmp_path: Path) -> None:
    content = photograph(1100, 60, Kind.PNG, mode="I;16")
    assert made(tmp_path, "p.png", content).path == tmp_path / "issues/p.png"


def test_a_mislabelled_picture_is_published_under_its_true_suffix(tmp_path: Path) -> None:
    assert made(tmp_path, "p.png", LEFT).name.endswith(".jpg")
    here = letter(tmp_path)
    url = media_url(here, tmp_path / "issues/p.png")
    assert media_path(here, url.removeprefix(here.base_url)) == tmp_path / "issues/p.png"


def test_a_gif_that_moves_is_noted_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    assert codes(made(tmp_path, "film.gif", film())) == ["image-gif"]
    assert codes(made(tmp_path, "still.gif", photograph(9, 9, Kind.GIF))) == []
    assert codes(made(tmp_path, "film.webp", film(Kind.WEBP))) == ["image-still"]
    (drawn,) = (tmp_path / ".newsletter/pictures").iterdir()
    (tmp_path / "issues/again").mkdir()
    assert codes(made(tmp_path, "again/film.webp", film(Kind.WEBP))) == ["image-still"]
    assert drawn.exists()


# --- attacks ---


def test_attack_25_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    put(tmp_path, "issues/bomb.png", png(30_000, 30_000))
    assert only_problem(compose("![x](bomb.png)", tmp_path)).code == "image-huge"


def test_attack_25_a_bomb_that_came_past_its_header_is_not_decoded() -> None:
    with pytest.raises(ComposeError, match="7000 x 7000 pixels"):
        redraw(png(7000, 7000), WIDEST)


def test_attack_25_a_header_that_lies_about_the_size_does_not_reach_the_pixels(
    tmp_path: Path,
) -> None:
    """imagesize reads the first frame of a JPEG, Pillow the last."""
    content = photograph(1100, 40)
    frame = content.index(b"\xff\xc0")
    lying = content[:frame] + content[frame : frame + 19] + content[frame:]
    huge = lying[: frame + 24] + struct.pack(">HH", 60_000, 60_000) + lying[frame + 28 :]
    put(tmp_path, "issues/p.jpg", huge)
    fragment = compose("![x](p.jpg)", tmp_path)
    assert {p.code for p in fragment.problems} <= {"image-unreadable", "image-huge"}


def test_attack_25_a_telephones_heic_is_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, "issues/p.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(600))
    problem = only_problem(compose("![x](p.heic)", tmp_path))
    assert problem.code == "image-unreadable"
    assert "HEIC" in problem.message


def test_attack_22_a_link_out_of_the_cache_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path, ".newsletter/pictures/x.png", png(4, 4))
    here = letter(tmp_path)
    for path in ("~/.newsletter/pictures/x.png", "../.newsletter/pictures/x.png"):
        assert media_path(here, f"/media/{path}") is None


def test_attack_22_a_name_with_a_hash_gives_out_only_what_is_published(tmp_path: Path) -> None:
    root, here = tmp_path / "publication", letter(tmp_path / "publication")
    digest = sha256(LEFT).hexdigest()[:12]
    put(tmp_path, "leaf.jpg", LEFT)
    put(root, ".git/leaf.jpg", LEFT)
    put(root, "issues/a.md", LEFT)
    (root / "issues" / "link.jpg").symlink_to(tmp_path / "leaf.jpg")
    for path in ("link", "~/.git/leaf", "a", "../../leaf", "~/../leaf", ""):
        assert media_path(here, f"/media/{path}.{digest}.jpg") is None, path


def test_a_disk_that_is_full_leaves_no_half_of_a_picture(tmp_path: Path) -> None:
    """A folder stands where the picture should be: the last step fails, as when the disk is."""
    content = photograph(80, 60, exif=exif())
    copy = made(tmp_path, "p.jpg", content).path
    copy.unlink()
    put(copy, "x", b"")
    with pytest.raises(ComposeError, match="cannot be written"):
        made(tmp_path, "q.jpg", content)
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    put(tmp_path, ".newsletter", b"a file, where a folder should be")
    with pytest.raises(ComposeError, match="cannot be written") as caught:
        made(tmp_path, "p.jpg", photograph(80, 60, exif=exif()))
    assert caught.value.code == "image-cache"
    assert caught.value.hint


# --- what was sent stays ---


def test_promise_2_a_picture_that_was_sent_stays_when_the_author_changes_it(
    tmp_path: Path,
) -> None:
    made = publication(tmp_path, months=1)
    made.people(1)
    put(tmp_path, "issues/i/my leaf.jpg", LEFT)
    made.write("issues/2026-05-01-x.md", "---\ntitle: X\n---\nHi.\n\n![A leaf](<i/my leaf.jpg>)\n")
    made.run("send", "x", "--yes")
    put(tmp_path, "issues/i/my leaf.jpg", photograph(40, 30))
    made.run("build", "--out", str(tmp_path / "out"))
    name = f"my leaf.{sha256(LEFT).hexdigest()[:12]}.jpg"
    files = {file.name: file.read_bytes() for file in (tmp_path / "out/media/i").iterdir()}
    assert files[name] == LEFT
    assert len(files) == 2
    here = load_config(tmp_path).letter()
    old = media_path(here, f"/media/i/{quote(name)}")
    assert old is not None
    assert old.read_bytes() == LEFT
    assert f"media/i/{quote(name)}".encode() in made.inbox[0].read_bytes().replace(b"=\r\n", b"")


def test_attack_22_no_picture_is_written_outside_of_the_folder_of_build(tmp_path: Path) -> None:
    made = publication(tmp_path, months=0)
    put(tmp_path, "issues/%2e%2e/p.png", png(4, 4))
    source = "https://letters.example.org/media/%2e%2e/p.png"
    made.write("issues/2026-05-01-x.md", f'---\ntitle: X\n---\n<img src="{source}" alt="x">\n')
    made.run("build", "--out", str(tmp_path / "out"), code=None)
    assert not (tmp_path / "out/p.png").exists()
    assert not (tmp_path / "out/media").exists()
