"""Mail to mailboxes beyond ASCII (RFC 6531), and to the others next to them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_string
from email.policy import SMTPUTF8
from pathlib import Path
from socket import create_connection, socketpair
from typing import Any

import pytest
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.addresses import parse_address
from newsletter.delivery.breaker import IN_A_ROW, UNHEARD_OF, Breaker
from newsletter.delivery.verdicts import Verdict, ruling
from newsletter.errors import AddressInvalid, MailRefused
from newsletter.lint import check_mail
from newsletter.mime import fill, finish, stencil
from newsletter.model import DkimKey, Mail, Relay, Reply, Severity, Stage
from newsletter.preview.arrival import Arrival
from newsletter.smtp import open_transport
from newsletter.smtp.client import SMTPTransport
from newsletter.smtp.envelope import group
from newsletter.smtp.gate import refuse_unsafe
from newsletter.smtp.inbox import Inbox, read_mail, received
from newsletter.smtp.internationalised import NotOffered
from newsletter.smtp.line import Line
from newsletter.smtp.replies import ReplyReader
from newsletter.smtputf8 import carried, composed, fault
from tests.conftest import thorough
from tests.judges import postfix, wait_until
from tests.mime_letter import DATE, LETTER, email, reader
from tests.publication import CONFIG, Publication, publication
from tests.signing import key, verifies
from tests.smtpd import ScriptedRelay

JUERGEN = "jürgen@example.org"
YOU = "用户@xn--r8jz45g.jp"
NEEDED = ("8BITMIME", "SMTPUTF8")
WAYS = {
    "lock-step": ("SIZE 10485760", "ENHANCEDSTATUSCODES"),
    "pipelined": ("SIZE 10485760", "ENHANCEDSTATUSCODES", "PIPELINING"),
    "chunked": ("SIZE 10485760", "ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING"),
}
STENCIL = stencil(email(), LETTER, DATE)


def mail_to(address: str, name: str = "Ada Example", number: int = 0) -> Mail:
    person = reader(name)._replace(address=address)
    return fill(STENCIL, person._replace(message_id=f"{number}@letters.example.org"))


def mails(*addresses: str) -> list[Mail]:
    return [mail_to(address, number=number) for number, address in enumerate(addresses)]


def delivered(
    relay: ScriptedRelay, sent: Iterable[Mail], **changes: object
) -> tuple[list[tuple[Mail, Reply]], list[Mail]]:
    """What was answered, in order, and which content was begun."""
    begun: list[Mail] = []
    with SMTPTransport(relay.relay(depth=3, **changes)) as transport:
        return list(transport.deliver(iter(sent), begun.append)), begun


def said(relay: ScriptedRelay, verb: str) -> list[str]:
    """The commands of that verb, as the UTF-8 they left in."""
    lines = [line.encode("latin-1").decode() for _, line in relay.commands]
    return [line for line in lines if line.startswith(verb)]


# the conversation


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "addresses",
    [
        ("ada@example.com", JUERGEN, "eve@example.com"),
        (YOU, "ada@example.com"),
        ("ada@example.com", JUERGEN, YOU),
    ],
)
def test_only_the_mail_that_needs_it_asks_for_smtputf8(way: str, addresses: list[str]) -> None:
    sent = mails(*addresses)
    with ScriptedRelay(extensions=(*WAYS[way], *NEEDED)) as relay:
        answers, begun = delivered(relay, sent)
        assert [(mail.rcpt_to, reply.code) for mail, reply in answers] == [
            (address, 250) for address in addresses
        ]
        assert begun == sent
        assert said(relay, "MAIL") == [
            f"MAIL FROM:<{mail.mail_from}> SIZE={len(mail.content)}"
            + ("" if mail.rcpt_to.isascii() else " BODY=8BITMIME SMTPUTF8")
            for mail in sent
        ]
        assert said(relay, "RCPT") == [f"RCPT TO:<{address}>" for address in addresses]
        assert [taken.content for taken in relay.accepted] == [mail.content for mail in sent]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("offered", [(), ("SMTPUTF8",), ("8BITMIME",)])
@pytest.mark.parametrize(
    "addresses",
    [
        ("ada@example.com", JUERGEN, "eve@example.com", "bo@example.com"),
        (YOU, JUERGEN, "ada@example.com"),
        ("ada@example.com", "eve@example.com", YOU, JUERGEN),
        (JUERGEN,),
    ],
)
def test_a_relay_without_it_hears_nothing_of_such_a_mail(
    way: str, offered: tuple[str, ...], addresses: list[str]
) -> None:
    sent = mails(*addresses)
    ascii_only = [mail for mail in sent if mail.rcpt_to.isascii()]
    with ScriptedRelay(extensions=(*WAYS[way], *offered)) as relay:
        answers, begun = delivered(relay, sent)
        assert [mail for mail, _ in answers] == sent
        for mail, reply in answers:
            assert reply.positive if mail.rcpt_to.isascii() else reply == NotOffered.reply
        assert begun == ascii_only
        assert [taken.content for taken in relay.accepted] == [each.content for each in ascii_only]
        assert all(line.isascii() for _, line in relay.commands)


@pytest.mark.parametrize("way", WAYS)
def test_it_is_asked_of_the_line_that_the_mail_leaves_on(way: str) -> None:
    """A name may stand for several relays, and the next line may be to another one."""
    with ScriptedRelay(extensions=WAYS[way]) as relay:
        relay.on("ehlo", say="\r\n".join(_greeting(*WAYS[way], *NEEDED)), times=1)
        answers, _ = delivered(relay, mails(JUERGEN, YOU), mails_per_connection=1)
        assert [reply.code for _, reply in answers] == [250, 553]


def _greeting(*extensions: str) -> list[str]:
    words = ["relay.example.org", *extensions]
    return [*(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}"]


@pytest.mark.parametrize("way", WAYS)
def test_a_report_of_failure_names_the_address_in_seven_bits(way: str) -> None:
    sent = mails("j+ö=r\U0001f600g@example.org", "ada@example.com")
    with ScriptedRelay(extensions=(*WAYS[way], *NEEDED, "DSN")) as relay:
        delivered(relay, sent, reports=True)
        first, second = (line.partition(" NOTIFY=FAILURE ")[2] for line in said(relay, "RCPT"))
    assert first == r"ORCPT=utf-8;j\x{2B}\x{F6}\x{3D}r\x{1F600}g@example.org"
    assert second == "ORCPT=rfc822;ada@example.com"


def test_a_relay_without_it_fails_this_reader_and_suppresses_nobody() -> None:
    told = ruling(NotOffered.reply)
    assert told.verdict is Verdict.SOFT
    assert told.because == NotOffered.reply.text
    assert NotOffered.reply.stage is Stage.RCPT
    assert NotOffered.reply.permanent


@pytest.mark.parametrize(
    ("said", "times"),
    [
        (Reply(Stage.RCPT, 550, "5.1.1", "no such user"), UNHEARD_OF),
        (Reply(Stage.DOT, 554, "5.6.0", "malformed"), IN_A_ROW),
    ],
)
def test_such_a_reader_in_between_does_not_hide_a_relay_that_refuses_everybody(
    said: Reply, times: int
) -> None:
    breaker = Breaker("sleep")
    for number in range(times):
        assert breaker.error is None
        breaker.hear(f"ada@{number}.example.com", said)
        breaker.hear(JUERGEN, NotOffered.reply)
    assert breaker.error is not None


def test_a_relay_that_says_so_of_addresses_in_ascii_is_stopped() -> None:
    breaker = Breaker("sleep")
    for number in range(UNHEARD_OF):
        assert breaker.error is None
        breaker.hear(f"ada@{number}.example.com", NotOffered.reply)
    assert breaker.error is not None


# the mail


@pytest.mark.parametrize(
    "name", ["", "Jürgen Müller", "Ada", "Jürgen Müller-Lüdenscheidt zu Öhringen"]
)
def test_everything_but_the_address_in_to_is_seven_bits(name: str) -> None:
    plain, mail = mail_to("j.rgen@example.org", name), mail_to(JUERGEN, name)
    assert mail.rcpt_to == JUERGEN
    assert mail.content.count(JUERGEN.encode()) == 1
    unfolded = mail.content.replace(JUERGEN.encode(), b"j.rgen@example.org")
    assert unfolded.replace(b"\r\n <", b" <") == plain.content.replace(b"\r\n <", b" <")
    read = message_from_string(mail.content.decode(), policy=SMTPUTF8)
    (to,) = read["to"].addresses
    assert (to.addr_spec, to.display_name) == (JUERGEN, name)


def test_the_domain_is_written_in_a_labels() -> None:
    mail = mail_to("用户@例え.jp")
    assert mail.rcpt_to == YOU
    assert f"<{YOU}>".encode() in mail.content


# what is refused, whatever brought it here

DISGUISED = {
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "next line": "a\x85b",
    "null": "ü\0",
    "line end": "ü\r\nRCPT TO:<eve@example.com>",
    "tab": "ü\tx",
    "space": "ü x",
    "no-break space": "ü\xa0x",
    "ideographic space": "用\u3000户",
    "angle bracket": "ü>x",
    "full-width angle brackets": "用＞户",
    "small angle bracket": "用﹤户",
    "not less-than": "用≮户",
    "full-width @": "用＠户",
    "small @": "用﹫户",
    "full-width dot": "用．户",
    "one dot leader": "用․户",
    "ellipsis": "用…户",
    "acute by itself": "ü´x",
    "Greek question mark": "ü\u037ex",
    "quoted": '"ü"',
    "two dots": "ü..x",
    "bidi override": "ü\u202ex",
    "bidi isolate": "ü\u2066x",
    "right-to-left mark": "ü\u200fx",
    "zero-width space": "ü\u200bx",
    "byte order mark": "ü\ufeffx",
    "soft hyphen": "ü\xadx",
    "Hangul filler": "ü\u3164x",
    "variation selector": "❤\ufe0f",
    "grapheme joiner": "ü\u034fx",
    "blank of Braille": "ü\u2800x",
    "tag": "ü\U000e0041x",
    "surrogate": "ü\udc80x",
    "private use": "ü\ue000x",
    "unassigned": "ü\u0378x",
    "accent on nothing": "\u0301ü",
    "accent on a dot": "ü.\u0301x",
    "full-width letters": "ａda",
    "ligature": "ﬁona",
    "decomposed": "ju\u0308rgen",
    "Kelvin for K": "ü\u212a",
    "33 letters in 66 octets": "ü" * 33,
}


@pytest.mark.parametrize("local", DISGUISED.values(), ids=DISGUISED)
def test_attack_04_no_disguise_passes_the_gate_or_becomes_a_header(local: str) -> None:
    address = f"{local}@example.org"
    assert not carried(address)
    with pytest.raises(MailRefused) as refused:
        mail_to(address)
    assert local not in str(refused.value)
    with pytest.raises(MailRefused):
        refuse_unsafe(mails("ada@example.com")[0]._replace(rcpt_to=address))


@pytest.mark.parametrize(
    "address",
    [
        "ü@例え.jp",
        "ü@example.org>",
        "ü@example..org",
        "ü@",
        "@example.org",
        "ü",
        "ü@" + ".".join(["a" * 60] * 5),
    ],
)
def test_attack_04_the_domain_stays_ascii_behind_any_local_part(address: str) -> None:
    assert not carried(address)
    with pytest.raises(MailRefused):
        refuse_unsafe(mails("ada@example.com")[0]._replace(rcpt_to=address))


def test_the_sender_is_never_beyond_ascii() -> None:
    with pytest.raises(MailRefused):
        refuse_unsafe(mails("ada@example.com")[0]._replace(mail_from=JUERGEN))


@settings(max_examples=thorough(400, 100))
@given(st.text(max_size=40).map(composed).map(lambda local: f"{local}@example.org"), st.text())
def test_attack_04_whatever_is_carried_stays_in_its_command_and_its_field(
    address: str, name: str
) -> None:
    try:
        mail = mail_to(address, name)
        refuse_unsafe(mail)
    except MailRefused:
        return
    assert mail.rcpt_to == address
    octets = address.encode()
    assert not set(octets) & set(b' \t\r\n\0<>"(),:;[]\\')
    assert len(octets.partition(b"@")[0]) <= 64
    field = mail.content.split(b"\r\nTo: ")[1].partition(b"\r\nSubject:")[0]
    assert field.endswith((b"<" + octets + b">", octets))
    assert mail.content.replace(octets, b"").isascii()
    assert max(map(len, field.split(b"\r\n"))) < 400
    for line in address.splitlines():
        assert line == address


@settings(max_examples=thorough(400, 100))
@given(
    st.text(st.characters(categories=["L", "N", "M", "P", "S", "Z", "C"]), min_size=1, max_size=20)
    | st.text("üÜ用.+=\\<>@ \r\n\u2028\u0085＜＠\u0301", min_size=1, max_size=8),
    st.sampled_from(["example.org", "例え.jp", "EXAMPLE.org"]),
)
def test_attack_04_whoever_may_subscribe_is_spoken_of_in_three_lines(
    local: str, domain: str
) -> None:
    try:
        address = parse_address(f"{local}@{domain}")
    except AddressInvalid as error:
        assert str(error).replace("\n", "").isprintable()
        return
    mail = mail_to(address)
    refuse_unsafe(mail)
    sender, recipient, end = group(LINE, mail).decode().removesuffix("\r\n").split("\r\n")
    assert len(sender.splitlines()) == len(recipient.splitlines()) == 1
    assert recipient.startswith(f"RCPT TO:<{address}> NOTIFY=FAILURE ORCPT=")
    assert recipient.partition("ORCPT=")[2].isascii()
    assert ("SMTPUTF8" in sender.split()) is not address.isascii()
    assert end == "DATA"


LINE = Line(
    ReplyReader(socketpair()[0]),
    dict.fromkeys(("smtputf8", "8bitmime", "size", "dsn", "pipelining"), ""),
    timeout_s=1,
    reports=True,
)


@settings(max_examples=thorough(400, 100))
@given(st.text(st.characters(min_codepoint=0x80), min_size=1, max_size=16))
def test_letters_of_any_script_are_written_to_or_refused_with_a_reason(local: str) -> None:
    local = composed(local)
    reason = fault(local)
    assert reason.isprintable()
    assert carried(f"{local}@example.org") is not bool(reason) or local.isascii()


# from the list to the reader


@pytest.fixture
def people(tmp_path: Path) -> Publication:
    made = publication(tmp_path)
    for address in ("Jürgen@example.org", "用户@例え.jp", "ada@example.com"):
        made.run("subscribers", "add", address)
    return made


def test_the_inbox_takes_such_mail_and_shows_it(people: Publication) -> None:
    assert people.ask("send", "latest", "--yes", "--expect", "3")["sent"] == 3
    inbox = people.root / ".newsletter" / "inbox"
    kept = {mail.rcpt_to: read_mail(inbox, mail.key) for mail in received(inbox)}
    assert list(kept) == ["Jürgen@example.org", YOU, "ada@example.com"]
    assert "\r\nTo: Jürgen@example.org\r\n".encode() in kept["Jürgen@example.org"]
    assert kept["ada@example.com"].isascii()
    arrival = Arrival(received(inbox)[1], kept[YOU])
    assert ("To", YOU) in arrival.headers
    assert not [each for each in check_mail(kept[YOU]) if each.severity is Severity.ERROR]


def test_a_relay_without_it_fails_those_readers_alone(people: Publication) -> None:
    with ScriptedRelay(extensions=WAYS["pipelined"]) as relay:
        people.write(
            "newsletter.toml",
            f'{CONFIG}\n[relay.far]\npreset = "smtp"\nhost = "127.0.0.1"\n'
            f'port = {relay.port}\ntls = "none"\n\n[check]\nignore = ["link-local"]\n',
        )
        answer = people.ask("send", "latest", "--yes", "--relay", "far", code=4)
        assert (answer["sent"], answer["failed"], answer["state"]) == (1, 2, "done")
        assert [taken.rcpt_to for taken in relay.accepted] == ["ada@example.com"]
    said = people.run("status", "latest", "--who", "failed").stdout
    assert said.count(NotOffered.reply.text) >= 2
    assert people.run("subscribers", "list").stdout.count("active ") == 3


def test_one_mailbox_is_one_person_however_it_is_typed(people: Publication) -> None:
    for typed in ("jürgen@example.org", "JU\u0308RGEN@example.org", "Ju\u0308rgen@EXAMPLE.org"):
        people.run("subscribers", "add", typed, code=2)
    people.run("subscribers", "add", "jurgen@example.org")
    people.run("subscribers", "unsubscribe", "JÜRGEN@example.org")
    listed = people.run("subscribers", "list").stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [
        ["unsubscribed", "Jürgen@example.org"],
        ["active", YOU],
        ["active", "ada@example.com"],
        ["active", "jurgen@example.org"],
    ]
    assert people.ask("send", "latest", "--yes", "--expect", "3")["sent"] == 3


def test_a_list_of_such_people_survives_export_and_import(people: Publication) -> None:
    exported = people.write("people.csv", people.run("subscribers", "export").stdout)
    said = people.run("subscribers", "import", str(exported), "--consent", "x").stdout
    assert "3 known" in said


def test_the_checks_take_utf8_for_the_address_in_to_and_nowhere_else() -> None:
    (mail,) = mails(JUERGEN)
    assert not found(mail.content)
    broken = {
        b"To: J\xc3\xbcrgen <": b"To: Ada Example <",
        b"From: \xc3\x84na": b"From: Field Notes",
        b"Subject: \xc3\x84": b"Subject: S",
        b"<j\xfcrgen@": "<jürgen@".encode(),
        "<jür>gen@".encode(): "<jürgen@".encode(),
        "<jür\u2028gen@".encode(): "<jürgen@".encode(),
        "@exämple.org>".encode(): b"@example.org>",
    }
    for new, old in broken.items():
        content = mail.content.replace(old, new, 1)
        assert content != mail.content
        assert found(content), new


def found(content: bytes) -> set[str]:
    """The checks of the header's charset and addresses that find something."""
    return {each.code for each in check_mail(content)} & {"header-8bit", "address-form"}


