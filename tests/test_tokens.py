"""Names that only we can give, and the keys behind them."""

from __future__ import annotations

import hmac
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.tokens import (
    BounceName,
    Keys,
    load_keys,
    message_id,
    read_unsubscribe_token,
    read_verp,
    unsubscribe_token,
    verp,
)
from newsletter.errors import ConfigError

OLD, NEW, FOREIGN = b"o" * 16, b"n" * 16, b"f" * 16
KEYS = Keys((NEW, OLD))
IDS = st.integers(min_value=0, max_value=2**63 - 1)


@given(IDS)
def test_an_unsubscribe_token_is_32_url_safe_characters_and_reads_back(number: int) -> None:
    token = unsubscribe_token(KEYS, number)
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", token)
    assert token == unsubscribe_token(KEYS, number)
    assert read_unsubscribe_token(KEYS, token) == number


def test_attack_46_a_token_of_the_old_key_still_reads_after_rotation() -> None:
    token = unsubscribe_token(Keys((OLD,)), 7)
    assert unsubscribe_token(KEYS, 7) != token
    assert read_unsubscribe_token(KEYS, token) == 7
    assert read_verp(KEYS, verp(Keys((OLD,)), 7, 1)) == BounceName(7, 1)


def test_attack_11_no_flipped_bit_survives() -> None:
    token = unsubscribe_token(KEYS, 7)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, right in enumerate(token):
        value = alphabet.index(right)
        for bit in range(6):
            forged = token[:place] + alphabet[value ^ (1 << bit)] + token[place + 1 :]
            assert read_unsubscribe_token(KEYS, forged) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token + "=",
        lambda token: token[:-1],
        lambda token: "",
        lambda token: "é" * 32,
        lambda token: token.translate({ord("-"): "+", ord("_"): "/"}) + "!",
        lambda token: unsubscribe_token(Keys((FOREIGN,)), 7),
    ],
)
def test_attack_11_only_the_token_itself_reads(change: object) -> None:
    assert callable(change)
    assert read_unsubscribe_token(KEYS, change(unsubscribe_token(KEYS, 7))) is None


@settings(max_examples=200)
@given(st.text(max_size=40) | st.text(alphabet="bAZaz09-_+27=", max_size=40))
def test_attack_11_arbitrary_text_never_reads(text: str) -> None:
    assert read_unsubscribe_token(KEYS, text) is None
    assert read_verp(KEYS, text) is None


@given(st.integers(0, 2**40 - 1), st.integers(0, 2**24 - 1))
def test_a_bounce_address_has_28_characters_in_any_case(person: int, send: int) -> None:
    local = verp(KEYS, person, send)
    assert re.fullmatch(r"b\+[a-z2-7]{26}", local)
    assert read_verp(KEYS, local.upper()) == read_verp(KEYS, local) == BounceName(person, send)


def test_attack_18_a_forged_bounce_names_nobody() -> None:
    local = verp(KEYS, 7, 1)
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    for place in range(2, 28):
        for letter in alphabet.replace(local[place], ""):
            assert read_verp(KEYS, local[:place] + letter + local[place + 1 :]) is None
    assert read_verp(KEYS, verp(Keys((FOREIGN,)), 7, 1)) is None


@given(st.binary(min_size=1, max_size=200), st.integers(0, 2**40))
def test_our_macs_are_those_of_rfc_2104(key: bytes, number: int) -> None:
    named = message_id(Keys((key,)), "sleep", number, "example.org")
    spoken = b"newsletter/message-id\0example.org\0sleep\0%d" % number
    assert named == f"sleep.{hmac.new(key, spoken, 'sha256').hexdigest()[:16]}@example.org"


def test_a_message_id_is_the_same_on_every_retry_and_different_for_everybody() -> None:
    name = message_id(KEYS, "sleep-42", 7, "letters.example.org")
    assert re.fullmatch(r"sleep-42\.[0-9a-f]{16}@letters\.example\.org", name)
    assert name == message_id(KEYS, "sleep-42", 7, "letters.example.org")
    others = {
        message_id(KEYS, "sleep-42", 8, "letters.example.org"),
        message_id(KEYS, "sleep-43", 7, "letters.example.org"),
        message_id(Keys((OLD,)), "sleep-42", 7, "letters.example.org"),
    }
    assert len(others | {name}) == 4


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_message_id_is_a_dot_atom_whatever_the_slug(slug: str, other: str) -> None:
    name = message_id(KEYS, slug, 7, "example.org")
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[0-9a-f]{16}@example\.org", name)
    assert len(name) <= 76
    assert slug == other or name != message_id(KEYS, other, 7, "example.org")


def test_the_keys_never_show() -> None:
    assert "nnnn" not in repr(KEYS)
    with pytest.raises(ConfigError):
        Keys(())
    with pytest.raises(ConfigError):
        Keys((b"",))


def test_the_first_use_makes_a_private_key_file_and_the_next_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / ".newsletter"
    first = load_keys(folder, {})
    assert (folder / "key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == ["key"]
    assert load_keys(folder, {}) == first
    assert len(first.newest) == 32


def test_many_first_uses_at_once_end_up_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_keys(tmp_path / "state", {}), range(32)))
    assert all(each == keys[0] for each in keys)


def test_a_key_file_may_hold_older_keys_on_further_lines(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{NEW.hex()}\n{OLD.hex()}\n")
    path.chmod(0o600)
    assert load_keys(tmp_path, {}) == KEYS


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_attack_37_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    load_keys(tmp_path, {})
    (tmp_path / "key").chmod(mode)
    with pytest.raises(ConfigError, match="readable by other users") as refused:
        load_keys(tmp_path, {})
    assert "chmod 600" in (refused.value.hint or "")


def test_the_environment_wins_and_makes_no_file(tmp_path: Path) -> None:
    environ = {"NEWSLETTER_KEY": f"{NEW.hex()}, {OLD.hex().upper()}"}
    assert load_keys(tmp_path / "state", environ) == KEYS
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("text", ["", " ", "short", "g" * 32, "a" * 31, "a" * 33, "a" * 32 + ","])
def test_a_wrong_key_in_the_environment_is_refused_without_repeating_it(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load_keys(tmp_path, {"NEWSLETTER_KEY": text})
    assert not text.strip() or text not in str(refused.value)


def test_an_empty_key_file_is_refused_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    with pytest.raises(ConfigError, match="does not hold"):
        load_keys(tmp_path, {})
    assert path.read_bytes() == b""


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be read or made"):
        load_keys(tmp_path / "file", {})


def test_a_key_file_survives_a_mask_that_hides_everything(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_keys(tmp_path / "state", {})
    finally:
        os.umask(before)
    assert (tmp_path / "state" / "key").stat().st_mode & 0o777 == 0o600
