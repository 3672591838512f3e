"""What a person types, and where an article is read on the web."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.articles import Archive, find, issue_url, read_archive
from newsletter.errors import AmbiguousIssue, ArticleError, NoSuchIssue
from newsletter.model import Article
from tests.articles_folder import NOW, Folder, letter_in, shelf_in


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def shelf(folder: Folder) -> Archive:
    return shelf_in(folder)


# --- finding ---


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("sleep", "sleep"),
        ("sleep-w", "sleep-well"),
        ("qui", "quiet"),
        ("QUI", "quiet"),
        ("43", "sleep-well"),
        ("#43", "sleep-well"),
        ("#041", "pain"),
        ("2026-10-01-sleep", "sleep"),
        ("2026-11", "sleep-well"),
        ("2026-10-15-anger.md", "anger"),
        ("issues/2026-10-01-sleep.md", "sleep"),
        ("./issues/2026-10-01-sleep.md", "sleep"),
        ("../issues/2026-10-01-sleep.md", "sleep"),
        ("latest", "sleep-well"),
        ("draft", "anger"),
        (" sleep ", "sleep"),
    ],
)
def test_an_issue_is_found_by(shelf: Archive, name: str, slug: str) -> None:
    assert find(shelf, name, NOW).slug == slug


def test_an_issue_is_found_by_absolute_path_also_through_a_link(
    folder: Folder, shelf: Archive, tmp_path: Path
) -> None:
    path = folder.issues / "2026-10-01-sleep.md"
    (tmp_path / "shortcut").symlink_to(folder.issues)
    assert find(shelf, str(path), NOW).slug == "sleep"
    assert find(shelf, str(tmp_path / "shortcut" / path.name), NOW).slug == "sleep"


def test_a_bundle_is_found_by_its_folder(folder: Folder) -> None:
    folder.write("2026-11-01-rest/index.md", "# Rest")
    archive = read_archive(folder.letter)
    for name in (
        "rest",
        "issues/2026-11-01-rest",
        "issues/2026-11-01-rest/",
        "2026-11-01-rest",
        "issues/2026-11-01-rest/index.md",
        str(folder.issues / "2026-11-01-rest"),
    ):
        assert find(archive, name, NOW).slug == "rest"


def test_ambiguity_lists_the_candidates(shelf: Archive) -> None:
    with pytest.raises(AmbiguousIssue) as caught:
        find(shelf, "sl", NOW)
    assert caught.value.hint == "one of: sleep, sleep-well"
    with pytest.raises(AmbiguousIssue) as caught:
        find(shelf, "2026", NOW)
    assert caught.value.message == "`2026` may be 5 issues"


def test_a_number_given_twice_is_ambiguous(folder: Folder) -> None:
    folder.write("a.md", "---\nnumber: 7\n---\nx")
    folder.write("b.md", "---\nnumber: 7\n---\nx")
    with pytest.raises(AmbiguousIssue):
        find(read_archive(folder.letter), "#7", NOW)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("slepe", "did you mean `sleep`"),
        ("issues/2026-10-01-slep.md", "did you mean"),
        ("zzzz", "newsletter list shows every issue"),
        ("", "newsletter list shows every issue"),
        ("#99", "newsletter list shows every issue"),
    ],
)
def test_an_unknown_name_says_what_to_do(shelf: Archive, name: str, hint: str) -> None:
    with pytest.raises(NoSuchIssue) as caught:
        find(shelf, name, NOW)
    assert (caught.value.hint or "").startswith(hint)


def test_an_empty_archive_says_how_to_begin() -> None:
    for name in ("latest", "draft", "sleep"):
        with pytest.raises(NoSuchIssue) as caught:
            find(Archive(), name, NOW)
        assert "newsletter new" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "name",
    [
        "issues/2026-11-20-broken.md",
        "2026-11-20-broken.md",
        "broken",
        "2026-11-20-broken",
        "2026-11-20",
    ],
)
def test_the_error_of_the_file_that_is_meant_is_raised(folder: Folder, name: str) -> None:
    folder.write("2026-10-01-sleep.md", "# Sleep")
    folder.write("2026-11-20-broken.md", "---\ntitle: a: b\n---\n")
    with pytest.raises(ArticleError) as caught:
        find(read_archive(folder.letter), name, NOW)
    assert caught.value.where == "issues/2026-11-20-broken.md:2"


def test_latest_never_falls_back_behind_a_newer_broken_file(folder: Folder) -> None:
    folder.write("2026-10-01-sleep.md", "# Sleep")
    folder.write("2026-11-20-broken.md", "---\ntitle: a: b\n---\n")
    with pytest.raises(ArticleError):
        find(read_archive(folder.letter), "latest", NOW)
    (folder.issues / "2026-11-20-broken.md").rename(folder.issues / "2026-09-01-broken.md")
    assert find(read_archive(folder.letter), "latest", NOW).slug == "sleep"


# --- addresses ---


def url(permalink: str, tmp_path: Path, article: Article) -> str:
    return issue_url(article, letter_in(tmp_path, permalink=permalink))


def test_the_permalink_is_filled_in_the_letters_zone(folder: Folder, tmp_path: Path) -> None:
    article = folder.article("---\nnumber: 7\ndate: 2026-06-30 23:30 +0000\n---\nx", "rest.md")
    assert url("/{slug}/", tmp_path, article) == "https://letters.example.org/rest/"
    assert url("/{year}/{month}/{day}/{slug}.html", tmp_path, article) == (
        "https://letters.example.org/2026/07/01/rest.html"
    )
    assert url("/issues/{number}/", tmp_path, article) == "https://letters.example.org/issues/7/"


def test_a_permalink_without_its_date_or_number_is_the_slug(folder: Folder, tmp_path: Path) -> None:
    article = folder.article("x", "rest.md")
    for permalink in ("/{year}/{slug}/", "/{number}/"):
        assert url(permalink, tmp_path, article) == "https://letters.example.org/rest/"


def test_letters_of_any_script_are_percent_encoded_in_the_url(
    folder: Folder, tmp_path: Path
) -> None:
    article = folder.article("x", "Schönheit.md")
    assert article.slug == "Schönheit"
    assert url("/{slug}/", tmp_path, article) == "https://letters.example.org/Sch%C3%B6nheit/"


def test_an_articles_own_url_goes_first(folder: Folder, tmp_path: Path) -> None:
    article = folder.article("x", "rest.md")
    own = replace(article, url="https://example.com/a b".replace(" ", "%20"))
    assert url("/{slug}/", tmp_path, own) == "https://example.com/a%20b"
    rooted = replace(article, url="/blog/réveil/?a=1")
    assert url("/{slug}/", tmp_path, rooted) == "https://letters.example.org/blog/r%C3%A9veil/?a=1"
