"""send, resume, test, status, subscribers: what a person and a cron job see."""

from __future__ import annotations

import quopri
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.model import Email, Origin, Slot
from newsletter.store import Audience, NewSend, open_store
from tests.publication import Publication, publication
from tests.smtpd import ScriptedRelay

UNSUBSCRIBE = Slot("unsubscribe_url")


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    made = publication(tmp_path)
    made.people(3)
    return made


def test_send_reaches_everybody_once_and_says_so(letter: Publication) -> None:
    answer = letter.ask("send", "latest", "--yes", "--expect", "3")
    assert (answer["sent"], answer["state"], answer["exit"]) == (3, "done", 0)
    assert len(letter.inbox) == 3


def test_dry_run_shows_the_audience_and_sends_nothing(letter: Publication) -> None:
    letter.run("subscribers", "unsubscribe", "p0@example.com")
    result = letter.run("send", "latest", "--dry-run")
    assert "Audience   2 of 3  -1 unsubscribed" in result.stdout
    assert "p1@example.com, p2@example.com" in result.stdout
    assert "previous: Letter 2      next: none yet" in result.stdout
    assert "Nothing was sent." in result.stdout
    assert letter.inbox == []
    assert letter.ask("status")["sends"] == []


def test_without_a_terminal_and_without_a_flag_it_exits_2(letter: Publication) -> None:
    result = letter.run("send", "latest", code=2)
    assert "--yes --expect 3" in result.stderr
    assert letter.ask("status")["sends"] == []


@pytest.mark.parametrize("expected", ["4", "10..20"])
def test_an_unexpected_audience_is_refused(letter: Publication, expected: str) -> None:
    letter.run("send", "latest", "--yes", "--expect", expected, code=6)
    assert letter.inbox == []


def test_an_expected_range_lets_it_through(letter: Publication) -> None:
    letter.run("send", "latest", "--yes", "--expect", "1..5")
    assert len(letter.inbox) == 3


def test_a_second_send_is_refused_and_only_new_reaches_the_rest(letter: Publication) -> None:
    letter.run("send", "latest", "--yes")
    refused = letter.run("send", "latest", "--yes", code=6)
    assert "--only-new" in refused.stderr
    letter.run("subscribers", "add", "late@example.com")
    letter.run("send", "latest", "--yes", "--only-new", "--expect", "1")
    assert len(letter.inbox) == 4
    letter.run("send", "latest", "--yes", "--only-new", code=6)


def test_late_readers_get_the_frozen_issue_whatever_the_file_says(letter: Publication) -> None:
    letter.run("send", "latest", "--yes")
    letter.article(3, title="Another title altogether")
    letter.run("subscribers", "add", "late@example.com")
    letter.run("send", "3", "--yes", "--only-new")
    assert b"Subject: Letter 3" in letter.inbox[-1].read_bytes()


def test_a_draft_and_a_future_issue_are_refused(letter: Publication) -> None:
    letter.write("issues/2026-04-01-d.md", "---\ntitle: D\ndraft: true\n---\nx\n")
    letter.write("issues/2031-04-01-f.md", "---\ntitle: F\n---\nx\n")
    assert "draft" in letter.run("send", "d", "--yes", code=6).stderr
    assert "still to come" in letter.run("send", "f", "--yes", code=6).stderr


def test_a_tag_limits_the_audience_and_the_rest_is_explained(letter: Publication) -> None:
    letter.run("subscribers", "tag", "p1@example.com", "--add", "vip")
    letter.run("send", "latest", "--yes", "--tag", "vip")
    [send] = letter.ask("status", "latest")["sends"]
    assert send["accepted"] == 1
    assert send["reasons"] == {"not tagged vip": 2}


def test_status_answers_who_got_it_and_who_did_not(letter: Publication) -> None:
    letter.run("subscribers", "unsubscribe", "p0@example.com")
    letter.run("send", "latest", "--yes")
    text = letter.run("status", "latest").stdout
    assert "2 recipients: accepted 2   skipped 1" in text
    got = letter.run("status", "latest", "--who", "accepted", "--csv").stdout.splitlines()
    assert [line.split(",")[0] for line in got] == ["address", "p1@example.com", "p2@example.com"]
    skipped = letter.run("status", "latest", "--who", "skipped").stdout
    assert "p0@example.com  unsubscribed" in skipped


def test_a_row_tells_by_which_relay_it_left_and_what_that_said(letter: Publication) -> None:
    letter.run("subscribers", "unsubscribe", "p0@example.com")
    letter.run("send", "latest", "--yes")
    got = letter.ask("status", "latest", "--who", "accepted")["people"]
    assert {row["relay"] for row in got} == {"main"}
    assert all(row["code"] == 250 and row["text"] and row["message_id"] for row in got)
    [skipped] = letter.ask("status", "latest", "--who", "skipped")["people"]
    assert (skipped["relay"], skipped["code"]) == ("", None)
    assert "  by main" in letter.run("status", "latest", "--who", "accepted").stdout


