"""newsletter.toml and [tool.newsletter]: found, checked, explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.config import find_config, line_of, load_config, schema
from newsletter.errors import ConfigError
from newsletter.sample import sample_toml

GOOD = sample_toml("Field Notes", "https://letters.example.org", "Ana <ana@letters.example.org>")


def publication(folder: Path, text: str = GOOD) -> Path:
    (folder / "newsletter.toml").write_text(text, "utf-8")
    return folder


def fault(folder: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(publication(folder, text))
    return caught.value


def test_the_file_that_init_writes_is_a_good_configuration(tmp_path: Path) -> None:
    letter = load_config(publication(tmp_path)).letter()
    assert (letter.name, letter.sender.name) == ("Field Notes", "Ana")
    assert letter.sender.address == "ana@letters.example.org"
    assert letter.list_id == "letter.letters.example.org"
    assert letter.issues == tmp_path / "issues"
    assert "first_name" in letter.fields


def test_names_with_quotes_and_backslashes_survive_init(tmp_path: Path) -> None:
    text = sample_toml('A "Fine" \\ Letter', "https://a.example.org", "a@a.example.org")
    assert load_config(publication(tmp_path, text)).letter().name == 'A "Fine" \\ Letter'


def test_the_configuration_is_found_by_walking_up(tmp_path: Path) -> None:
    deep = publication(tmp_path) / "issues" / "2026"
    deep.mkdir(parents=True)
    assert load_config(deep).root == tmp_path


def test_pyproject_counts_only_with_its_table(tmp_path: Path) -> None:
    publication(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find_config(inner) == tmp_path / "newsletter.toml"
    tables = GOOD.replace("[letter]", "[tool.newsletter.letter]").replace(
        "[sender]", "[tool.newsletter.sender]"
    )
    tables = tables.replace("[relay.main]", "[tool.newsletter.relay.main]").replace(
        "[database]", "[tool.newsletter.database]"
    )
    (inner / "pyproject.toml").write_text(tables)
    assert load_config(inner).path == inner / "pyproject.toml"


def test_no_publication_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="newsletter init"):
        find_config(tmp_path)


def test_an_unknown_key_names_its_line_and_the_likely_key(tmp_path: Path) -> None:
    error = fault(tmp_path, GOOD.replace("from = ", "form = "))
    line = GOOD.splitlines().index('from = "Ana <ana@letters.example.org>"') + 1
    assert str(error).startswith(f"newsletter.toml:{line}: unknown key `form` in [sender]")
    assert "Did you mean `from`?" in error.message
    assert error.as_json()["code"] == "config.unknown_key"
    assert "`from` is missing in [sender]" in (error.hint or "")


def test_an_unknown_key_of_a_relay_names_the_likely_key(tmp_path: Path) -> None:
    error = fault(tmp_path, GOOD.replace('preset = "inbox"\n', 'presett = "inbox"\n'))
    assert "unknown key `presett` in [relay.main]. Did you mean `preset`?" in error.message


def test_an_unknown_table_names_the_likely_table(tmp_path: Path) -> None:
    error = fault(tmp_path, GOOD.replace("[database]", "[databse]"))
    assert "unknown key `databse`. Did you mean `database`?" in error.message


def test_broken_toml_names_its_line(tmp_path: Path) -> None:
    error = fault(tmp_path, '[letter]\nname = "x\n')
    assert (error.path, error.line) == ("newsletter.toml", 2)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("https://letters.example.org", "http://letters.example.org", "https"),
        ("Ana <ana@letters.example.org>", "Ana", "address"),
        ("Ana <ana@letters.example.org>", "Ana <ä@letters.example.org>", "ASCII"),
        ('timezone = "UTC"', 'timezone = "Atlantis/Main"', "no such time zone"),
        ('preset = "inbox"', 'preset = "sess"', "Did you mean `ses`?"),
        ('preset = "inbox"', 'preset = "smtp"', "needs a host"),
        ('preset = "inbox"', 'preset = "ses"', "needs a region"),
        ('language = "en"', 'language = "en"\npermalink = "/{slog}/"', "{slug}"),
        ('postal_address = "1 Example Road, Exampleton"', 'postal_address = ""', "postal_address"),
    ],
)
def test_a_bad_value_is_explained_with_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD
    error = fault(tmp_path, GOOD.replace(old, new))
    assert said in error.message
    assert error.line is not None


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert load_config(publication(tmp_path, "\ufeff" + GOOD)).root == tmp_path


def test_a_file_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigError, match="UTF-8") as caught:
        load_config(tmp_path)
    assert caught.value.path == "newsletter.toml"


@pytest.mark.parametrize("zone", ["Europe", "../../etc/passwd", "/etc/passwd", ""])
def test_a_time_zone_that_is_none_is_named(tmp_path: Path, zone: str) -> None:
    assert "time zone" in fault(tmp_path, GOOD.replace('"UTC"', f'"{zone}"')).message


def test_a_tool_table_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nnewsletter = 3\n")
    with pytest.raises(ConfigError, match="no table") as caught:
        load_config(tmp_path)
    assert caught.value.where == "pyproject.toml:2"


def test_a_database_path_is_relative_to_the_publication(tmp_path: Path) -> None:
    config = load_config(publication(tmp_path))
    assert config.database_url == f"sqlite:{tmp_path / '.newsletter' / 'newsletter.db'}"


def test_an_absolute_database_path_stays(tmp_path: Path) -> None:
    text = GOOD.replace("sqlite:.newsletter/newsletter.db", "sqlite:///var/lib/letter.db")
    assert load_config(publication(tmp_path, text)).database_url == "sqlite:/var/lib/letter.db"


def test_the_line_of_a_dotted_key_is_found() -> None:
    assert line_of("[a]\nx = 1\n[a.b]\ny = 2\n", ("a", "b", "y")) == 4
    assert line_of("[a]\nb.y = 2\n", ("a", "b", "y")) == 2
    assert line_of("[a]\nx = 1\n", ("a", "missing")) == 1
    assert line_of("x = 1\n", ("a",)) is None


def test_the_schema_names_every_table() -> None:
    assert set(schema()["properties"]) == {
        "letter",
        "sender",
        "teasers",
        "theme",
        "relay",
        "send",
        "dkim",
        "database",
        "check",
    }
