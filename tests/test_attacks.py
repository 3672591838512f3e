"""Hostile people in the database of a real send: what they are called never does anything.

They came past every check at the door (an old import, another program): written with plain SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from hashlib import sha256

import pytest

from tests.publication import Publication
from tests.smtpd import ScriptedRelay, Transaction
from tests.test_crash import crowd

NAMES = {
    "bcc": "Eve\r\nBcc: victim@example.com\r\n\r\nbody",
    "bare": "Eve\nX-Eve: 1\rX-Eve: 2",
    "word": "=?utf-8?q?Eve=0A=0DBcc:_victim=40example.com?=",
    "jinja": "{{ 7*7 }} {% for x in y %}",
    "markup": "<b>Eve</b><script>alert(1)</script>",
    "dot": "Eve\r\n.\r\nMAIL FROM:<eve@example.com>",
}
ADDRESSES = ("eve@example.com>\r\nRCPT TO:<victim@example.com", "eve@example.com\nDATA", "a b@c.d")
INSERT = """
INSERT INTO subscriber (address, address_hash, name, status, reason, consent_source, created_at,
                        fields)
VALUES (?, ?, ?, 'active', '', 'form', 0, '{}')
"""


@pytest.fixture(scope="module")
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay(extensions=("PIPELINING", "ENHANCEDSTATUSCODES")) as running:
        yield running


@pytest.fixture(scope="module")
def sent(relay: ScriptedRelay, tmp_path_factory: pytest.TempPathFactory) -> tuple[Publication, str]:
    """A publication after its send, and what the command said."""
    made = crowd(tmp_path_factory.mktemp("letter"), relay, 3)
    people = [(f"{name}@example.com", text) for name, text in NAMES.items()]
    people += [(address, "Eve") for address in ADDRESSES]
    database = made.root / ".newsletter" / "newsletter.db"
    with closing(sqlite3.connect(database)) as raw, raw:
        raw.executemany(INSERT, [(to, sha256(to.encode()).digest(), name) for to, name in people])
    return made, made.run("send", "latest", "--yes", code=None).output


def mail(relay: ScriptedRelay, name: str) -> tuple[Transaction, Message]:
    [taken] = [one for one in relay.accepted if one.rcpt_tos == [f"{name}@example.com"]]
    return taken, message_from_bytes(taken.content)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("sent")
def test_attack_01_03_05_no_name_adds_a_header_or_ends_a_mail(
    relay: ScriptedRelay, name: str
) -> None:
    _, usual = mail(relay, "p0")
    _, hostile = mail(relay, name)
    assert hostile.keys() == usual.keys()
    assert "victim@example.com" not in str(hostile["To"]).split("<")[-1]
    assert len(list(hostile.walk())) == len(list(usual.walk()))


@pytest.mark.usefixtures("sent")
def test_attack_04_an_address_that_is_two_commands_is_not_spoken(relay: ScriptedRelay) -> None:
    said = [line for _, line in relay.commands]
    assert not any("victim" in line or "a b@c.d" in line for line in said)
    assert {line.split()[0] for line in said} <= {"ehlo", "MAIL", "RCPT", "DATA", "RSET", "QUIT"}
    assert len(relay.accepted) == 3 + len(NAMES)


def test_attack_04_such_people_fail_and_nobody_else(sent: tuple[Publication, str]) -> None:
    made, _ = sent
    assert len(made.ask("status", "latest", "--who", "accepted")["people"]) == 3 + len(NAMES)
    assert len(made.ask("status", "latest", "--who", "failed")["people"]) == len(ADDRESSES)


@pytest.mark.usefixtures("sent")
def test_attack_06_08_a_name_arrives_as_the_characters_it_is(relay: ScriptedRelay) -> None:
    _, jinja = mail(relay, "jinja")
    assert "{{ 7*7 }} {% for x in y %}" in str(make_header(decode_header(jinja["To"])))
    _, markup = mail(relay, "markup")
    bodies = [bytes(part.get_payload(decode=True) or b"") for part in markup.walk()]
    html = next(body for body in bodies if b"<html" in body)
    assert b"<script>alert" not in html
    assert b"&lt;b&gt;Eve&lt;/b&gt;" in html


@pytest.mark.usefixtures("sent")
def test_attack_33_35_each_mail_names_its_reader_and_nobody_else(relay: ScriptedRelay) -> None:
    for taken in relay.accepted:
        assert len(taken.rcpt_tos) == 1
        others = {one.rcpt_to for one in relay.accepted} - {taken.rcpt_to}
        text = taken.content.decode()
        assert not [other for other in others if f"<{other}>" in text]


def test_attack_36_the_command_names_no_address(sent: tuple[Publication, str]) -> None:
    _, said = sent
    assert "failed" in said
    assert "@example.com" not in said
    assert "victim" not in said


def test_attack_34_a_second_send_reaches_nobody(
    relay: ScriptedRelay, sent: tuple[Publication, str]
) -> None:
    before = len(relay.accepted)
    refused = sent[0].run("send", "latest", "--yes", code=None)
    assert refused.exit_code != 0
    assert len(relay.accepted) == before
