"""`newsletter theme`, and what `check` and `build` say of a publication's looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.defaults import default_folder
from newsletter.model.look import SHIPPED_LOOKS
from tests.publication import CONFIG, Publication, publication

BUILT_IN = default_folder("templates")


@pytest.fixture
def house(tmp_path: Path) -> Publication:
    return publication(tmp_path, months=2)


def choose(house: Publication, *lines: str) -> None:
    house.write("newsletter.toml", "\n".join([CONFIG, "[theme]", *lines, ""]))


def codes(house: Publication, *, code: int | None = 0) -> list[tuple[str, int | None, str]]:
    """Where `check` finds something wrong with the looks, and what."""
    found = house.ask("check", code=code)["problems"]
    ours = ("theme-contrast", "template-unused")
    return [(each["file"], each["line"], each["code"]) for each in found if each["code"] in ours]


# --- list ----------------------------------------------------------------------------------------


def test_the_list_names_looks_tokens_and_what_was_set(house: Publication) -> None:
    choose(house, 'look = "digest"', 'accent = "#8a1f5c"', "radius = 10")
    listed = house.ask("theme", "list")
    assert {"name": "digest", "chosen": True} in listed["looks"]
    assert {"name": "plain", "chosen": False} in listed["looks"]
    assert listed["tokens"]["accent"]["value"][0] == "#8a1f5c"
    assert [name for name, token in listed["tokens"].items() if token["set"]] == [
        "accent",
        "radius",
    ]
    assert len(listed["tokens"]) == 10
    shown = house.run("theme", "list").stdout
    assert "  * digest\n" in shown
    assert "radius        10   set in [theme]" in shown


def test_a_look_of_ones_own_is_listed_and_can_be_chosen(house: Publication) -> None:
    plain = (BUILT_IN / "looks/plain.jinja").read_text("utf-8")
    house.write("templates/looks/mine.jinja", plain)
    choose(house, 'look = "mine"')
    assert {"name": "mine", "chosen": True} in house.ask("theme", "list")["looks"]
    assert codes(house) == []


def test_an_unknown_look_stops_every_command_with_its_likely_name(house: Publication) -> None:
    choose(house, 'look = "leter"')
    assert "Did you mean `letter`?" in house.run("theme", "list", code=3).stderr
    assert "Did you mean `letter`?" in house.run("build", code=3).stderr


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_init_can_choose_a_look(tmp_path: Path, look: str) -> None:
    house = Publication(tmp_path)
    house.run("init", "letter", "--look", look)
    house = Publication(tmp_path / "letter")
    listed = house.ask("theme", "list")
    assert {"name": look, "chosen": True} in listed["looks"]
    house.run("build")


# --- eject ---------------------------------------------------------------------------------------


def test_eject_lists_what_there_is_and_who_wins(house: Publication) -> None:
    house.write("templates/partials/footer.html", "mine")
    rows = {row["name"]: row["own"] for row in house.ask("theme", "eject")["templates"]}
    assert rows["email.html"] is None
    assert rows["partials/footer.html"] == str(house.root / "templates/partials/footer.html")
    shown = house.run("theme", "eject").stdout
    assert "templates/partials/footer.html wins" in shown


def test_eject_copies_byte_for_byte_and_says_so(house: Publication) -> None:
    result = house.run("theme", "eject", "partials/footer.html", "email.txt")
    assert "created   templates/partials/footer.html" in result.stdout
    assert "They win" in result.stdout
    copy = house.root / "templates/partials/footer.html"
    assert copy.read_bytes() == (BUILT_IN / "partials/footer.html").read_bytes()
    assert house.ask("theme", "list")["own"] == ["email.txt", "partials/footer.html"]


@pytest.mark.parametrize("name", [p.relative_to(BUILT_IN) for p in BUILT_IN.rglob("*.*")], ids=str)
def test_an_ejected_template_changes_no_mail_until_it_is_edited(
    house: Publication, name: Path
) -> None:
    house.run("build", "--out", str(house.root / "before"))
    house.run("theme", "eject", name.as_posix())
    house.run("build", "--out", str(house.root / "after"))
    for before in (house.root / "before").glob("*.eml"):
        assert (house.root / "after" / before.name).read_bytes() == before.read_bytes()


def test_eject_does_not_overwrite_unless_forced(house: Publication) -> None:
    mine = house.write("templates/email.html", "mine")
    refused = house.run("theme", "eject", "email.txt", "email.html", code=2)
    assert "email.html: you have 1 file of that name" in refused.stderr
    assert mine.read_text() == "mine"
    assert not (house.root / "templates/email.txt").exists()
    house.run("theme", "eject", "email.html", "--force")
    assert mine.read_bytes() == (BUILT_IN / "email.html").read_bytes()


def test_eject_follows_no_link_out_of_the_folder(house: Publication, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (house.root / "templates").mkdir()
    (house.root / "templates/partials").symlink_to(outside)
    house.run("theme", "eject", "partials/footer.html", code=2)
    assert not list(outside.iterdir())
    target = house.write("notes.txt", "notes")
    (house.root / "templates/email.txt").symlink_to(target)
    house.run("theme", "eject", "email.txt", "--force")
    assert target.read_text() == "notes"


def test_eject_of_what_is_not_there_names_the_likely_template(house: Publication) -> None:
    refused = house.run("theme", "eject", "partials/card.html", code=2)
    assert "Did you mean `partials/cards.html`?" in refused.stderr


def test_the_built_in_templates_cannot_be_ejected_onto_themselves(house: Publication) -> None:
    house.write(
        "newsletter.toml", CONFIG.replace("[sender]", f'templates = "{BUILT_IN}"\n[sender]')
    )
    assert "are the built-in ones" in house.run("theme", "eject", "email.txt", code=2).stderr


# --- check and build -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("emial.html", "email.html"),
        ("Email.html", "email.html"),
        ("partials/cards.htm", "partials/cards.html"),
        ("footer.html", "partials/footer.html"),
        ("inline.css", "inlined.css"),
    ],
)
def test_a_misspelt_template_is_no_longer_ignored_in_silence(
    house: Publication, name: str, guess: str
) -> None:
    house.write(f"templates/{name}", "mine")
    assert codes(house) == [(f"templates/{name}", None, "template-unused")]
    for command in ("check", "build"):
        result = house.run(command)
        assert f"Did you mean `{guess}`?" in result.stdout + result.stderr


def test_files_that_a_template_uses_or_that_are_none_are_no_mistake(house: Publication) -> None:
    house.write("templates/README.md", "notes")
    house.write("templates/.DS_Store", "x")
    house.write("templates/email.html~", "x")
    house.write("templates/partials/social.html", "<tr><td>Elsewhere</td></tr>")
    footer = (BUILT_IN / "partials/footer.html").read_text("utf-8")
    house.write("templates/partials/footer.html", '{% include "partials/social.html" %}' + footer)
    assert codes(house) == []


def test_colours_that_cannot_be_read_are_an_error_at_their_line(house: Publication) -> None:
    choose(house, 'ink = "#999999"', 'panel = ["#ffffff", "#101010"]')
    line = CONFIG.count("\n") + 3
    found = codes(house, code=3)
    assert ("newsletter.toml", line, "theme-contrast") in found
    result = house.run("check", code=3)
    assert "ink #999999 on panel #ffffff: contrast 2.85" in result.stdout + result.stderr


def test_colours_that_the_publication_did_not_choose_are_made_readable(house: Publication) -> None:
    choose(house, 'accent = "#ffd400"')
    assert codes(house) == []


def test_a_finding_on_looks_can_be_ignored(house: Publication) -> None:
    choose(house, 'link = ["#b0b0b0", "#ffffff"]', "[check]", 'ignore = ["theme-contrast"]')
    assert "theme-contrast" not in {code for _, _, code in codes(house, code=None)}
