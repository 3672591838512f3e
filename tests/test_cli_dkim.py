"""dkim keygen, dkim show, and what doctor says of keys."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from newsletter.mime.dkim_keys import dns_record
from newsletter.model import DkimKey
from tests.publication import CONFIG, Publication, publication
from tests.signing import verifies

KEYS = """
[dkim]
selector = "n1"
key_file = ".newsletter/dkim/n1.pem"
ed25519_selector = "n1e"
ed25519_key_file = ".newsletter/dkim/n1e.pem"
"""


@pytest.fixture
def letters(tmp_path: Path) -> Publication:
    return publication(tmp_path, months=1)


def with_keys(letters: Publication) -> tuple[DkimKey, DkimKey]:
    letters.run("dkim", "keygen", "--selector", "n1")
    letters.run("dkim", "keygen", "--selector", "n1e", "--ed25519")
    letters.write("newsletter.toml", CONFIG + KEYS)
    rsa, edwards = (
        DkimKey(
            domain="letters.example.org",
            selector=name,
            pem=(letters.root / f".newsletter/dkim/{name}.pem").read_text(),
        )
        for name in ("n1", "n1e")
    )
    return rsa, edwards


def test_keygen_prints_the_record_and_the_next_step(letters: Publication) -> None:
    said = letters.run("dkim", "keygen", "--selector", "n1").output
    key = letters.root / ".newsletter/dkim/n1.pem"
    record = dns_record(DkimKey(domain="x", selector="n1", pem=key.read_text()))
    first, second = record[:255], record[255:]
    assert f'n1._domainkey.letters.example.org. IN TXT ( "{first}" "{second}" )' in said
    assert '[dkim]\nselector = "n1"\nkey_file = ".newsletter/dkim/n1.pem"\n' in said
    assert "PRIVATE" not in said


def test_attack_32_a_new_key_is_for_its_owner_only(letters: Publication) -> None:
    letters.run("dkim", "keygen", "--selector", "n1")
    key = letters.root / ".newsletter/dkim/n1.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700


def test_keygen_never_replaces_a_key(letters: Publication) -> None:
    letters.run("dkim", "keygen", "--selector", "n1")
    key = letters.root / ".newsletter/dkim/n1.pem"
    before = key.read_text()
    assert "already" in letters.run("dkim", "keygen", "--selector", "n1", code=2).output
    assert key.read_text() == before


@pytest.mark.parametrize("selector", ["../x", "a b", "-x", "x" * 64, "a..b"])
def test_attack_22_a_selector_is_a_name_in_the_dns(letters: Publication, selector: str) -> None:
    letters.run("dkim", "keygen", f"--selector={selector}", code=2)
    assert not (letters.root / ".newsletter" / "dkim").exists()


def test_what_is_sent_is_signed_with_both_keys(letters: Publication) -> None:
    keys = with_keys(letters)
    letters.people(2)
    letters.run("send", "latest", "--yes")
    assert len(letters.inbox) == 2
    for path in letters.inbox:
        content = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        content = content[content.index(b"DKIM-Signature") :]
        assert verifies(content, 0, *keys)
        assert verifies(content, 1, *keys)


def test_a_proof_is_signed_too(letters: Publication) -> None:
    keys = with_keys(letters)
    letters.run("test", "latest", "--to", "me@example.net")
    content = letters.inbox[0].read_bytes()
    assert verifies(content[content.index(b"DKIM-Signature") :], 0, *keys)


def test_a_relay_may_go_unsigned(letters: Publication) -> None:
    with_keys(letters)
    text = CONFIG.replace('preset = "inbox"', 'preset = "inbox"\ndkim = false') + KEYS
    letters.write("newsletter.toml", text)
    letters.run("test", "latest", "--to", "me@example.net")
    assert b"DKIM-Signature" not in letters.inbox[0].read_bytes()


def test_show_says_what_to_publish(letters: Publication) -> None:
    keys = with_keys(letters)
    shown = letters.ask("dkim", "show")["keys"]
    assert [one["record"] for one in shown] == [dns_record(key) for key in keys]
    assert "nothing is signed" in publication(letters.root, 1).run("dkim", "show").output


def test_doctor_names_the_keys(letters: Publication) -> None:
    with_keys(letters)
    found = {one["what"] for one in letters.ask("doctor", code=None)["findings"] if one["ok"]}
    assert "signed as n1._domainkey.letters.example.org" in found
    assert "signed as n1e._domainkey.letters.example.org" in found


def test_attack_32_a_key_that_others_can_read_stops_the_send(letters: Publication) -> None:
    with_keys(letters)
    letters.people(1)
    key = letters.root / ".newsletter/dkim/n1.pem"
    key.chmod(0o640)
    said = letters.run("send", "latest", "--yes", code=2).output
    assert "readable by other users" in said
    assert "chmod 600" in said
    assert letters.inbox == []
    bad = [one for one in letters.ask("doctor", code=3)["findings"] if not one["ok"]]
    assert any("readable by other users" in one["what"] for one in bad)


def test_a_key_comes_from_the_environment_or_a_command(
    letters: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    rsa, edwards = with_keys(letters)
    monkeypatch.setenv("LETTER_DKIM", rsa.pem)
    command = f"cat {letters.root / '.newsletter/dkim/n1e.pem'}"
    text = KEYS.replace('key_file = ".newsletter/dkim/n1.pem"', 'key_env = "LETTER_DKIM"')
    text = text.replace(
        'ed25519_key_file = ".newsletter/dkim/n1e.pem"',
        f"ed25519_key_command = {json.dumps(command)}",
    )
    letters.write("newsletter.toml", CONFIG + text)
    shown = letters.ask("dkim", "show")["keys"]
    assert [one["record"] for one in shown] == [dns_record(rsa), dns_record(edwards)]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('selector = "n1"', "selector and key_file go together"),
        ('key_file = "k.pem"', "selector and key_file go together"),
        ('selector = "n1"\nkey_file = "k"\nkey_env = "K"', "name one of"),
        ('domain = "example.org"', "a domain needs a selector"),
        (
            'selector = "a"\nkey_env = "K"\ned25519_selector = "a"\ned25519_key_env = "E"',
            "a selector of its own",
        ),
        ('selector = "a"\nkey_env = "K"\ndomain = "example.net"', "says nothing for mail from"),
    ],
)
def test_half_a_table_stops_the_start(letters: Publication, table: str, said: str) -> None:
    letters.write("newsletter.toml", f"{CONFIG}\n[dkim]\n{table}\n")
    assert said in letters.run("dkim", "show", code=2).output
