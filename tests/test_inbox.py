"""The inbox on this machine: it keeps every byte, tells who they were for, and relays nothing."""

from __future__ import annotations

import json
import logging
import os
import smtplib
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import NewsletterError, RelayUnavailable, UsageError
from newsletter.model import Mail, Relay, Tls
from newsletter.smtp.client import SMTPTransport
from newsletter.smtp.inbox import Inbox, InboxMail, clear, read_mail, received, subject_of
from tests.smtpd import letter


def send(inbox: Inbox, *mails: Mail) -> list[int]:
    relay = Relay(name="inbox", kind="smtp", port=inbox.port, tls=Tls.NONE, timeout_s=5)
    with SMTPTransport(relay) as transport:
        return [reply.code for _, reply in transport.deliver(iter(mails), lambda _: None)]


def test_a_mail_is_kept_byte_for_byte_with_its_envelope(tmp_path: Path) -> None:
    mail = letter("ada@example.com", ".\n..\n.x\n\nSleep well.  \n\n\n")
    with Inbox(tmp_path) as inbox:
        assert send(inbox, mail) == [250]
    (kept,) = received(tmp_path)
    assert kept.key == "000001-ada-example-com"
    assert (kept.mail_from, kept.rcpt_to) == (mail.mail_from, "ada@example.com")
    assert (kept.size, kept.subject) == (len(mail.content), "Sleep")
    assert kept.received_at is not None
    assert kept.received_at.utcoffset() is not None
    assert read_mail(tmp_path, kept.key) == mail.content


def test_it_listens_on_loopback_at_a_free_port(tmp_path: Path) -> None:
    with Inbox(tmp_path / "a") as one, Inbox(tmp_path / "b") as two:
        assert one.port != two.port
        socket.create_connection(("127.0.0.1", one.port), timeout=1).close()


def test_leaving_closes_the_port_and_keeps_the_mail(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        send(inbox, letter())
        dangling = socket.create_connection(("127.0.0.1", inbox.port), timeout=1)
        threads = threading.active_count()
    assert threading.active_count() == threads - 1
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", inbox.port), timeout=1)
    dangling.close()
    assert len(received(tmp_path)) == 1


def test_the_newest_is_last_and_numbers_go_on(tmp_path: Path) -> None:
    for address in ("ada@example.com", "bob@example.com", "cleo@example.com"):
        with Inbox(tmp_path) as inbox:
            send(inbox, letter(address))
    assert [mail.key[:6] for mail in received(tmp_path)] == ["000001", "000002", "000003"]
    assert [mail.rcpt_to[:3] for mail in received(tmp_path)] == ["ada", "bob", "cle"]


def test_a_mail_can_be_seen_while_the_inbox_runs(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        send(inbox, letter())
        assert len(received(tmp_path)) == 1


def test_an_inbox_never_used_is_empty(tmp_path: Path) -> None:
    assert received(tmp_path / "nowhere") == []
    assert clear(tmp_path / "nowhere") == 0


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"Subject: =?utf-8?q?Schlaf_=26_Ruhe_=E2=80=93?=\r\n =?utf-8?q?_ein_Brief?=\r\n", None),
        (b"Subject: plain\r\n folded\r\n", "plain folded"),
        (b"subject:x\r\n", "x"),
        (b"X-Subject: no\r\n", ""),
        (b"Subject: =?nonsense?q?=E2?=\r\n", "=?nonsense?q?=E2?="),
        (b"Subject:\r\nX: y\r\n", ""),
    ],
)
def test_the_subject_is_decoded_for_the_list(
    tmp_path: Path, header: bytes, subject: str | None
) -> None:
    content = header + b"From: <n@example.org>\r\n\r\nSubject: not this\r\n"
    with Inbox(tmp_path) as inbox:
        assert send(inbox, Mail("n@example.org", "ada@example.com", "id", (content,))) == [250]
    wanted = "Schlaf & Ruhe \N{EN DASH} ein Brief" if subject is None else subject
    assert received(tmp_path)[0].subject == wanted


SUBJECT_PARTS = st.one_of(
    st.sampled_from([b"=?", b"?=", b"?q?", b"?b?", b"utf-8", b"rot13", b"idna", b"=E2", b"\r\n "]),
    st.binary(max_size=6),
)


@given(st.lists(SUBJECT_PARTS, max_size=8))
def test_any_subject_can_be_listed(parts: list[bytes]) -> None:
    assert isinstance(subject_of(b"Subject: " + b"".join(parts) + b"\r\n\r\n"), str)


