"""Connecting, TLS and the login, against a relay with real certificates."""

from __future__ import annotations

import base64
import socket
import ssl
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from newsletter.errors import NewsletterError, RelayRefused, RelayUnavailable
from newsletter.model import Relay, Reply, Stage, Tls
from newsletter.smtp.client import SMTPTransport
from newsletter.smtp.dial import dial
from newsletter.smtp.greeter import tls_context
from newsletter.smtp.refusals import refusal
from newsletter.smtp.replies import Limits
from tests.smtpd import ScriptedRelay, letter

PASSWORD = "correct horse battery"
LIMITS = Limits(reply_lines=20, line_bytes=512, quit_s=0.3)
BOTH = pytest.mark.parametrize("tls", [Tls.IMPLICIT, Tls.STARTTLS])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the test's authority and no other, as SSL_CERT_FILE says."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@contextmanager
def relay_with(
    tls: Tls, certificate: trustme.LeafCert, *extensions: str
) -> Iterator[ScriptedRelay]:
    with ScriptedRelay(tls=tls, certificate=certificate, extensions=extensions) as relay:
        yield relay


@pytest.fixture
def good(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("localhost", "127.0.0.1")


def send_one(relay: Relay) -> int:
    with SMTPTransport(relay, LIMITS) as transport:
        ((_, reply),) = transport.deliver(iter([letter()]), lambda _: None)
    return reply.code


def refused(relay: Relay) -> NewsletterError:
    """The error that stops the run; nothing of the password in it or its traceback."""
    with pytest.raises((RelayRefused, RelayUnavailable)) as caught:
        send_one(relay)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.as_json())
    assert PASSWORD not in shown
    assert base64.b64encode(PASSWORD.encode()).decode() not in shown
    return caught.value


# TLS


@BOTH
def test_a_valid_certificate_is_accepted_and_the_login_is_inside(
    good: trustme.LeafCert, tls: Tls
) -> None:
    with relay_with(tls, good) as relay:
        assert send_one(relay.relay(username="ana", password=PASSWORD)) == 250
        login = base64.b64encode(f"\0ana\0{PASSWORD}".encode()).decode()
        words = ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
        assert relay.verbs() == (["EHLO", "STARTTLS"] if tls is Tls.STARTTLS else []) + words
        assert (1, f"AUTH PLAIN {login}") in relay.commands


@BOTH
def test_a_long_mail_and_many_mails_pass_through_tls(good: trustme.LeafCert, tls: Tls) -> None:
    mails = [letter(f"r{index}@example.com", "Rest.\n" * 20_000) for index in range(5)]
    with relay_with(tls, good) as relay, SMTPTransport(relay.relay()) as transport:
        outcome = list(transport.deliver(iter(mails), lambda _: None))
        assert [reply.code for _, reply in outcome] == [250] * 5
        assert [taken.content for taken in relay.accepted] == [mail.content for mail in mails]
        assert relay.connections == 1


@BOTH
def test_attack_29_a_certificate_of_an_unknown_authority_is_refused(tls: Tls) -> None:
    stranger = trustme.CA().issue_cert("127.0.0.1")
    with relay_with(tls, stranger) as relay:
        error = refused(relay.relay(username="ana", password=PASSWORD))
        assert isinstance(error, RelayRefused)
        assert "certificate is not valid" in error.message
        assert "AUTH" not in relay.verbs()
        assert "MAIL" not in relay.verbs()


@BOTH
def test_attack_29_a_certificate_of_another_host_is_refused(
    authority: trustme.CA, tls: Tls
) -> None:
    with relay_with(tls, authority.issue_cert("mail.example.org")) as relay:
        error = refused(relay.relay(username="ana", password=PASSWORD))
        assert isinstance(error, RelayRefused)
        assert "AUTH" not in relay.verbs()


@BOTH
def test_attack_29_tls_below_1_2_is_refused(good: trustme.LeafCert, tls: Tls) -> None:
    assert tls_context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert tls_context().check_hostname
    assert tls_context().verify_mode == ssl.CERT_REQUIRED
    with relay_with(tls, good) as relay:
        relay.context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning):
            relay.context.minimum_version = ssl.TLSVersion.TLSv1
            relay.context.maximum_version = ssl.TLSVersion.TLSv1_1
        assert isinstance(refused(relay.relay()), RelayRefused)


def test_attack_27_a_relay_without_starttls_is_refused(good: trustme.LeafCert) -> None:
    with ScriptedRelay(certificate=good, extensions=("AUTH PLAIN LOGIN",)) as relay:
        error = refused(relay.relay(tls=Tls.STARTTLS, username="ana", password=PASSWORD))
        assert isinstance(error, RelayRefused)
        assert "no STARTTLS" in error.message
        assert set(relay.verbs()) <= {"EHLO", "QUIT"}


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        ("454 4.7.0 TLS not available", RelayUnavailable),
        ("502 5.5.1 what?", RelayRefused),
        ("250 sure", RelayUnavailable),
    ],
)
def test_attack_27_a_refused_starttls_never_falls_back(
    good: trustme.LeafCert, say: str, kind: type[NewsletterError]
) -> None:
    with relay_with(Tls.STARTTLS, good, "AUTH PLAIN") as relay:
        relay.on("starttls", say=say)
        assert isinstance(refused(relay.relay(username="ana", password=PASSWORD)), kind)
        assert set(relay.verbs()) <= {"EHLO", "STARTTLS", "QUIT"}


