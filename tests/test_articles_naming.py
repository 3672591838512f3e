"""Dates as people write them, and what the name of a file says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path, PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.articles.dates import parse_date
from newsletter.articles.naming import clean_slug, natural, read_name
from tests.articles_folder import LISBON, Folder, yaml


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# --- dates ---


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-22", "2026-11-22T00:00:00+00:00"),
        ("2026-07-01", "2026-07-01T00:00:00+01:00"),
        ("2026-11-22 08:00", "2026-11-22T08:00:00+00:00"),
        ("2026-11-22T08:00:01", "2026-11-22T08:00:01+00:00"),
        ("2025-01-29 18:15:32 +0530", "2025-01-29T18:15:32+05:30"),
        ("2026-08-20 22:00:00 -0000", "2026-08-20T22:00:00+00:00"),
        ("2017-02-28T08:00:00.000Z", "2017-02-28T08:00:00+00:00"),
        ("2017-02-28T08:00:00.1234567-03:00", "2017-02-28T08:00:00.123456-03:00"),
        ("2024-4-09", "2024-04-09T00:00:00+01:00"),
        ("2019-07-09 18::48::00", "2019-07-09T18:48:00+01:00"),
        ("2012-09-15 19:52:05 UTC-03:00", "2012-09-15T19:52:05-03:00"),
        ("2012-09-15 19:52:05 UTC", "2012-09-15T19:52:05+00:00"),
        ("2012-09-15 19:52:05 EST", "2012-09-15T19:52:05-05:00"),
        ("2012-09-15 19:52:05 America/New_York", "2012-09-15T19:52:05-04:00"),
        ("2012-09-15 19:52 -0300", "2012-09-15T19:52:00-03:00"),
        ("2013/06/07 9:14", "2013-06-07T09:14:00+01:00"),
        ("2019-07-09 6:48 PM", "2019-07-09T18:48:00+01:00"),
        ("2019-07-09 12:05 am", "2019-07-09T00:05:00+01:00"),
        ("20261122", "2026-11-22T00:00:00+00:00"),
        ("Tue, 20 Aug 2019 10:00:00 +0000", "2019-08-20T10:00:00+00:00"),
        ("Tue, 20 Aug 2019 10:00:00 GMT", "2019-08-20T10:00:00+00:00"),
        ("2023-01-29 18:30:22 2023 -0800", "2023-01-29T18:30:22-08:00"),
        ("Sun Jan 29 18:30:22 2023 -0800", "2023-01-29T18:30:22-08:00"),
        ("Sun Jan  9 18:30:22 UTC 2023", "2023-01-09T18:30:22+00:00"),
        ("20 August 2019", "2019-08-20T00:00:00+01:00"),
        ("August 20th, 2019", "2019-08-20T00:00:00+01:00"),
        ("Aug 20, 2019 10:00", "2019-08-20T10:00:00+01:00"),
        ("Sat Dec 7 2019 10:00:00 GMT+0100 (CET)", "2019-12-07T10:00:00+01:00"),
    ],
)
def test_dates_people_write(text: str, iso: str) -> None:
    moment = parse_date(text, LISBON)
    assert moment is not None
    assert moment.isoformat() == iso


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026",
        "2026-11",
        "2026-02-30",
        "2026-00-10",
        "04/09/2024",
        "2021-(TODO: MM-DD)",
        "2026-11-22 25:00",
        "2026-11-22 08:00 +99:00",
        "2026-11-22 08:00 +05:75",
        "2026-11-22 08:00 Mars/X",
        "9999-12-31 23:59 -12:00",
        "2026-11-22 13:00 pm",
        "2026-11-22 08:00 ../../etc/passwd",
        "2026-11-22 08:00 XYZ",
        "201911",
        "1" * 4000,
        "32 August 2019",
        "20 Foo 2019",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert parse_date(text, LISBON) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_aware_date_or_none(text: str) -> None:
    moment = parse_date(text, LISBON)
    assert moment is None or moment.utcoffset() is not None


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_iso_date_is_read_back(moment: datetime) -> None:
    assert parse_date(moment.isoformat(), LISBON) == moment


def test_hugos_zero_time_is_no_date(folder: Folder) -> None:
    assert folder.article(yaml("title: A", "date: 0001-01-01T00:00:00Z")).date is None


def test_a_date_not_filled_in_is_forgiven_a_draft_and_a_dated_file(folder: Folder) -> None:
    todo = "date: '2021-(TODO: MM-DD)'"
    assert folder.article(yaml(todo, "draft: true")).date is None
    dated = folder.article(yaml(todo), "2021-05-06-rest.md")
    assert dated.date == datetime(2021, 5, 6, tzinfo=LISBON)
    (folder.issues / "x.md").unlink()
    (problem,) = folder.warnings(yaml(todo), "2021-05-06-rest.md")
    assert (problem.code, problem.line) == ("date-unfinished", 2)


# --- what the file's name says ---


@pytest.mark.parametrize(
    ("path", "slug", "day", "number"),
    [
        ("2026-11-22-sleep.md", "sleep", "2026-11-22", None),
        ("_posts/2026-11-22-sleep-well.markdown", "sleep-well", "2026-11-22", None),
        ("2026-11-22_sleep.md", "sleep", "2026-11-22", None),
        ("2026.11.22.sleep.md", "sleep", "2026-11-22", None),
        ("20261122-sleep.md", "sleep", "2026-11-22", None),
        ("2026-11-22.md", "2026-11-22", "2026-11-22", None),
        ("2026-1-2-a.md", "a", "2026-01-02", None),
        ("2026-13-45-sleep.md", "2026-13-45-sleep", None, None),
        ("201911-notes.md", "201911-notes", None, None),
        ("043-sleep.md", "sleep", None, 43),
        ("43.md", "43", None, 43),
        ("issue-43.md", "issue-43", None, 43),
        ("2020-in-review.md", "2020-in-review", None, None),
        ("sleep.md", "sleep", None, None),
        ("sleep/index.md", "sleep", None, None),
        ("post/2026-11-22-sleep/index.md", "sleep", "2026-11-22", None),
        ("043-sleep/index.md", "sleep", None, 43),
        ("2026/11/22/sleep.md", "sleep", "2026-11-22", None),
        ("2026/11/22-sleep.md", "sleep", "2026-11-22", None),
        ("2026/11/22.md", "2026-11-22", "2026-11-22", None),
        ("2026-11-22/sleep.md", "sleep", "2026-11-22", None),
        ("2026/sleep.md", "sleep", None, None),
        ("Über Schlaf & Ruhe.md", "Über-Schlaf-Ruhe", None, None),
        ("眠り.md", "眠り", None, None),
        ("Rust-1.0.md", "Rust-1.0", None, None),
        ("!!!.md", "article", None, None),
        ("index.md", "index", None, None),
    ],
)
def test_what_a_file_name_says(path: str, slug: str, day: str | None, number: int | None) -> None:
    name = read_name(PurePath(path))
    assert (name.slug, name.day and name.day.isoformat(), name.number) == (slug, day, number)


def test_jekylls_drafts_folder_holds_drafts(folder: Folder) -> None:
    assert folder.article("# A\n", "_drafts/a.md").draft


def test_a_bundle_in_another_language_has_a_slug_of_its_own(folder: Folder) -> None:
    own, other = folder.article("A", "rest/index.en.md"), folder.article("A", "rest/index.pt.md")
    assert (own.slug, own.language) == ("rest", "en")
    assert (other.slug, other.language) == ("rest.pt", "pt")


def test_zolas_path_gives_date_and_slug(folder: Folder) -> None:
    article = folder.article('+++\ntitle = "A"\npath = "2014/09/15/Rust-1.0"\n+++\nB', "a.md")
    assert article.date == datetime(2014, 9, 15, tzinfo=LISBON)
    assert article.slug == "Rust-1.0"


def test_the_front_matter_goes_before_the_file_name(folder: Folder) -> None:
    article = folder.article(yaml("slug: b", "date: 2025-01-01", "number: 9"), "2026-11-22-a.md")
    assert article.slug == "b"
    assert article.number == 9
    assert article.date == datetime(2025, 1, 1, tzinfo=LISBON)


def test_a_bundle_knows_the_folder_of_its_images(folder: Folder) -> None:
    article = folder.article("# A", "rest/index.md")
    assert article.folder == folder.issues / "rest"
    assert article.path == Path("issues/rest/index.md")


def test_a_slug_with_blanks_is_cleaned_and_reported(folder: Folder) -> None:
    (problem,) = folder.warnings(yaml("slug: What's new?"))
    assert problem.code == "slug-cleaned"
    assert folder.article(yaml("slug: What's new?")).slug == "Whats-new"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_a_clean_slug_is_safe_and_stays_as_it_is(text: str) -> None:
    slug = clean_slug(text)
    assert not set(slug) & set('/\\\0:*?"<>| \n')
    assert ".." not in slug
    assert not slug.startswith((".", "-"))
    assert len(slug.encode()) <= 200
    assert clean_slug(slug) == slug


def test_natural_order_counts() -> None:
    names = ["issue-10", "issue-9", "Issue-1", "a", "issue-1b"]
    assert sorted(names, key=natural) == ["a", "Issue-1", "issue-1b", "issue-9", "issue-10"]
