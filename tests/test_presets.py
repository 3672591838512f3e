"""What each relay's preset puts into a mail and holds us to."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.credentials import example_left, load_relay
from newsletter.delivery.verdicts import Verdict, ruling
from newsletter.mime import finish, gate
from newsletter.model import Relay, Reply, Stage
from newsletter.presets import PRESETS
from newsletter.smtp.replies import parse_reply
from tests.mime_letter import DATE, email, header_lines, mail
from tests.publication import CONFIG, Publication, publication

NAMED = {
    name: preset
    for name, preset in PRESETS.items()
    if preset.kind == "smtp" and not preset.needs_host
}


def relay_of(folder: Path, table: str) -> Relay:
    letters = publication(folder, months=1)
    return configured(letters, table)


def configured(letters: Publication, table: str) -> Relay:
    from newsletter.config import load_config

    text = CONFIG.partition("[relay.main]")[0] + f"[relay.main]\n{table}\n"
    letters.write("newsletter.toml", text)
    return load_relay(load_config(letters.root), None, {})


@pytest.mark.parametrize("name", PRESETS)
def test_a_mail_for_any_preset_passes_the_gate(name: str) -> None:
    preset = PRESETS[name]
    relay = Relay(name="main", kind=preset.kind, headers=preset.headers, once=preset.once)
    one = finish(relay, "2026-11 spring & snow", DATE)(mail(email()))
    gate(one.content)
    lines = header_lines(one.content)
    for field, value in preset.headers:
        assert f"{field}: {value.replace('{issue}', '2026-11-spring-snow')}" in lines


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("postmark", "X-PM-Message-Stream: broadcast"),
        ("postmark", "X-PM-TrackLinks: None"),
        ("postmark", "X-PM-KeepID: true"),
        ("mailgun", "X-Mailgun-Track: no"),
        ("mailgun-eu", "X-Mailgun-Track: no"),
        ("mailjet", "X-Mailjet-TrackClick: 0"),
        ("ses", "X-SES-MESSAGE-TAGS: issue=sleep"),
        ("resend", "Resend-Idempotency-Key: sleep.ada@letters.example.org"),
    ],
)
def test_tracking_is_off_and_the_issue_is_named(name: str, line: str) -> None:
    preset = PRESETS[name]
    relay = Relay(name="main", kind="smtp", headers=preset.headers, once=preset.once)
    assert line in header_lines(finish(relay, "sleep", DATE)(mail(email())).content)


@pytest.mark.parametrize(
    ("name", "field"), [("sendgrid", "X-SMTPAPI"), ("sparkpost", "X-MSYS-API")]
)
def test_a_field_that_is_json_stays_json(name: str, field: str) -> None:
    relay = Relay(name="main", kind="smtp", headers=PRESETS[name].headers)
    lines = header_lines(finish(relay, 'a"b', DATE)(mail(email())).content)
    (value,) = (line.partition(": ")[2] for line in lines if line.startswith(field))
    said = json.dumps(json.loads(value))
    assert "a-b" in said
    assert "true" not in said


def test_a_preset_brings_its_limits_and_the_owners_win(tmp_path: Path) -> None:
    gmail = relay_of(tmp_path, 'preset = "gmail"')
    assert (gmail.limits.per_second, gmail.limits.per_day) == (1, 450)
    mine = configured(Publication(tmp_path), 'preset = "gmail"\nper_day = 100\nper_hour = 20')
    assert mine.limits.caps(DATE.date()) == {timedelta(hours=1): 20, timedelta(days=1): 100}
    assert mine.limits.per_second == 1


@pytest.mark.parametrize("name", ["fastmail", "migadu"])
def test_a_mailbox_provider_wants_to_know_what_was_bought(tmp_path: Path, name: str) -> None:
    letters = publication(tmp_path, months=1)
    letters.write("newsletter.toml", CONFIG.replace('preset = "inbox"', f'preset = "{name}"'))
    assert "needs per_day" in letters.run("list", code=2).output
    assert configured(letters, f'preset = "{name}"\nper_day = 50').limits.per_day == 50


def test_more_fields_for_the_relay_come_from_the_configuration(tmp_path: Path) -> None:
    table = 'preset = "ses"\nregion = "eu-west-1"\n[relay.main.headers]\n'
    relay = relay_of(tmp_path, table + '"X-SES-CONFIGURATION-SET" = "letters"')
    assert relay.headers[-1] == ("X-SES-CONFIGURATION-SET", "letters")
    assert relay.replaces == ("Message-ID", "Date")


@pytest.mark.parametrize(
    "line",
    [
        '"Bcc" = "eve@example.com"',
        '"X-A\\r\\nBcc" = "eve@example.com"',
        '"X-A" = "b\\r\\nBcc: eve@example.com"',
        '"X-A" = "ü"',
        '"X-A" = ""',
        '"List-ID" = "x"',
        '"X A" = "b"',
    ],
)
def test_attack_2_no_field_of_the_letter_comes_from_a_relays_table(
    tmp_path: Path, line: str
) -> None:
    letters = publication(tmp_path, months=1)
    table = f"[relay.main.headers]\n{line}\n\n[database]"
    letters.write("newsletter.toml", CONFIG.replace("[database]", table))
    letters.run("list", code=2)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("454 Throttling failure: Maximum sending rate exceeded.", Verdict.THROTTLE),
        ("454 Throttling failure: Daily message quota exceeded.", Verdict.QUOTA),
        ("450 4.2.1 You have reached your rate limit", Verdict.THROTTLE),
        ("550 5.4.5 Daily user sending limit exceeded.", Verdict.QUOTA),
        ("421 4.7.0 Too many messages on this connection", Verdict.THROTTLE),
    ],
)
def test_what_providers_say_when_it_is_too_much(said: str, verdict: Verdict) -> None:
    assert ruling(parse_reply(Stage.DOT, [said.encode()])).verdict is verdict


@pytest.mark.parametrize("kind", ["sendmail", "smtp", "lmtp"])
def test_an_example_never_reaches_people(tmp_path: Path, kind: str) -> None:
    from newsletter.config import load_config

    letter = load_config(publication(tmp_path, months=1).root).letter()
    relay = Relay(name="main", kind=kind, host="mx.example.net")
    assert "still an example" in example_left(letter, relay)
    for harmless in (
        Relay(name="main", kind="maildir"),
        Relay(name="main", kind="smtp", host="127.0.0.1"),
        Relay(name="main", kind="lmtp", host="/run/lmtp"),
    ):
        assert example_left(letter, harmless) == ""


def test_every_relay_of_a_provider_says_what_it_wants() -> None:
    for preset in NAMED.values():
        assert preset.login
        assert not preset.once or preset.once_for_h
        assert preset.signs
        assert preset.own_bounces


def test_a_reply_that_takes_the_mail_names_it() -> None:
    reply = parse_reply(Stage.DOT, [b"250 Ok 0102018f-1a2b-4c5d"])
    assert reply == Reply(Stage.DOT, 250, "", "Ok 0102018f-1a2b-4c5d")