def test_attack_27_a_login_without_tls_stops_before_connecting() -> None:
    with ScriptedRelay(extensions=("AUTH PLAIN LOGIN",)) as relay:
        error = refused(relay.relay(username="ana", password=PASSWORD))
        assert isinstance(error, RelayRefused)
        assert relay.connections == 0


@pytest.mark.parametrize(
    "host", ["mail.example.com", "192.0.2.1", "127.0.0.1.example.com", "128.0.0.1", "::2"]
)
def test_attack_27_plaintext_stays_on_this_machine(host: str) -> None:
    relay = Relay(name="main", kind="smtp", host=host, port=9, timeout_s=0.2)
    with pytest.raises(RelayRefused, match="in clear"):
        dial(relay)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_plaintext_to_this_machine_is_allowed(host: str) -> None:
    with ScriptedRelay() as relay:
        assert send_one(relay.relay(host=host)) == 250


def test_attack_28_what_came_before_the_handshake_is_forgotten(good: trustme.LeafCert) -> None:
    injected = b"220 go\r\n250-evil.example\r\n250 AUTH CRAM-MD5\r\n235 welcome\r\n250 fine\r\n"
    with relay_with(Tls.STARTTLS, good, "SIZE 1000000", "AUTH LOGIN") as relay:
        relay.on("starttls", say=injected)
        with SMTPTransport(relay.relay(username="ana", password=PASSWORD)) as transport:
            outcome = list(transport.deliver(iter([letter()]), lambda _: None))
        assert [reply.text for _, reply in outcome] == ["taken"]
        assert relay.verbs()[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
        assert (1, "AUTH LOGIN YW5h") in relay.commands


def test_attack_28_the_list_from_before_tls_is_forgotten(good: trustme.LeafCert) -> None:
    with relay_with(Tls.STARTTLS, good, "SIZE 1000", "AUTH PLAIN") as relay:
        relay.on("ehlo", say=b"250-before\r\n250-STARTTLS\r\n250-AUTH LOGIN\r\n250 X\r\n", times=1)
        line = dial(relay.relay(username="ana", password=PASSWORD))
        assert set(line.extensions) == {"size", "auth"}
        assert relay.commands[-1][1].startswith("AUTH PLAIN ")
        line.quit()


# the login


def test_login_is_spoken_where_plain_is_not_offered(good: trustme.LeafCert) -> None:
    with relay_with(Tls.IMPLICIT, good, "AUTH LOGIN CRAM-MD5") as relay:
        assert send_one(relay.relay(username="ana", password=PASSWORD)) == 250
        assert (1, f"(login) {base64.b64encode(PASSWORD.encode()).decode()}") in relay.commands


def test_a_password_may_hold_any_letter(good: trustme.LeafCert) -> None:
    with relay_with(Tls.IMPLICIT, good, "AUTH PLAIN") as relay:
        assert send_one(relay.relay(username="ana", password="pä\u00dfwort\u20ac")) == 250
        said = relay.commands[1][1].removeprefix("AUTH PLAIN ")
        assert base64.b64decode(said).decode() == "\0ana\0pä\u00dfwort\u20ac"


@pytest.mark.parametrize("code", [535, 534, 538, 530, 500, 554])
def test_a_refused_login_stops_after_one_try(good: trustme.LeafCert, code: int) -> None:
    with relay_with(Tls.IMPLICIT, good, "AUTH PLAIN LOGIN CRAM-MD5") as relay:
        relay.on("auth", say=f"{code} 5.7.8 Authentication Credentials Invalid")
        error = refused(relay.relay(username="ana", password=PASSWORD))
        assert isinstance(error, RelayRefused)
        assert error.message == f"test answered {code} 5.7.8 Authentication Credentials Invalid"
        assert error.hint is not None
        assert relay.verbs().count("AUTH") == 1
        assert "MAIL" not in relay.verbs()


@pytest.mark.parametrize("code", [454, 421, 432])
def test_a_login_that_cannot_be_checked_now_is_unavailable(
    good: trustme.LeafCert, code: int
) -> None:
    with relay_with(Tls.IMPLICIT, good) as relay:
        relay.on("auth", say=f"{code} 4.7.0 try later")
        assert isinstance(refused(relay.relay(username="a", password=PASSWORD)), RelayUnavailable)


def test_attack_36_a_relay_that_echoes_the_password_is_not_quoted(good: trustme.LeafCert) -> None:
    for secret in (PASSWORD, f"\0ana\0{PASSWORD}"):
        echo = base64.b64encode(secret.encode()).decode()
        with relay_with(Tls.IMPLICIT, good) as relay:
            relay.on("auth", say=f"535 5.7.8 bad: {echo} that is {PASSWORD}")
            error = refused(relay.relay(username="ana", password=PASSWORD))
            assert echo not in str(error)
            assert "bad: *** that is ***" in error.message


def test_a_relay_that_offers_no_login_is_refused(good: trustme.LeafCert) -> None:
    with relay_with(Tls.IMPLICIT, good, "AUTH CRAM-MD5") as relay:
        error = refused(relay.relay(username="ana", password=PASSWORD))
        assert "no login we speak" in error.message
        assert "AUTH" not in relay.verbs()


def test_a_username_without_a_password_is_refused(good: trustme.LeafCert) -> None:
    with relay_with(Tls.IMPLICIT, good) as relay:
        assert "no password" in refused(relay.relay(username="ana")).message


def test_a_refused_login_at_a_known_relay_says_what_it_wants() -> None:
    ses = Relay(name="main", kind="smtp", host="email-smtp.eu-west-1.amazonaws.com", port=465)
    error = refusal(Reply(Stage.AUTH, 535, "", "Authentication Credentials Invalid"), ses)
    assert isinstance(error, RelayRefused)
    assert "SMTP credentials" in str(error.hint)


# no relay


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        ("421 4.3.2 too busy", RelayUnavailable),
        ("450 later", RelayUnavailable),
        ("554 5.7.1 no SMTP service here", RelayRefused),
        ("521 never", RelayRefused),
        ("250 odd", RelayUnavailable),
        ("999 odd", RelayUnavailable),
        ("SSH-2.0-OpenSSH_9.2", RelayUnavailable),
        (b"220-more\r\n" * 50, RelayUnavailable),
        (b"220 " + b"x" * 1_000_000, RelayUnavailable),
    ],
)
def test_attack_30_a_greeting_that_is_none(say: str | bytes, kind: type[NewsletterError]) -> None:
    with ScriptedRelay() as relay:
        relay.on("greeting", say=say)
        assert type(refused(relay.relay())) is kind
        assert relay.verbs() == []


