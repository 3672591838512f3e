"""Ways out on this machine: LMTP to a real server, programs like sendmail, Maildir."""

from __future__ import annotations

import asyncio
import mailbox
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.lmtp import LMTP

from newsletter.delivery.outcome import stops_at_once
from newsletter.delivery.verdicts import ruling
from newsletter.errors import LineLost, MailRefused, RelayRefused, RelayUnavailable
from newsletter.model import Mail, Relay, Reply, Stage
from newsletter.smtp import open_transport
from newsletter.smtp.sendmail import SendmailTransport
from tests.conftest import needs
from tests.smtpd import ScriptedRelay, letter

FULL = "full@example.com"


def nothing(mail: Mail) -> None:
    """A `begin` for tests without a ledger."""


def outcome(relay: Relay, *mails: Mail) -> list[Reply]:
    with open_transport(relay) as transport:
        return [reply for _, reply in transport.deliver(iter(mails), nothing)]


# LMTP


class Mailboxes:
    """What aiosmtpd's LMTP server asks; one reply for each recipient after the dot."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []

    async def handle_RCPT(  # noqa: N802 - a hook of aiosmtpd
        self, server: Any, session: Any, envelope: Any, *to: Any
    ) -> str:
        address, options = to
        if address.startswith("gone"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 yes"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        if FULL in envelope.rcpt_tos:
            return "452 4.2.2 over quota"
        return "250 2.0.0 delivered"


@contextmanager
def serving(boxes: Mailboxes, sock: socket.socket) -> Iterator[None]:
    """An LMTP server on that socket, in a thread of its own."""
    loop = asyncio.new_event_loop()
    make = loop.create_server if sock.family == socket.AF_INET else loop.create_unix_server
    server = loop.run_until_complete(make(lambda: LMTP(boxes, loop=loop), sock=sock))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture(params=["tcp", "unix"])
def lmtp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Relay, Mailboxes]]:
    boxes, path = Mailboxes(), tmp_path / "lmtp"
    if request.param == "tcp":
        sock = socket.create_server(("127.0.0.1", 0))
        relay = Relay(name="boxes", kind="lmtp", port=sock.getsockname()[1], timeout_s=10)
    else:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(str(path))
        sock.listen()
        relay = Relay(name="boxes", kind="lmtp", host=str(path), port=24, timeout_s=10)
    with serving(boxes, sock):
        yield relay, boxes


def test_lmtp_delivers_and_hears_each_recipients_own_reply(lmtp: tuple[Relay, Mailboxes]) -> None:
    relay, boxes = lmtp
    mails = [letter(), letter("gone@example.com"), letter(FULL), letter("eve@example.com", ".\nx")]
    said = [(reply.stage, reply.code, reply.status) for reply in outcome(relay, *mails)]
    assert said == [
        (Stage.DOT, 250, "2.0.0"),
        (Stage.RCPT, 550, "5.1.1"),
        (Stage.DOT, 452, "4.2.2"),
        (Stage.DOT, 250, "2.0.0"),
    ]
    assert [(sender, to) for sender, to, _ in boxes.taken] == [
        (mail.mail_from, [mail.rcpt_to]) for mail in mails if mail is not mails[1]
    ]
    assert boxes.taken[-1][2] == mails[-1].content


def test_lmtp_without_a_server_is_unavailable(tmp_path: Path) -> None:
    relay = Relay(name="boxes", kind="lmtp", host=str(tmp_path / "none"), port=24)
    with pytest.raises(RelayUnavailable):
        outcome(relay, letter())


def test_a_server_that_speaks_smtp_refuses_lmtp() -> None:
    with ScriptedRelay() as scripted, pytest.raises(RelayRefused):
        outcome(scripted.relay(kind="lmtp"), letter())


# sendmail


def program(folder: Path, script: str) -> Relay:
    """A relay whose sendmail is that shell script; $OUT is a folder of its own."""
    path = folder / "sendmail"
    path.write_text(f"#!/bin/sh\nOUT={folder}\n{script}\n")
    path.chmod(0o755)
    return Relay(name="local", kind="sendmail", program=str(path))


def test_sendmail_gets_the_envelope_as_arguments_and_the_mail_as_it_is(tmp_path: Path) -> None:
    relay = program(tmp_path, 'printf "%s\\n" "$@" >$OUT/args; cat >$OUT/mail')
    mail = letter(body="one\n.\nFrom two\n")
    assert outcome(relay, mail) == [Reply(Stage.DOT, 250, "2.0.0", "taken")]
    assert (tmp_path / "args").read_text().splitlines() == [
        *("-i", "-f", "news@letters.example.org", "--", "ada@example.com"),
    ]
    assert (tmp_path / "mail").read_bytes() == mail.content.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("address", ["-bv@example.com", "a|b@example.com", "$(id)@example.com"])
def test_attack_4_an_address_is_neither_option_nor_command(tmp_path: Path, address: str) -> None:
    relay = program(tmp_path, 'for last; do :; done; printf %s "$last" >$OUT/to; cat >/dev/null')
    mail = Mail("a@example.org", address, "m@example.org", (letter().content,))
    try:
        outcome(relay, mail)
    except MailRefused:
        return
    assert (tmp_path / "to").read_text() == address


@pytest.mark.parametrize(
    ("code", "stage", "number", "status"),
    [
        (os.EX_DATAERR, Stage.DOT, 554, "5.6.0"),
        (os.EX_NOUSER, Stage.RCPT, 550, "5.1.1"),
        (os.EX_NOHOST, Stage.RCPT, 550, "5.1.2"),
        (os.EX_UNAVAILABLE, Stage.MAIL, 451, "4.3.0"),
        (os.EX_SOFTWARE, Stage.MAIL, 451, "4.3.0"),
        (os.EX_CANTCREAT, Stage.MAIL, 451, "4.3.0"),
        (os.EX_TEMPFAIL, Stage.MAIL, 451, "4.3.0"),
        (os.EX_NOPERM, Stage.MAIL, 550, "5.7.1"),
        (1, Stage.MAIL, 451, "4.3.0"),
    ],
)
def test_an_exit_code_becomes_a_reply(
    tmp_path: Path, code: int, stage: Stage, number: int, status: str
) -> None:
    relay = program(tmp_path, f"cat >/dev/null; printf 'no\\033[1m way' >&2; exit {code}")
    assert outcome(relay, letter()) == [Reply(stage, number, status, "no?[1m way")]


@pytest.mark.parametrize("code", [os.EX_USAGE, os.EX_CONFIG])
def test_a_program_that_is_not_set_up_stops_the_run(tmp_path: Path, code: int) -> None:
    (reply,) = outcome(program(tmp_path, f"cat >/dev/null; exit {code}"), letter())
    assert stops_at_once(ruling(reply), reply)


def test_a_program_that_is_not_there_stops_the_run_before_anything_begins(tmp_path: Path) -> None:
    begun: list[Mail] = []
    relay = Relay(name="local", kind="sendmail", program=str(tmp_path / "none"))
    with pytest.raises(RelayRefused, match="there is no program"), open_transport(relay) as way:
        list(way.deliver(iter([letter()]), begun.append))
    assert begun == []


def test_a_program_that_is_killed_leaves_its_mail_in_doubt(tmp_path: Path) -> None:
    relay = program(tmp_path, "cat >/dev/null; kill -9 $$")
    with pytest.raises(LineLost, match="signal 9") as caught:
        outcome(relay, letter())
    assert caught.value.in_doubt


def test_a_program_without_end_is_ended_and_its_mail_in_doubt(tmp_path: Path) -> None:
    transport = SendmailTransport(program(tmp_path, "exec sleep 60"), patience_s=0.2)
    with pytest.raises(LineLost, match="come to an end") as caught:
        list(transport.deliver(iter([letter()]), nothing))
    assert caught.value.in_doubt


def test_a_program_that_does_not_read_its_mail_may_still_say_yes(tmp_path: Path) -> None:
    mail = letter(body="long line\n" * 50_000)
    assert outcome(program(tmp_path, "exit 0"), mail)[0].code == 250


def test_msmtp_hands_the_very_mail_on(tmp_path: Path) -> None:
    """A real program of the kind, to a relay on loopback."""
    needs("msmtp")
    with ScriptedRelay() as scripted:
        config = tmp_path / "msmtprc"
        config.write_text(f"account default\nhost 127.0.0.1\nport {scripted.port}\n")
        config.chmod(0o600)
        relay = program(tmp_path, f'exec msmtp -C {config} "$@"')
        mail = letter(body="one\n.\n..two\n")
        assert [reply.code for reply in outcome(relay, mail)] == [250]
        (taken,) = scripted.accepted
        assert (taken.mail_from, taken.rcpt_tos) == (mail.mail_from, [mail.rcpt_to])
        assert taken.content.endswith(mail.content)
        scripted.on("rcpt", say="550 5.1.1 gone")
        (reply,) = outcome(relay, letter())
        assert not reply.positive


# Maildir


def test_a_maildir_is_one_that_mail_programs_read(tmp_path: Path) -> None:
    relay = Relay(name="box", kind="maildir", folder=tmp_path / "box")
    mails = [letter(), letter("eve@example.com", "one\n.\n")]
    assert [reply.code for reply in outcome(relay, *mails)] == [250, 250]
    box = mailbox.Maildir(str(tmp_path / "box"), create=False)
    found = {message["To"]: message for message in box}
    assert set(found) == {"<ada@example.com>", "<eve@example.com>"}
    assert found["<eve@example.com>"]["Return-Path"] == "<news@letters.example.org>"
    assert found["<eve@example.com>"]["Delivered-To"] == "eve@example.com"
    assert found["<eve@example.com>"].get_payload() == "one\n.\n"
    assert list((tmp_path / "box" / "tmp").iterdir()) == []


def test_a_mail_that_is_delivered_again_replaces_itself(tmp_path: Path) -> None:
    relay = Relay(name="box", kind="maildir", folder=tmp_path)
    outcome(relay, letter(), letter())
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_attack_37_a_maildir_is_closed_to_others(tmp_path: Path) -> None:
    relay = Relay(name="box", kind="maildir", folder=tmp_path / "box")
    outcome(relay, letter())
    (path,) = (tmp_path / "box" / "new").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "box" / "new").stat().st_mode) == 0o700
    assert "ada" not in path.name


def test_reformime_reads_what_lies_in_a_maildir(tmp_path: Path) -> None:
    needs("reformime")
    outcome(Relay(name="box", kind="maildir", folder=tmp_path), letter())
    (path,) = (tmp_path / "new").iterdir()
    said = subprocess.run(
        ["reformime", "-i"], stdin=path.open("rb"), capture_output=True, check=True
    )
    assert b"content-type: text/plain" in said.stdout


def test_a_maildir_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "box").write_text("a file")
    with pytest.raises(RelayUnavailable, match="another folder"):
        outcome(Relay(name="box", kind="maildir", folder=tmp_path / "box"), letter())