def test_attack_5_smuggled_mail_stays_inside_one_mail(tmp_path: Path) -> None:
    inner = b"MAIL FROM:<x@evil.example>\r\nRCPT TO:<y@evil.example>\r\nDATA\r\n\r\nx"
    with Inbox(tmp_path) as inbox:
        content = b"Subject: a\r\n\r\nfirst\r\n.\r\n" + inner + b"\r\n.\r\nQUIT\r\n"
        assert send(inbox, Mail("n@example.org", "ada@example.com", "id", (content,))) == [250]
        with smtplib.SMTP("127.0.0.1", inbox.port, "localhost", timeout=5) as client:
            client.ehlo()
            client.mail("n@example.org")
            client.rcpt("bob@example.com")
            client.docmd("DATA")
            client.send(b"Subject: b\r\n\r\nfirst\n.\n" + inner + b"\n.\r\n" + b"\r\n.\r\n")
            assert client.getreply()[0] == 250
    assert [mail.rcpt_to for mail in received(tmp_path)] == ["ada@example.com", "bob@example.com"]


@pytest.mark.parametrize(
    "key",
    [
        "../secret",
        "..",
        "000001-../../secret",
        "/etc/passwd",
        "000001-ada-example-com.eml",
        "000001-ada\0",
        "000001-ada-example-com\n",
        "",
        "000009-nobody",
        "index.jsonl",
        "000001-\uff0e\uff0e",
    ],
)
def test_attack_22_a_key_opens_nothing_outside(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret.eml").write_bytes(b"secret")
    with Inbox(tmp_path / "inbox") as inbox:
        send(inbox, letter())
    with pytest.raises(UsageError) as caught:
        read_mail(tmp_path / "inbox", key)
    assert caught.value.code == "inbox.none"
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_attack_22_a_link_in_the_inbox_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "000001-a.eml").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError):
        read_mail(tmp_path, "000001-a")


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_attack_37_the_inbox_is_closed_to_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Inbox(tmp_path / "new" / "inbox") as inbox:
            send(inbox, letter())
    finally:
        os.umask(before)
    assert (tmp_path / "new" / "inbox").stat().st_mode & 0o777 == 0o700
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "new" / "inbox").iterdir()}
    assert modes == {0o600}


def test_attack_36_no_address_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Inbox(tmp_path) as inbox:
        send(inbox, letter("ada@example.com"))
    assert "ada" not in caplog.text


def test_clear_removes_mail_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "letter.eml").write_text("mine too")
    with Inbox(tmp_path) as inbox:
        send(inbox, letter(), letter())
        assert clear(tmp_path) == 2
        assert received(tmp_path) == []
        send(inbox, letter("bob@example.com"))
    assert [mail.rcpt_to for mail in received(tmp_path)] == ["bob@example.com"]
    assert (tmp_path / "notes.txt").exists()
    assert (tmp_path / "letter.eml").exists()


def test_a_damaged_index_loses_no_mail(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        send(inbox, letter("ada@example.com"), letter("bob@example.com"))
    index = tmp_path / "index.jsonl"
    first, _ = index.read_text().splitlines()
    index.write_text(f'{first}\n[1]\n{{"key": 1}}\n\n{{"key": "000002-bob')
    ada, bob = received(tmp_path)
    assert ada.rcpt_to == "ada@example.com"
    assert bob == InboxMail(
        key="000002-bob-example-com", size=len(letter("bob@example.com").content)
    )
    assert read_mail(tmp_path, bob.key)


def test_a_mail_deleted_by_hand_is_not_listed(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        send(inbox, letter(), letter())
    (tmp_path / f"{received(tmp_path)[0].key}.eml").unlink()
    assert [mail.key[:6] for mail in received(tmp_path)] == ["000002"]


def test_the_index_is_one_json_object_a_line(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        send(inbox, letter())
    (line,) = (tmp_path / "index.jsonl").read_text().splitlines()
    assert set(json.loads(line)) == set(InboxMail.__dataclass_fields__)


def test_what_cannot_be_written_is_refused_and_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    with Inbox(folder) as inbox:
        folder.rmdir()
        assert send(inbox, letter()) == [452]
        folder.mkdir()
        assert send(inbox, letter()) == [250]
    assert len(received(folder)) == 1


def test_a_folder_that_is_none_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RelayUnavailable), Inbox(tmp_path / "file"):
        pass
    assert issubclass(RelayUnavailable, NewsletterError)


def test_a_thousand_mails_of_fifty_kilobytes_take_seconds(tmp_path: Path) -> None:
    content = b"Subject: Sleep\r\n\r\n" + (b"x" * 74 + b"\r\n") * 660
    mails = [Mail("n@example.org", f"r{n}@example.com", "id", (content,)) for n in range(1000)]
    began = time.monotonic()
    with Inbox(tmp_path) as inbox:
        assert send(inbox, *mails) == [250] * 1000
    assert len(received(tmp_path)) == 1000
    assert time.monotonic() - began < 120  # 3 s where this was written
