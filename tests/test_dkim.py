"""DKIM: what we sign, strangers verify, and what is changed afterwards they do not."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.lint import signature
from newsletter.lint.galley import galley_of
from newsletter.mime import finish, gate
from newsletter.mime.dkim import SIGNED, relaxed, signer
from newsletter.mime.dkim_keys import FEWEST_BITS, dns_name, dns_record, load_key, strings
from newsletter.model import DkimKey, Mail, Relay
from tests.conftest import needs, thorough
from tests.mime_letter import DATE, KEPT, email, mail, reader
from tests.signing import key, verifies, zone

RSA, ED = key("s1"), key("s1e", ed25519=True)
BOTH = Relay(name="main", kind="smtp", dkim=(RSA, ED))


def signed(one: Mail, relay: Relay = BOTH) -> Mail:
    return finish(relay, "sleep", DATE)(one)


def field(content: bytes, number: int = 0) -> str:
    """The signature of that number, unfolded."""
    head = content.partition(b"\r\n\r\n")[0].decode()
    found = re.findall(r"DKIM-Signature: .*?(?=\r\n\S)", head, re.DOTALL)
    return re.sub(r"\r\n\s+", " ", found[number])


def test_both_signatures_verify() -> None:
    content = signed(mail(email())).content
    assert verifies(content, 0, RSA, ED)
    assert verifies(content, 1, RSA, ED)
    assert "a=rsa-sha256" in field(content, 0)
    assert "a=ed25519-sha256" in field(content, 1)


@settings(max_examples=thorough(25, 8))
@given(st.text(KEPT, max_size=60), st.text(KEPT, min_size=1, max_size=80))
def test_the_mail_of_any_reader_verifies(name: str, subject: str) -> None:
    one = signed(mail(email(subject=f"a {subject}"), reader(name=name)))
    assert verifies(one.content, 0, RSA, ED)
    assert verifies(one.content, 1, RSA, ED)


def test_a_retry_is_byte_identical() -> None:
    first = finish(BOTH, "sleep", DATE)(mail(email()))
    again = finish(BOTH, "sleep", DATE)(mail(email()))
    assert first.content == again.content
    assert f"t={DATE.timestamp():.0f};" in field(first.content)


def test_a_signed_mail_is_as_good_as_inspected() -> None:
    one = signed(mail(email()))
    assert one.inspected
    gate(one.content)
    assert b"\n." not in one.content
    assert not one.content.startswith(b".")


def test_no_line_of_a_signature_is_longer_than_a_line_should_be() -> None:
    head = signed(mail(email())).content.partition(b"From:")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


def test_attack_31_neither_length_nor_expiry_is_in_a_signature() -> None:
    unsigned = field(signed(mail(email())).content).partition(" b=")[0]
    assert re.findall(r"[:;] (\w+)=", unsigned) == ["v", "a", "c", "d", "s", "t", "h", "bh"]


@pytest.mark.parametrize("name", ["From", "To", "Subject", "Date", "Message-ID", "Reply-To"])
def test_attack_31_a_field_put_in_front_breaks_the_signature(name: str) -> None:
    content = signed(mail(email())).content
    forged = f"{name}: <x@evil.example.com>\r\n".encode() + content
    assert not verifies(forged, 0, RSA, ED)
    assert not verifies(forged, 1, RSA, ED)


@pytest.mark.parametrize(
    "name", ["List-Unsubscribe", "List-Unsubscribe-Post", "Content-Transfer-Encoding", "List-ID"]
)
def test_attack_31_the_way_out_and_the_encoding_cannot_be_added(name: str) -> None:
    content = signed(mail(email())).content
    assert not verifies(f"{name}: x\r\n".encode() + content, 0, RSA, ED)


def test_attack_31_a_body_that_grew_breaks_the_signature() -> None:
    content = signed(mail(email())).content
    assert not verifies(content + b"and more\r\n", 0, RSA, ED)
    assert verifies(content + b"\r\n\r\n", 0, RSA, ED)  # simple: empty lines at the end


def test_every_field_that_rfc_8058_wants_signed_is() -> None:
    named = field(signed(mail(email())).content).partition("h=")[2].partition(";")[0]
    words = named.replace(" ", "").split(":")
    assert words.count("list-unsubscribe") == 2
    assert words.count("list-unsubscribe-post") == 2
    assert words.count("from") == 2
    assert set(words) == set(SIGNED)


def test_fields_that_a_relay_replaces_are_not_signed() -> None:
    relay = Relay(name="ses", kind="smtp", dkim=(RSA,), replaces=("Message-ID", "Date"))
    content = signed(mail(email()), relay).content
    replaced = re.sub(rb"\r\nMessage-ID: [^\r]+", b"\r\nMessage-ID: <theirs@example.com>", content)
    replaced = re.sub(rb"\r\nDate: [^\r]+", b"\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000", replaced)
    assert replaced != content
    assert verifies(replaced, 0, RSA)


def test_the_fields_of_a_relay_stand_in_every_mail_and_are_not_signed() -> None:
    relay = Relay(
        name="r", kind="smtp", dkim=(RSA,), headers=(("X-Tag", "issue-{issue}"),), once="X-Once"
    )
    one = signed(mail(email()), relay)
    assert one.content.startswith(
        b"X-Tag: issue-sleep\r\nX-Once: sleep.ada@letters.example.org\r\n"
    )
    assert verifies(one.content, 0, RSA)
    assert verifies(one.content.partition(b"X-Once: ")[2].partition(b"\r\n")[2], 0, RSA)


def test_a_relay_that_wants_nothing_gets_the_very_mail() -> None:
    one = mail(email())
    assert finish(Relay(name="main", kind="smtp"), "sleep", DATE)(one) is one


@given(st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n ", b"\r\n\t", b":"]), max_size=12))
def test_relaxed_says_what_dkimpy_says(pieces: list[bytes]) -> None:
    from dkim.canonicalization import Relaxed

    value = b"".join(pieces)
    ((name, canonical),) = Relaxed.canonicalize_headers([(b"Sub-Ject ", value + b"\r\n")])
    assert relaxed(b"Sub-Ject :" + value) == name + b":" + canonical


@pytest.mark.parametrize("body", [b"", b"\r\n", b"a", b"a\r\n", b"a\r\n\r\n\r\n", b" a \r\n"])
def test_any_end_of_a_body_verifies(body: bytes) -> None:
    content = b"From: a@letters.example.org\r\n\r\n" + body
    one = signer((RSA,), DATE)
    assert one is not None
    assert verifies(one.signatures(content) + content, 0, RSA)


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        ("", "no private key"),
        ("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", "no private key"),
        ("hunter2", "no private key"),
    ],
)
def test_attack_32_a_bad_key_is_named_by_its_selector_and_never_shown(pem: str, said: str) -> None:
    bad = DkimKey(domain="example.org", selector="s9", pem=pem)
    with pytest.raises(ConfigError, match=f"`s9` is {said}") as caught:
        load_key(bad)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(bad)


def test_a_key_too_short_for_any_verifier_is_refused() -> None:
    from cryptography.hazmat.primitives import serialization as ser
    from cryptography.hazmat.primitives.asymmetric import dsa, rsa

    short = rsa.generate_private_key(public_exponent=65537, key_size=FEWEST_BITS // 2 + 512)
    assert short.key_size == FEWEST_BITS
    other = dsa.generate_private_key(key_size=1024)
    pem = other.private_bytes(
        ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption()
    ).decode()
    with pytest.raises(ConfigError, match="neither RSA nor Ed25519"):
        load_key(DkimKey(domain="example.org", selector="s", pem=pem))


def test_a_record_is_cut_where_the_dns_wants_it() -> None:
    record = dns_record(RSA)
    pieces = list(strings(record))
    assert [len(piece) for piece in pieces] == [255, len(record) - 255]
    assert "".join(pieces) == record
    assert len(list(strings(dns_record(ED)))) == 1
    assert dns_name(ED) == "s1e._domainkey.letters.example.org"


def opendkim(content: bytes, folder: Path, *keys: DkimKey) -> str:
    """What OpenDKIM says of a mail, with the records of these keys in its DNS."""
    records = "".join(f"{name} {record}\n" for name, record in zone(*keys).items())
    (folder / "zone").write_text(records)
    (folder / "conf").write_text(f"Mode v\nTestDNSData {folder / 'zone'}\nSyslog no\n")
    (folder / "mail.eml").write_bytes(content)
    done = subprocess.run(
        ["opendkim", "-vv", "-x", folder / "conf", "-t", folder / "mail.eml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("one", [RSA, ED], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("address", ["ada@example.net", "jürgen@example.net"])
def test_opendkim_verifies_what_we_sign(one: DkimKey, address: str, tmp_path: Path) -> None:
    needs("opendkim")
    relay = Relay(name="main", kind="smtp", dkim=(one,))
    content = signed(mail(email(), reader()._replace(address=address)), relay).content
    assert address.encode() in content
    said = opendkim(content, tmp_path, one)
    assert "verification (s=" in said, said
    assert "succeeded" in said, said
    altered = content.replace(b"Hello", b"Hullo")
    assert "succeeded" not in opendkim(altered, tmp_path, one)


def test_another_moment_is_another_signature() -> None:
    later = datetime(2026, 11, 23, tzinfo=UTC)
    assert signed(mail(email())).content != finish(BOTH, "sleep", later)(mail(email())).content


def test_our_own_checks_find_nothing_wrong_with_our_signatures() -> None:
    galley = galley_of(signed(mail(email())).content)
    rules = (
        signature.signatures_cover_what_counts,
        signature.signatures_forbid_a_second_field,
        signature.signatures_cover_the_whole_body,
        signature.signatures_are_of_this_time,
        signature.signatures_last,
        signature.a_signature_is_the_senders,
    )
    assert galley.mail.all("DKIM-Signature")
    assert [found for rule in rules for found in rule.look(galley)] == []