def test_attack_30_a_greeting_that_drips_is_not_waited_for() -> None:
    with ScriptedRelay() as relay:
        relay.on("greeting", say=b"220 " + b"x" * 20, drip_s=0.05)
        assert "in time" in refused(relay.relay(timeout_s=0.2)).message


def test_a_refused_ehlo_is_told_apart_by_its_code() -> None:
    with ScriptedRelay() as relay:
        relay.on("ehlo", say="550 5.7.1 not you", times=1).on("ehlo", say="421 later")
        assert isinstance(refused(relay.relay()), RelayRefused)
        assert isinstance(refused(relay.relay()), RelayUnavailable)


@pytest.mark.parametrize("at", ["greeting", "ehlo", "starttls", "tls", "auth"])
def test_a_line_that_dies_while_connecting_is_unavailable(good: trustme.LeafCert, at: str) -> None:
    with relay_with(Tls.STARTTLS, good) as relay:
        relay.on(at, drop=True, times=1)
        login = relay.relay(username="ana", password=PASSWORD)
        assert isinstance(refused(login), RelayUnavailable)
        assert send_one(login) == 250


def test_a_closed_port_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = refused(Relay(name="main", kind="smtp", port=port, timeout_s=1))
    assert isinstance(error, RelayUnavailable)
    assert f"127.0.0.1:{port}" in error.message


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".invalid", "bad..host"])
def test_a_host_that_is_none_is_unavailable(host: str) -> None:
    relay = Relay(name="main", kind="smtp", host=host, port=465, tls=Tls.IMPLICIT, timeout_s=2)
    assert isinstance(refused(relay), RelayUnavailable)


def test_implicit_tls_at_a_port_that_waits_is_unavailable_in_time() -> None:
    with ScriptedRelay() as relay:
        relay.on("greeting", delay_s=1.0)
        slow = relay.relay(tls=Tls.IMPLICIT, timeout_s=0.2)
        error = refused(slow)
        assert isinstance(error, RelayUnavailable)
        assert "TLS from the first byte" in str(error.hint)


def test_implicit_tls_at_a_starttls_port_is_refused_with_a_hint() -> None:
    with ScriptedRelay() as relay:
        error = refused(relay.relay(tls=Tls.IMPLICIT))
        assert isinstance(error, RelayRefused)
        assert "starttls" in str(error.hint)


def test_small_packets_are_not_held_back() -> None:
    with ScriptedRelay() as relay:
        line = dial(relay.relay())
        assert line.reader.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        line.quit()


def test_the_password_is_in_no_repr() -> None:
    relay = replace(Relay(name="main", kind="smtp"), username="ana", password=PASSWORD)
    assert PASSWORD not in repr(relay)
    assert PASSWORD not in repr(SMTPTransport(relay))
