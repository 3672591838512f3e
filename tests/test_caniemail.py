"""caniemail's facts: the table, the clients and their weights, and what a client drops."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ConfigError, UsageError
from newsletter.lint.caniemail import clients, facts, unsupported
from newsletter.lint.caniemail.distil import distilled
from newsletter.lint.caniemail.facts import TABLE, link
from newsletter.lint.caniemail.features import UNSEEN, slugs
from newsletter.model import Readership


def weights(**shares: float) -> dict[str, float]:
    """The clients that somebody uses, by id; `gmail__ios` stands for `gmail.ios`."""
    named = ((name.replace("__", ".").replace("_", "-"), share) for name, share in shares.items())
    return {each.id: each.weight for each in clients(Readership(tuple(named))) if each.weight}


# --- the table ---


def test_the_table_is_small_and_names_its_source_its_date_and_its_licence() -> None:
    text = TABLE.read_text("utf-8")
    assert len(text.encode()) <= 60 * 1024
    assert max(map(len, text.splitlines())) <= 200
    assert re.fullmatch(r"npm package caniemail [\d.]+, data/caniemail.json", facts().source)
    assert facts().date >= "2026-05-13"
    for words in ("MIT License", "Copyright (c) 2019 HTeuMeuLeu", "above copyright notice"):
        assert words in text


def test_every_feature_of_the_table_is_one_we_look_for_or_know_to_be_unseen() -> None:
    assert set(facts().rows) == slugs() | UNSEEN
    assert not slugs() & UNSEEN


def test_every_feature_has_a_day_a_link_and_a_cell_for_each_client() -> None:
    assert len(facts().rows) >= 307
    for slug in facts().rows:
        feature = facts().feature(slug)
        assert len(feature.cells) == len(facts().clients) >= 48
        assert feature.tested[:2] == "20"
        assert len(feature.tested) == 10
        assert facts().tested(slug) == feature.tested
        assert link(slug) == f"https://www.caniemail.com/features/{slug}/"


def test_the_last_version_of_the_file_counts_not_the_highest() -> None:
    """Outlook for Mac: "2019" stands before "16.80" (composition 0.12)."""
    published = json.dumps(publication({"macos": {"2011": "n", "2019": "n", "16.80": "a #1 #10"}}))
    assert distilled(published.encode(), "x").splitlines()[-1] == "css-gap 2024-05-01 a1A"


# --- making the table ---


def publication(platforms: dict[str, dict[str, str]], **more: object) -> dict[str, object]:
    """caniemail.json with one feature and one family."""
    feature = {
        "slug": "css-gap",
        "last_test_date": "2024-05-1",
        "stats": {"outlook": platforms},
        "notes_by_num": None,
        **more,
    }
    names = {"family": {"outlook": "Outlook"}, "platform": {"macos": "macOS", "ios": "iOS"}}
    return {"last_update_date": "2026-05-13 14:45", "nicenames": names, "data": [feature]}


def package(**members: object) -> bytes:
    """An npm package as it is downloaded."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            body = json.dumps(content).encode()
            entry = tarfile.TarInfo(name.replace("__", "/").replace("_json", ".json"))
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return file.getvalue()


def test_a_table_is_made_of_an_npm_package() -> None:
    content = package(
        package__package_json={"version": "9.9.9"},
        package__data__caniemail_json=publication({"macos": {"1": "y"}}),
    )
    text = distilled(content, "caniemail-9.9.9.tgz")
    assert "# Source:  npm package caniemail 9.9.9, data/caniemail.json\n" in text
    assert "# Date:    2026-05-13\n" in text
    assert text.endswith("client outlook Outlook: macos macOS\n\ncss-gap 2024-05-01 y\n")


