"""From a Relay to its Transport; the file relay; what is known of relays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import ConfigError, MailRefused, RelayUnavailable
from newsletter.model import Mail, Relay, Reply, Stage, Tls
from newsletter.presets import PRESETS, preset_at
from newsletter.smtp import open_transport
from newsletter.smtp.client import SMTPTransport
from newsletter.smtp.file import FileTransport, Numbered
from newsletter.smtp.folder import MailFolder, is_key, keys
from newsletter.smtp.inbox import received
from tests.smtpd import ScriptedRelay, letter


def nothing(mail: Mail) -> None:
    """A `begin` for tests without a ledger."""


def test_the_kind_decides_the_way_out(tmp_path: Path) -> None:
    assert isinstance(open_transport(Relay(name="a", kind="smtp")), SMTPTransport)
    file = open_transport(Relay(name="a", kind="file", folder=tmp_path))
    assert isinstance(file, FileTransport)


@pytest.mark.parametrize("kind", ["inbox", "file", "pigeon"])
def test_a_relay_that_cannot_be_is_a_configuration_error(kind: str) -> None:
    with pytest.raises(ConfigError, match="relay main"):
        open_transport(Relay(name="main", kind=kind))


def test_an_smtp_relay_sends() -> None:
    with ScriptedRelay() as relay, open_transport(relay.relay()) as transport:
        assert [reply.code for _, reply in transport.deliver(iter([letter()]), nothing)] == [250]


def test_the_inbox_relay_files_what_a_real_conversation_brought(tmp_path: Path) -> None:
    mails = [letter(f"reader{index}@example.com", f"Dear {index}\n.\n") for index in range(7)]
    begun: list[Mail] = []
    relay = Relay(name="main", kind="inbox", folder=tmp_path / "inbox", mails_per_connection=3)
    with open_transport(relay) as transport:
        outcome = list(transport.deliver(iter(mails), begun.append))
    assert [mail for mail, _ in outcome] == mails == begun
    assert all(reply.stage is Stage.DOT and reply.code == 250 for _, reply in outcome)
    inbox = received(tmp_path / "inbox")
    assert [mail.rcpt_to for mail in inbox] == [mail.rcpt_to for mail in mails]
    files = sorted((tmp_path / "inbox").glob("*.eml"))
    assert [file.read_bytes() for file in files] == [mail.content for mail in mails]


def test_two_inbox_relays_share_a_folder(tmp_path: Path) -> None:
    relay = Relay(name="main", kind="inbox", folder=tmp_path)
    with open_transport(relay) as one, open_transport(relay) as two:
        first = one.deliver((letter() for _ in range(10)), nothing)
        second = two.deliver((letter() for _ in range(10)), nothing)
        for (_, a), (_, b) in zip(first, second, strict=True):
            assert (a.code, b.code) == (250, 250)
    assert len({mail.key for mail in received(tmp_path)}) == 20


def test_a_file_relay_writes_each_mail_and_says_where(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "mails"
    mails = [letter("ada@example.com"), letter("bob@example.com")]
    begun: list[Mail] = []
    with open_transport(Relay(name="f", kind="file", folder=folder)) as transport:
        outcome = list(transport.deliver(iter(mails), begun.append))
    assert begun == mails
    names = [reply.text.removeprefix("written to ") for _, reply in outcome]
    assert outcome[0][1] == Reply(Stage.DOT, 250, "2.0.0", f"written to {names[0]}")
    assert [(folder / name).read_bytes() for name in names] == [mail.content for mail in mails]
    assert [name[:7] for name in names] == ["000001-", "000002-"]
    assert "ada" not in "".join(names)
    assert sorted(path.name for path in folder.iterdir()) == names


def test_a_file_relay_numbers_on(tmp_path: Path) -> None:
    for expected in ("000001", "000002"):
        with FileTransport(Numbered(tmp_path)) as transport:
            ((_, reply),) = transport.deliver(iter([letter()]), nothing)
        assert expected in reply.text


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_attack_37_files_and_folders_are_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with FileTransport(Numbered(folder)) as transport:
        list(transport.deliver(iter([letter()]), nothing))
    modes = [path.stat().st_mode & 0o777 for path in (folder.parent, folder, *folder.iterdir())]
    assert modes == [0o700, 0o700, 0o600]


def test_a_file_relay_has_the_same_gate(tmp_path: Path) -> None:
    begun: list[Mail] = []
    unsafe = Mail("n@example.org", "a@b.example>\r\nDATA", "id", (letter().content,))
    with FileTransport(Numbered(tmp_path)) as transport, pytest.raises(MailRefused):
        list(transport.deliver(iter([unsafe]), begun.append))
    assert begun == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    for open_folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(RelayUnavailable), FileTransport(Numbered(open_folder)):
            pass
        relay = Relay(name="main", kind="inbox", folder=open_folder)
        with pytest.raises(RelayUnavailable), open_transport(relay):
            pass


def test_a_folder_lost_during_the_send_is_a_452(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with FileTransport(Numbered(folder)) as transport:
        folder.rmdir()
        ((_, reply),) = transport.deliver(iter([letter()]), nothing)
    assert (reply.code, reply.status) == (452, "4.3.1")


def test_a_mail_half_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    folder = MailFolder(tmp_path)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        folder.add(b"x\r\n", "ada")
    assert list(tmp_path.iterdir()) == []


def test_keys_sort_by_arrival_beyond_a_million(tmp_path: Path) -> None:
    for name in ("1000000-a.eml", "999999-a.eml", "000010-b.eml", "notes.txt", "x.eml"):
        (tmp_path / name).write_bytes(b"x")
    assert keys(tmp_path) == ["000010-b", "999999-a", "1000000-a"]
    assert MailFolder(tmp_path).add(b"x\r\n", "c@d") == "1000001-c-d"


@pytest.mark.parametrize("label", ["../../etc/passwd", "\0", "", "é" * 300, ".hidden", "a" * 300])
def test_attack_22_any_label_makes_a_plain_key(tmp_path: Path, label: str) -> None:
    key = MailFolder(tmp_path).add(b"x\r\n", label)
    assert is_key(key)
    assert [path.name for path in tmp_path.iterdir()] == [f"{key}.eml"]


# presets


def test_every_smtp_preset_is_protected_and_explains_its_login() -> None:
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.kind in ("smtp", "lmtp", "sendmail", "inbox", "file", "maildir")
        if preset.kind == "smtp":
            assert preset.tls is not Tls.NONE
            assert preset.login
            assert (preset.port == 465) is (preset.tls is Tls.IMPLICIT)
            assert preset.needs_host is (name == "smtp")


def test_the_named_relays_are_known() -> None:
    named = "inbox file smtp ses postmark mailgun sendgrid resend brevo gmail fastmail migadu"
    assert set(named.split()) <= set(PRESETS)


def test_a_preset_is_found_by_its_host() -> None:
    ses = PRESETS["ses"]
    assert ses.needs_region
    assert preset_at(ses.host_in("eu-west-1")) is ses
    assert preset_at("SMTP.Resend.com") is PRESETS["resend"]
    assert preset_at("email-smtp.evil.example.amazonaws.com.example.org") is None
    assert preset_at("") is None


def test_postmark_has_no_implicit_tls() -> None:
    assert (PRESETS["postmark"].port, PRESETS["postmark"].tls) == (587, Tls.STARTTLS)


@pytest.mark.parametrize("module", ["newsletter.smtp.relays", "newsletter.presets"])
def test_an_smtp_relay_needs_no_heavy_import(module: str) -> None:
    script = f"import sys, {module}; sys.exit('aiosmtpd' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