def test_a_dry_run_says_what_send_would_refuse(letter: Publication) -> None:
    letter.write("issues/2026-04-01-d.md", "---\ntitle: D\ndraft: true\n---\nx\n")
    letter.write("issues/2026-05-01-x.md", "---\ntitle: X\n---\nHello {{ frist_name }},\n")
    letter.run("send", "3", "--yes")
    for name, code in (("d", "send.draft"), ("x", "compose"), ("3", "send.already")):
        plan = letter.ask("send", name, "--dry-run")
        assert plan["refusal"]["code"] == code
        assert "send will refuse it" in letter.run("send", name, "--dry-run").stdout
    assert letter.ask("send", "2", "--dry-run")["refusal"] is None


def test_promise_2_late_readers_get_the_first_bytes_also_in_the_dry_run(
    letter: Publication,
) -> None:
    letter.run("send", "latest", "--yes")
    [first] = letter.ask("status", "latest")["sends"]
    letter.article(3, title="Another title altogether")
    letter.run("subscribers", "add", "late@example.com")
    plan = letter.ask("send", "3", "--only-new", "--dry-run")
    assert plan["content_hash"] == first["content_hash"]


def test_a_subject_with_a_slot_is_readable_on_every_screen(letter: Publication) -> None:
    letter.write("issues/2026-04-01-s.md", "---\ntitle: For {{ first_name | friend }}\n---\nx\n")
    assert "Subject    For friend\n" in letter.run("send", "s", "--dry-run").stdout
    letter.run("send", "s", "--yes")
    assert "For friend" in letter.run("status", "s").stdout
    assert '"For friend" went to' in letter.run("send", "s", "--yes", code=6).stderr


def test_nothing_is_frozen_that_no_mail_can_be_made_of(letter: Publication) -> None:
    config = letter.root / "newsletter.toml"
    config.write_text(
        config.read_text().replace("letters.example.org", "letters.example.org/a b", 1)
    )
    letter.run("send", "latest", "--yes", code=3)
    assert letter.ask("status")["sends"] == []


def test_resume_without_anything_to_resume_is_refused(letter: Publication) -> None:
    letter.run("resume", "latest", code=6)
    letter.run("send", "latest", "--yes")
    letter.run("send", "latest", "--resume", code=6)


def frozen(letter: Publication) -> None:
    """Freeze letter-3 and send nothing, as a sender that died at once leaves it."""
    email = Email(
        slug="letter-3",
        subject="Letter 3",
        preheader="",
        html=f'<!DOCTYPE html><html><body><a href="{UNSUBSCRIBE.token}">x</a></body></html>',
        text=f"{UNSUBSCRIBE.token}\n",
        url="https://letters.example.org/letter-3/",
        slots=(UNSUBSCRIBE,),
    )
    head = load_config(letter.root).letter().letterhead
    with open_store(f"sqlite:{letter.root / '.newsletter' / 'newsletter.db'}") as store:
        store.freeze(
            NewSend(
                email=email,
                origin=Origin(),
                letterhead=head,
                relay="main",
                audience=Audience(local=True),
            ),
            datetime.now(UTC),
        )


@pytest.mark.parametrize(
    "guard", [["--dry-run"], ["--expect", "3"], ["--tag", "v"], ["--only-new"]]
)
def test_resume_refuses_a_guard_that_it_would_not_keep(
    letter: Publication, guard: list[str]
) -> None:
    frozen(letter)
    letter.run("send", "latest", "--resume", *guard, code=2)
    assert letter.inbox == []
    letter.run("send", "latest", "--resume")
    assert len(letter.inbox) == 3


def test_test_mails_a_proof_of_a_draft_outside_of_the_ledger(letter: Publication) -> None:
    letter.write(
        "issues/2026-04-01-d.md", "---\ntitle: D\ndraft: true\n---\nHi {{ first_name | you }}\n"
    )
    letter.run("test", "d", "--to", "me@example.org", "--to", "you@example.org")
    assert len(letter.inbox) == 2
    assert b"Subject: [proof " in letter.inbox[0].read_bytes()
    assert letter.ask("status")["sends"] == []
    letter.run("test", "d", "--to", "me@example.org", "--as", "p1@example.com")
    assert b"Hi Pat" in quopri.decodestring(letter.inbox[-1].read_bytes())


def test_a_refused_proof_is_one_json_object(letter: Publication) -> None:
    config = letter.root / "newsletter.toml"
    with ScriptedRelay() as relay:
        relay.on("rcpt", say="550 5.1.1 no such user")
        smtp = f'preset = "smtp"\nhost = "127.0.0.1"\nport = {relay.port}\ntls = "none"'
        config.write_text(config.read_text().replace('preset = "inbox"', smtp))
        answer = letter.ask("test", "latest", "--to", "me@example.org", code=75)
    assert (answer["exit"], answer["error"]["code"]) == (75, "relay.refused")
    assert answer["proofs"][0]["status"] == "5.1.1"