def test_notes_on_mailboxes_of_other_providers_are_marked() -> None:
    notes = {
        "1": "Partial. Not supported with non Google accounts.",
        "2": "Partial. Only supported with non Google accounts.",
        "3": "Partial. No negative values.",
    }
    published = publication({"ios": {"1": "a #1 #3"}}, notes_by_num=notes)
    row = distilled(json.dumps(published).encode(), "x").splitlines()[-1]
    assert row == "css-gap 2024-05-01 a13 ~1 !2"
    assert "negative" not in distilled(json.dumps(published).encode(), "x")


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{}",
        b"[]",
        b"\x1f\x8b nothing",
        package(other_json={}),
        json.dumps(publication({"macos": {"1": "maybe"}})).encode(),
        json.dumps(publication({"macos": {"1": "y #99"}})).encode(),
        json.dumps(publication({"../x": {"1": "y"}})).encode(),
        json.dumps(publication({"macos": {"1": "y"}}, slug="css gap\n# x")).encode(),
        json.dumps(publication({"macos": {"1": "y"}}, last_test_date="soon")).encode(),
    ],
    ids=range(10),
)
def test_what_is_no_publication_of_caniemail_is_refused(broken: bytes) -> None:
    with pytest.raises(UsageError, match="x is no caniemail data"):
        distilled(broken, "x")


@given(st.lists(st.sampled_from(["y", "n", "u", "a #1", "a #2 #12", "n #35"]), min_size=1))
def test_a_cell_comes_back_as_it_was_published(tmp_path_factory, support: list[str]) -> None:  # type: ignore[no-untyped-def]
    versions = {str(year): letter for year, letter in enumerate(support)}
    table = Path(tmp_path_factory.mktemp("table")) / "table.txt"
    table.write_text(distilled(json.dumps(publication({"macos": versions})).encode(), "x"), "utf-8")
    cell = facts(table).feature("css-gap").cells["outlook.macos"]
    assert " ".join((cell.support, *(f"#{n}" for n in cell.notes))) == support[-1]


# --- clients and weights ---


def test_the_estimate_is_of_all_readers_and_those_with_the_most_come_first() -> None:
    found = clients()
    assert sum(each.weight for each in found) == pytest.approx(100)
    assert [each.weight for each in found] == sorted((c.weight for c in found), reverse=True)


def test_a_client_says_its_name_and_whether_it_drops_style() -> None:
    by_id = {each.id: each for each in clients()}
    assert by_id["gmail.android"].name == "Gmail (Android)"
    assert by_id["gmail.mobile-webmail"].drops_style
    assert not by_id["gmail.desktop-webmail"].drops_style
    assert sum(each.drops_style for each in clients()) == 10


def test_a_family_gives_its_share_to_its_platforms() -> None:
    assert weights(apple_mail=50) == {"apple-mail.ios": 40, "apple-mail.macos": 10}
    assert weights(hey=7) == {"hey.desktop-webmail": 7}
    assert weights(orange=9) == {
        "orange.android": 3,
        "orange.desktop-webmail": 3,
        "orange.ios": 3,
    }


def test_a_platform_with_a_share_of_its_own_takes_no_part_in_its_familys() -> None:
    assert weights(apple_mail=10, apple_mail__ios=60) == {
        "apple-mail.ios": 60,
        "apple-mail.macos": 10,
    }


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ({"gmial": 30}, "Did you mean `gmail`"),
        ({"outlook.mac": 30}, "Did you mean `outlook.macos`"),
        ({"gmail": 60, "outlook": 50}, "110 % together"),
    ],
)
def test_shares_that_cannot_be_are_refused(shares: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        clients(Readership(tuple(shares.items())))


# --- what a client drops ---


def test_what_outlook_for_windows_drops() -> None:
    dropped = unsupported("outlook.windows")
    assert {"border-radius", "box-shadow", "position", "max-height"} <= dropped.properties
    assert not {"color", "padding", "margin", "max-width"} & dropped.properties
    assert ("display", "flex") in dropped.values
    assert "calc" in dropped.functions
    assert "@media" in dropped.at_rules
    assert dropped.mso
    assert not dropped.style_element


def test_what_gmail_drops() -> None:
    dropped = unsupported("gmail.desktop-webmail")
    assert "prefers-color-scheme" in dropped.media_features
    assert "@media" not in dropped.at_rules
    assert "@font-face" in dropped.at_rules
    assert {":first-child", "::before"} <= dropped.pseudos
    assert "svg" in dropped.elements
    assert "body" not in dropped.elements
    assert not dropped.mso
    assert unsupported("gmail.mobile-webmail").style_element


def test_apple_mail_drops_next_to_nothing() -> None:
    assert len(unsupported("apple-mail.macos").properties) < 6


def test_every_client_can_be_looked_through() -> None:
    for each in clients():
        assert unsupported(each.id).style_element == each.drops_style


def test_a_client_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean `gmail\.ios`"):
        unsupported("gmail.iso")