def test_a_hostile_recipient_in_the_inbox_is_shown_as_text(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox, create_connection(("127.0.0.1", inbox.port), 5) as line:
        words = line.makefile("rwb")
        words.readline()
        for said in (b"EHLO x", b"MAIL FROM:<\xff@example.org>", b"RCPT TO:<\xed\xb2\x80@x.org>"):
            words.write(said + b"\r\n")
            words.flush()
            while words.readline()[3:4] == b"-":
                pass
        words.write(b"DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n")
        words.flush()
        assert words.readline().startswith(b"354")
        assert words.readline().startswith(b"250")
    (mail,) = received(tmp_path)
    assert f"{mail.rcpt_to} {mail.mail_from}".encode()


# other people's programs


def test_a_maildir_and_files_hold_the_very_mail(tmp_path: Path) -> None:
    (mail,) = mails(JUERGEN)
    for kind in ("file", "maildir"):
        relay = Relay(name="x", kind=kind, folder=tmp_path / kind)
        assert [reply.code for reply in answers(relay, [mail])] == [250]
    (file,) = (tmp_path / "file").iterdir()
    assert file.read_bytes() == mail.content
    (file,) = (tmp_path / "maildir" / "new").iterdir()
    assert f"\nDelivered-To: {JUERGEN}\n".encode() in file.read_bytes()


def test_sendmail_gets_the_address_in_utf8_whatever_the_locale(tmp_path: Path) -> None:
    program = tmp_path / "sendmail"
    program.write_text(
        f'#!/bin/sh\nfor to; do :; done\nprintf %s "$to" >{tmp_path}/to\ncat >/dev/null\n'
    )
    program.chmod(0o755)
    script = (
        "from newsletter.model import Mail, Relay\n"
        "from newsletter.smtp import open_transport\n"
        f"relay = Relay(name='x', kind='sendmail', program={str(program)!r})\n"
        "with open_transport(relay) as transport:\n"
        f"    list(transport.deliver(iter([{mail_to(JUERGEN)!a}]), lambda mail: None))\n"
    )
    for locale in ("C", "C.UTF-8", "POSIX"):
        environ = {**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        subprocess.run([sys.executable, "-c", script], env=environ, check=True)
        assert (tmp_path / "to").read_bytes() == JUERGEN.encode()


class Boxes:
    """What aiosmtpd's LMTP server asks."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], list[str], bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        options = [*envelope.mail_options, f"smtp_utf8={envelope.smtp_utf8}"]
        self.taken.append((options, envelope.rcpt_tos, envelope.original_content))
        return "250 2.0.0 delivered"


@pytest.mark.parametrize(("protocol", "kind"), [(SMTP, "smtp"), (LMTP, "lmtp")])
@pytest.mark.parametrize("offered", [True, False])
def test_aiosmtpd_takes_it_over_smtp_and_lmtp(
    protocol: type[SMTP], kind: str, *, offered: bool
) -> None:
    boxes, sent = Boxes(), mails(JUERGEN, "ada@example.com", YOU)
    with serving(boxes, protocol, offered=offered) as port:
        codes = [reply.code for reply in answers(Relay(name="x", kind=kind, port=port), sent)]
    assert codes == ([250, 250, 250] if offered else [553, 250, 553])
    if not offered:
        sent = [sent[1]]
    assert [(tos, content) for _, tos, content in boxes.taken] == [
        ([mail.rcpt_to], mail.content) for mail in sent
    ]
    for (options, _, _), mail in zip(boxes.taken, sent, strict=True):
        asked = not mail.rcpt_to.isascii()
        assert ("SMTPUTF8" in options, "BODY=8BITMIME" in options) == (asked, asked)
        assert f"smtp_utf8={asked}" in options


@contextmanager
def serving(boxes: Boxes, protocol: type[SMTP], *, offered: bool) -> Iterator[int]:
    loop = asyncio.new_event_loop()

    def line() -> SMTP:
        return protocol(boxes, loop=loop, enable_SMTPUTF8=offered)

    server = loop.run_until_complete(loop.create_server(line, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_a_strict_postfix_takes_it_and_says_so() -> None:
    sent = mails(JUERGEN, "ada@example.com", YOU)
    with postfix(utf8_headers=True) as (relay, log):
        codes = [reply.code for reply in answers(replace(relay, reports=True), sent)]
        assert codes == [250, 250, 250]
        wait_until(lambda: _logged(log, f"to=<{YOU}>"), log)
        assert f"to=<{JUERGEN}>" in log.read_text()
        assert "warning" not in log.read_text()


def test_a_postfix_that_refuses_what_it_offers_fails_this_reader_alone() -> None:
    with postfix() as (relay, _):
        refusal, taken = answers(relay, mails(JUERGEN, "ada@example.com"))
    assert (ruling(refusal).verdict, ruling(taken).verdict) == (Verdict.SOFT, Verdict.ACCEPTED)


def answers(relay: Relay, sent: list[Mail]) -> list[Reply]:
    with open_transport(relay) as transport:
        return [reply for _, reply in transport.deliver(iter(sent), lambda _: None)]


def _logged(log: Path, words: str) -> None:
    if words not in log.read_text():
        raise OSError(words)


@pytest.mark.parametrize("one", [key("s1"), key("s1e", ed25519=True)], ids=["rsa", "ed25519"])
def test_a_signature_over_utf8_verifies(one: DkimKey, tmp_path: Path) -> None:
    """RFC 8616 3: the field is signed in the octets it has."""
    (mail,) = mails(JUERGEN)
    signed = finish(Relay(name="x", kind="smtp", dkim=(one,)), "sleep", DATE)(mail)
    assert signed.content.endswith(mail.content)
    assert verifies(signed.content, 0, one)
    other = signed.content.replace("jürgen".encode(), b"jorgen")
    assert not verifies(other, 0, one)