def test_the_file_relay_writes_eml_files(letter: Publication) -> None:
    letter.write(
        "newsletter.toml",
        (letter.root / "newsletter.toml")
        .read_text()
        .replace('preset = "inbox"', 'preset = "file"\nfolder = "outbox"'),
    )
    letter.run("send", "latest", "--yes")
    assert len(list((letter.root / "outbox").glob("*.eml"))) == 3


def test_a_relay_that_is_not_there_is_exit_75_and_nobody_is_lost(letter: Publication) -> None:
    letter.write(
        "newsletter.toml",
        (letter.root / "newsletter.toml")
        .read_text()
        .replace('preset = "inbox"', 'preset = "smtp"\nhost = "127.0.0.1"\nport = 9\ntls = "none"'),
    )
    letter.run("test", "latest", "--to", "me@example.org", code=75)


def test_subscribers_are_added_shown_listed_tagged_exported_and_unsubscribed(
    letter: Publication,
) -> None:
    letter.run(
        "subscribers",
        "add",
        "Zoë Ek <zoe@example.com>",
        "--name",
        "Zoë Ek",
        "--tag",
        "vip",
        "--field",
        "city=Lund",
    )
    shown = letter.ask("subscribers", "show", "zoe@example.com")["subscriber"]
    assert (shown["name"], shown["tags"], shown["fields"]) == ("Zoë Ek", ["vip"], {"city": "Lund"})
    assert shown["consent_source"] == "entered by hand"
    letter.run("subscribers", "add", "zoe@EXAMPLE.com", code=2)
    listed = letter.ask("subscribers", "list", "--tag", "vip")["subscribers"]
    assert [row["address"] for row in listed] == ["zoe@example.com"]
    stats = letter.ask("subscribers", "stats")
    assert (stats["total"], stats["active"], stats["tags"]) == (4, 4, {"vip": 1})
    letter.run("subscribers", "unsubscribe", "zoe@example.com")
    assert "unsubscribed" in letter.run("subscribers", "list", "--status", "unsubscribed").stdout
    assert "zoe@example.com" in letter.run("subscribers", "export").stdout


def test_an_unsubscribe_token_of_a_sent_mail_unsubscribes_its_reader(letter: Publication) -> None:
    letter.run("send", "latest", "--yes")
    content = letter.inbox[1].read_text()
    token = content.split("mailto:unsubscribe+")[1].split("@")[0]
    answer = letter.ask("subscribers", "unsubscribe", token)
    assert answer["subscriber"]["address"] == "p1@example.com"
    letter.run("subscribers", "unsubscribe", "A" * 32, code=2)


def test_import_counts_rehearses_and_reports_bad_rows(letter: Publication) -> None:
    rows = "email,name,city\nnew@example.com,Nia,Lund\njoe@@x.org,Joe,\np1@example.com,Pat 1,Oslo\n"
    file = letter.write("people.csv", rows)
    rehearsed = letter.ask("subscribers", "import", str(file), "--dry-run")
    done = letter.ask("subscribers", "import", str(file))
    for answer in (rehearsed, done):
        assert (answer["added"], answer["updated"], answer["bad"]) == (1, 1, 1)
    assert letter.ask("subscribers", "stats")["total"] == 4
    report = Path(done["report"]).read_text()
    assert "joe@@x.org" in report
    assert "3" in report.splitlines()[1]


def test_an_unknown_status_stops_the_import(letter: Publication) -> None:
    file = letter.write("people.csv", "email,status\na@example.com,active\nb@example.com,weird\n")
    result = letter.run("subscribers", "import", str(file), code=2)
    assert "weird" in result.stderr
    assert letter.ask("subscribers", "stats")["total"] == 3


def test_attack_37_the_database_is_for_its_owner_only(letter: Publication) -> None:
    folder = letter.root / ".newsletter"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "newsletter.db").stat().st_mode & 0o777 == 0o600


def test_an_example_in_the_configuration_is_never_sent_to_people(letter: Publication) -> None:
    config = (letter.root / "newsletter.toml").read_text()
    relay = 'preset = "smtp"\nhost = "relay.example.net"\nport = 465'
    letter.write("newsletter.toml", config.replace('preset = "inbox"', relay))
    refused = letter.run("send", "latest", "--yes", code=6)
    assert "base_url is still an example" in refused.stderr
    assert letter.ask("status")["sends"] == []
    assert "reaches people" in letter.run("doctor", code=3).stdout


def test_latest_says_what_is_newer_and_was_not_taken(letter: Publication) -> None:
    letter.write("issues/2031-04-01-f.md", "---\ntitle: F\n---\nx\n")
    assert "latest is #3 Letter 3: F is dated 2031" in letter.run("send", "latest", "-n").stderr


def test_resume_says_that_the_file_has_changed(letter: Publication) -> None:
    frozen(letter)
    letter.article(3, title="A mended typo")
    assert "it is sent as it was frozen" in letter.run("resume", "latest").stderr


def test_a_key_that_cannot_be_read_stops_the_send_before_it_is_frozen(
    letter: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_KEY", "not a key")
    letter.run("send", "latest", "--yes", code=2)
    monkeypatch.delenv("NEWSLETTER_KEY")
    assert letter.ask("status")["sends"] == []
