"""A folder: what is read, in which order, under which names; neighbours."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.articles import (
    Archive,
    neighbours,
    published,
    read_archive,
)
from newsletter.articles.reading import read
from tests.articles_folder import NOW, Folder, letter_in, shelf_in


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def shelf(folder: Folder) -> Archive:
    return shelf_in(folder)


def slugs(archive: Archive) -> list[str]:
    return [article.slug for article in archive.articles]


# --- what is read ---


def test_all_articles_are_found_and_nothing_else(folder: Folder) -> None:
    for name in ("a.md", "b.markdown", "C.MD", "_posts/2026-01-01-d.md", "e/index.md", "f/g/h.md"):
        folder.write(name, f"# {name}\n")
    for name in (
        "README.md",
        "LICENSE.md",
        "README.pt.md",
        "readme.md",
        "sub/README.md",
        ".hidden.md",
        ".git/x.md",
        "_index.md",
        "f/_index.md",
        "notes.txt",
        "e/pic.png",
    ):
        folder.write(name, "# No\n")
    assert slugs(read_archive(folder.letter)) == ["a", "b", "C", "e", "h", "d"]


def test_the_issues_folder_may_have_any_name_and_be_nested(tmp_path: Path) -> None:
    letter = letter_in(tmp_path, issues="content/letters")
    (tmp_path / "content" / "letters" / "2026").mkdir(parents=True)
    (tmp_path / "content" / "letters" / "2026" / "a.md").write_text("# A")
    (article,) = read_archive(letter).articles
    assert article.path == Path("content/letters/2026/a.md")
    assert article.folder == tmp_path / "content" / "letters" / "2026"


def test_a_missing_folder_is_an_empty_archive_with_a_warning(tmp_path: Path) -> None:
    archive = read_archive(letter_in(tmp_path))
    assert (archive.articles, archive.errors) == ((), ())
    assert archive.warnings[0].code == "issues-missing"


DIALECTS: dict[str, Callable[[int], str]] = {
    "yaml": lambda n: (
        f"---\ntitle: 'Issue {n}'\ndate: 2026-01-01 08:00:{n % 60:02d}\ntags: [a]\n---\n"
    ),
    "toml": lambda n: f'+++\ntitle = "Issue {n}"\ndate = 2026-01-01T08:00:{n % 60:02d}Z\n+++\n',
    "json": lambda n: f'{{\n"title": "Issue {n}", "date": "2026-01-01"\n}}\n',
    "pelican": lambda n: f"Title: Issue {n}\nDate: 2026-01-01 08:00\nTags: a, b\n\n",
    "nikola": lambda n: f"<!--\n.. title: Issue {n}\n.. date: 2026-01-01 08:00:00 UTC\n-->\n",
    "none": lambda n: f"# Issue {n}\n\n",
}
BAD = {
    "yaml": ("---\ntitle: Rest: a plea\n---\n", 2),
    "toml": ("+++\nlang = 'en'\ntitle = Rest\n+++\n", 3),
    "json": ('{\n"title": "a",\n"title": "b"\n}\n', 3),
    "pelican": ("Title: Rest\nDate: some day\n\n", 2),
    "nikola": ("<!--\n.. title: a\n.. date: soon\n-->\n", 3),
    "none": ("# Issue\n\nText \0\n", 3),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_500_articles_are_read_and_one_bad_one_spoils_only_itself(
    folder: Folder, dialect: str
) -> None:
    for number in range(1, 501):
        text = DIALECTS[dialect](number) + "A paragraph of the issue.\n\n" * 20
        folder.write(f"{number // 50}/issue-{number}.md", text)
    archive = read_archive(folder.letter)
    assert len(archive.articles) == 500
    assert not archive.errors
    assert not archive.warnings
    bad, line = BAD[dialect]
    folder.write("3/issue-170.md", bad)
    archive = read_archive(folder.letter)
    assert len(archive.articles) == 499
    assert [error.where for error in archive.errors] == [f"issues/3/issue-170.md:{line}"]


def test_an_article_is_read_in_well_under_a_millisecond(folder: Folder) -> None:
    for number in range(300):
        folder.write(f"issue-{number}.md", DIALECTS["pelican"](number) + "A paragraph.\n\n" * 500)
    began = time.process_time()
    read_archive(folder.letter)
    assert (time.process_time() - began) / 300 < 0.03  # 0.15 ms on an idle machine


# --- order ---


def test_the_order_is_date_then_number_then_file_name(folder: Folder) -> None:
    folder.write("z.md", "---\ndate: 2026-01-01\n---\nx")
    folder.write("b10.md", "---\ndate: 2026-02-01\n---\nx")
    folder.write("b9.md", "---\ndate: 2026-02-01\n---\nx")
    folder.write("c.md", "---\ndate: 2026-02-01\nnumber: 2\n---\nx")
    folder.write("d.md", "---\ndate: 2026-02-01\nnumber: 1\n---\nx")
    folder.write("e.md", "---\ndate: 2026-02-01 01:00 +0200\ndraft: true\n---\nx")
    assert slugs(read_archive(folder.letter)) == ["z", "e", "d", "c", "b9", "b10"]


def test_articles_without_date_come_first_and_count_upwards(folder: Folder) -> None:
    for name in ("issue-10", "issue-9", "about", "2026-01-01-news"):
        folder.write(f"{name}.md", "text")
    assert slugs(read_archive(folder.letter)) == ["issue-9", "issue-10", "about", "news"]


def test_drafts_and_future_posts_are_in_the_archive_but_not_published(shelf: Archive) -> None:
    assert slugs(shelf) == ["pain", "sleep", "anger", "sleep-well", "quiet"]
    assert [a.slug for a in published(shelf, NOW)] == ["pain", "sleep", "sleep-well"]


def test_an_article_is_published_at_its_very_moment(folder: Folder) -> None:
    folder.write("a.md", "---\ndate: 2026-11-23 12:00 +0000\n---\nx")
    archive = read_archive(folder.letter)
    assert len(published(archive, NOW)) == 1
    assert not published(archive, NOW.replace(microsecond=0, hour=11, minute=59))


def test_an_undated_article_counts_as_published(folder: Folder) -> None:
    folder.write("a.md", "text")
    assert len(published(read_archive(folder.letter), NOW)) == 1


def near(shelf: Archive, slug: str) -> tuple[str | None, str | None]:
    article = next(a for a in shelf.articles if a.slug == slug)
    older, newer = neighbours(published(shelf, NOW), article)
    return older.slug if older else None, newer.slug if newer else None


@pytest.mark.parametrize(
    ("slug", "around"),
    [
        ("pain", (None, "sleep")),
        ("sleep", ("pain", "sleep-well")),
        ("sleep-well", ("sleep", None)),
        ("anger", ("sleep", "sleep-well")),
        ("quiet", ("sleep-well", None)),
    ],
)
def test_neighbours_are_published_ones_only(
    shelf: Archive, slug: str, around: tuple[str | None, str | None]
) -> None:
    assert near(shelf, slug) == around


def test_an_article_alone_has_no_neighbours(folder: Folder) -> None:
    article = folder.article("# A")
    assert neighbours((), article) == neighbours((article,), article) == (None, None)


# --- slugs ---


def test_a_slug_written_twice_is_an_error_for_the_later_file(folder: Folder) -> None:
    folder.write("2026-01-01-a.md", "---\nslug: rest\n---\nx")
    folder.write("2026-02-01-b.md", "---\ntitle: B\nslug: Rest\n---\nx")
    archive = read_archive(folder.letter)
    assert slugs(archive) == ["rest"]
    (error,) = archive.errors
    assert error.where == "issues/2026-02-01-b.md:3"
    assert "taken by issues/2026-01-01-a.md" in error.message


def test_a_written_slug_goes_before_one_from_a_file_name(folder: Folder) -> None:
    folder.write("2026-01-01-rest.md", "x")
    folder.write("2026-02-01-b.md", "---\nslug: rest\n---\nx")
    archive = read_archive(folder.letter)
    assert slugs(archive) == ["2026-01-01-rest", "rest"]
    assert not archive.errors


def test_a_series_whose_files_share_a_name_is_told_apart_with_one_warning(folder: Folder) -> None:
    for number in range(1, 6):
        text = f"Title: This Week {number}\nNumber: {number}\nDate: 2026-01-0{number}\n\nBody"
        folder.write(f"2026-01-0{number}-this-week.md", text)
    archive = read_archive(folder.letter)
    assert slugs(archive) == ["this-week", *(f"this-week-{number}" for number in range(2, 6))]
    (problem,) = archive.warnings
    assert problem.code == "slug-shared"
    assert "and 3 more" in problem.message


def test_the_same_name_in_two_years_keeps_the_older_slug(folder: Folder) -> None:
    folder.write("2025-12-24-quiet.md", "x")
    folder.write("2026-12-24-quiet.md", "x")
    folder.write("a/note.md", "x")
    folder.write("b/note.md", "x")
    assert slugs(read_archive(folder.letter)) == ["note", "b-note", "quiet", "2026-12-24-quiet"]


def test_without_dates_the_file_nearest_to_the_top_keeps_the_slug(folder: Folder) -> None:
    folder.write("a/note.md", "x")
    folder.write("note.md", "x")
    archive = read_archive(folder.letter)
    assert slugs(archive) == ["a-note", "note"]
    assert not archive.errors


def test_files_that_differ_only_in_suffix_clash(folder: Folder) -> None:
    folder.write("a.md", "x")
    folder.write("a.markdown", "x")
    archive = read_archive(folder.letter)
    assert len(archive.articles) == len(archive.errors) == 1
    assert "taken by" in archive.errors[0].message


# --- read again ---


def fresh(folder: Folder) -> Archive:
    """The archive as a process that remembers nothing reads it."""
    read.cache_clear()
    return read_archive(folder.letter)


def test_every_change_shows_at_the_next_reading(folder: Folder, shelf: Archive) -> None:
    def change(name: str, content: str) -> None:
        """As an editor might: of the same length, at the same time."""
        path = folder.issues / name
        before = path.stat()
        folder.write(name, content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    first, second, _, _, last = shelf.articles
    changes: tuple[Callable[[], object], ...] = (
        lambda: change(first.path.name, "---\ntitle: Gain\nnumber: 41\n---\nBody"),
        lambda: change(first.path.name, "---\ntitle: Gain\nnumber: 41\n---\nTale"),
        lambda: change(second.path.name, "---\ntitle: Sleep\ndraft: true\n---\nBody"),
        lambda: change(second.path.name, "---\ntitle: [\n---\nBody"),
        lambda: change(second.path.name, "---\ntitle: Sleep\nslug: pain\n---\nBody"),
        lambda: (folder.issues / second.path.name).rename(folder.issues / "sleep.md"),
        (folder.issues / first.path.name).touch,
        (folder.issues / first.path.name).unlink,
        lambda: folder.write(first.path.name, "---\ntitle: Back\n---\nBody"),
        lambda: folder.write(last.path.name, b"\xff\xfe"),
    )
    before = shelf
    for number, made in enumerate(changes):
        made()
        seen = read_archive(folder.letter)
        touched = number == 6
        assert (as_text(seen) == as_text(before)) is touched, number
        assert as_text(seen) == as_text(fresh(folder)), number
        before = seen


def as_text(archive: Archive) -> str:
    """All of an archive, its errors compared by what they say."""
    return repr((archive.articles, [str(error) for error in archive.errors], archive.warnings))


def test_another_time_zone_is_another_reading(folder: Folder) -> None:
    folder.write("a.md", "---\ndate: 2026-06-01\n---\nBody")
    lisbon = read_archive(folder.letter).articles[0]
    tokyo = read_archive(replace(folder.letter, timezone=ZoneInfo("Asia/Tokyo"))).articles[0]
    assert lisbon.date != tokyo.date


def test_an_archive_is_parsed_once_while_it_does_not_change(folder: Folder) -> None:
    for number in range(3):
        folder.write(f"{number}.md", f"# Letter {number}")
    fresh(folder)
    read_archive(folder.letter)
    folder.write("1.md", "# Another letter")
    read_archive(folder.letter)
    assert read.cache_info().misses == 4
