"""Hostile files and links (deliverability 7.22 and 7.24; 7.23 is with the front matter)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from newsletter.articles import find, read_archive, read_article
from newsletter.errors import ArticleError, NoSuchIssue
from tests.articles_folder import NOW, Folder, shelf_in


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_attack_22_links_out_of_the_folder_are_refused(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.md").write_text("# B")
    (tmp_path / "issues-of-others").mkdir()
    (tmp_path / "issues-of-others" / "c.md").write_text("# C")
    folder.write("a.md", "# A")
    (folder.issues / "link.md").symlink_to(tmp_path / "secret.md")
    (folder.issues / "folder").symlink_to(tmp_path / "elsewhere")
    (folder.issues / "others").symlink_to(tmp_path / "issues-of-others")
    (folder.issues / "gone.md").symlink_to(folder.issues / "nowhere.md")
    archive = read_archive(folder.letter)
    assert [article.slug for article in archive.articles] == ["a"]
    assert [error.where for error in archive.errors] == [
        "issues/folder",
        "issues/gone.md",
        "issues/link.md",
        "issues/others",
    ]
    for name in ("link.md", "folder/b.md", "../secret.md"):
        with pytest.raises(ArticleError, match="leads out"):
            read_article(folder.issues / name, folder.letter)
    with pytest.raises(ArticleError, match="leads out"):
        read_article(Path("/etc/passwd"), folder.letter)


def test_attack_22_links_inside_are_second_names_and_never_loop(folder: Folder) -> None:
    folder.write("sub/a.md", "# A")
    (folder.issues / "newest.md").symlink_to(folder.issues / "sub" / "a.md")
    (folder.issues / "sub" / "up").symlink_to(folder.issues)
    archive = read_archive(folder.letter)
    assert [article.slug for article in archive.articles] == ["a"]
    assert not archive.errors
    assert read_article(folder.issues / "newest.md", folder.letter).slug == "a"


def test_attack_22_a_path_with_nul_names_nothing(folder: Folder) -> None:
    shelf = shelf_in(folder)
    with pytest.raises(NoSuchIssue):
        find(shelf, "/tmp/a\0b.md", NOW)
    with pytest.raises(ArticleError):
        read_article(Path("issues/a\0b.md"), folder.letter)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs fifos")
def test_attack_24_a_fifo_does_not_hang_the_archive(folder: Folder) -> None:
    os.mkfifo(folder.issues / "pipe.md")
    (error,) = read_archive(folder.letter).errors
    assert error.message == "is no regular file"


def test_attack_24_more_than_a_megabyte_is_refused(folder: Folder) -> None:
    assert "larger than 1 MB" in folder.error(b"x" * 1_000_001).message
    assert folder.article(b"x" * 1_000_000).title == "X"


@pytest.mark.parametrize(
    "unit",
    [
        "<!-- ",
        "<!--more",
        "<!-- TEASER_END:",
        "# ",
        "#",
        "[",
        "](",
        "**",
        "`",
        "```\n",
        "\n",
        " ",
        "=\n",
        "a\n=",
        "{/*",
        "_a",
        "\t\n",
        ".. ",
        "a: ",
        "<a",
    ],
)
def test_attack_24_hostile_markdown_is_read_in_linear_time(folder: Folder, unit: str) -> None:
    text = (unit * 1_000_000)[:999_000] + "x"
    began = time.process_time()
    folder.article("---\ntitle: T\n---\n" + text[:990_000])
    folder.article(text)
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    ("content", "words", "line"),
    [
        (b"# A\n\nText \0", "NUL", 3),
        (b"# A\r\rcaf\xe9", "not UTF-8: byte 0xe9", 3),
        (b"\xff\xfe#\0 \0A\0", "UTF-16", 1),
        (b"", "is empty", None),
        (b"\xef\xbb\xbf\r\n \n", "is empty", None),
    ],
)
def test_attack_24_what_is_no_text_is_refused(
    folder: Folder, content: bytes, words: str, line: int | None
) -> None:
    error = folder.error(content)
    assert words in error.message
    assert error.line == line
