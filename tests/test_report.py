"""report: what became of an issue, counted, drawn and explained, and nobody named."""

from __future__ import annotations

import csv
import io
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.model import Beat, DeliveryState, Reply, Stage, Turn, TurnKind
from newsletter.report.account import FEWEST, Account, account, without
from newsletter.report.course import MOST_STRETCHES, Stretch, course, step_for, stretches
from newsletter.report.page import TOLD, moments, stylesheet
from newsletter.report.plots import LEFT, RIGHT, WIDTH, Scale, nice
from newsletter.report.words import percent
from newsletter.store import Store
from newsletter.store.sqlite import SQLiteStore
from tests.publication import publication
from tests.sample_send import fill, sample_page
from tests.sent import sent_on_a_mixed_day
from tests.stores import readers as some_readers
from tests.stores import sending

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
pytest_plugins = ("tests.store_fixtures",)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteStore]:
    with SQLiteStore.open(f"sqlite:{tmp_path_factory.mktemp('s') / 'n.db'}") as store:
        fill(store, 0.1)
        yield store


@pytest.fixture(scope="module")
def told(sample: SQLiteStore) -> Account:
    return account(sample, sample.entries()[0])


# --- the account ---------------------------------------------------------------------------------


def test_every_recipient_is_in_one_domain_and_in_one_group(told: Account) -> None:
    assert sum(row.total for row in told.domains) == told.mailed == told.entry.recipients
    assert sum(group.count for group in told.groups) == told.answered
    assert sum(beat.count for beat in told.beats) == told.answered
    assert told.entry.candidates == told.mailed + told.skipped.total()


def test_small_domains_are_told_together(told: Account) -> None:
    *named, others = told.domains
    assert others.name == "others"
    assert others.together > 1
    assert all(row.total >= FEWEST for row in named)
    assert not [row for row in named if "family" in row.name]


def test_the_same_answer_to_many_is_one_group(told: Account) -> None:
    blocked = [group for group in told.groups if group.reason == "a blocklist has us"]
    assert len(blocked) == 1
    assert blocked[0].reply is not None
    assert "<ip>" in blocked[0].reply.text


def test_a_night_is_a_rest_with_its_reason_and_no_part_of_the_work(told: Account) -> None:
    night = told.course.rests[0]
    assert night.why == "paused by hand"
    assert 12 * 3600 < (night.lasts_s or 0) < 13 * 3600
    assert told.course.lasts_s < 3600
    assert 5 < (told.per_second or 0) < 20


def test_a_small_domain_is_no_more_in_an_answer() -> None:
    small = frozenset({"family1.example.org"})
    assert without(small, "no route to Family1.example.org.") == "no route to <domain>."
    assert without(small, "no route to mail.example.com") == "no route to mail.example.com"


# --- the course ----------------------------------------------------------------------------------


def turn(kind: TurnKind, at_s: float, why: str = "") -> Turn:
    return Turn(kind=kind, at=NOW + SECOND * at_s, why=why)


def test_a_sender_that_was_killed_worked_until_its_last_answer() -> None:
    turns = [turn(TurnKind.SENDING, 0), turn(TurnKind.TAKEN_OVER, 3600), turn(TurnKind.DONE, 3610)]
    found = course(turns, [NOW + SECOND * at for at in (1, 5, 3605)])
    assert [(s.start, s.end) for s in found.work] == [
        (NOW, NOW + 5 * SECOND),
        (NOW + 3600 * SECOND, NOW + 3610 * SECOND),
    ]
    [rest] = found.rests
    assert rest.why == "the sender died"


def test_what_broke_a_run_off_is_why_it_rested() -> None:
    turns = [
        turn(TurnKind.SENDING, 0),
        turn(TurnKind.BROKEN_OFF, 9, "the relay asks us to wait: 421"),
        turn(TurnKind.PAUSED, 10),
        turn(TurnKind.SENDING, 60),
        turn(TurnKind.DONE, 70),
    ]
    [rest] = course(turns, []).rests
    assert (rest.lasts_s, rest.why) == (50, "the relay asks us to wait: 421")


def test_a_send_from_before_there_were_turns_has_a_course_too() -> None:
    found = course([], [NOW, NOW + 5 * SECOND])
    assert found.lasts_s == 5
    assert course([], []).lasts_s == 0


@given(st.floats(0, 10**7))
def test_a_plot_has_no_more_bars_than_fit(lasts_s: float) -> None:
    assert lasts_s / step_for(lasts_s).total_seconds() <= 300


spans = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 5000)), min_size=1, max_size=40)


@given(spans)
def test_every_beat_is_in_a_piece_and_pieces_keep_their_order(given: list[tuple[int, int]]) -> None:
    step = SECOND
    beats = [Beat(NOW + at * SECOND, DeliveryState.ACCEPTED, 1) for at, _ in given]
    work = [Stretch(NOW + at * SECOND, NOW + (at + long) * SECOND) for at, long in given]
    pieces = stretches(work, beats, step)
    assert len(pieces) <= MOST_STRETCHES
    assert all(one.end < other.start for one, other in pairwise(pieces))
    for beat in beats:
        assert any(piece.start <= beat.at and beat.at + step <= piece.end for piece in pieces)
    scale = Scale(pieces)
    places = [scale.x(beat.at) for beat in sorted(beats, key=lambda beat: beat.at)]
    assert places == sorted(places)
    assert all(LEFT - 0.01 <= x <= WIDTH - RIGHT + 0.01 for x in places)


@given(st.floats(1e-3, 1e9))
def test_an_axis_ends_at_the_next_round_number(most: float) -> None:
    assert most * 0.999 <= nice(most) <= most * 2.51


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_all_and_nothing_are_said_only_when_it_is_so(part: int, whole: int) -> None:
    part = min(part, whole)
    assert (percent(part, whole) == "100 %") == (part == whole)
    assert (percent(part, whole) == "0 %") == (part == 0)


def test_a_stop_is_told_by_its_reason_and_slower_paces_in_a_row_once(told: Account) -> None:
    what = [moment.what for moment in moments(told)]
    assert what == ["frozen", "sending", "held", "sending", "slowed down", "stopped"]


# --- the page ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(sample: SQLiteStore) -> str:
    return sample_page(sample, 1)


def test_the_page_fetches_nothing_and_runs_nothing(written: str) -> None:
    document = lxml_html.fromstring(written)
    policy = str(document.xpath("string(//meta[@http-equiv]/@content)"))
    digest = b64encode(sha256(stylesheet().encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"'sha256-{digest}'" in policy
    assert document.xpath("string(//style)") == stylesheet()
    assert not document.xpath(
        "//script | //link | //img | //iframe | //@style | //@onclick | //@src"
    )
    assert not re.search(r"url\(|@import", written)


def test_no_address_and_no_small_domain_is_in_the_page(written: str) -> None:
    assert "@" not in written.replace(stylesheet(), "")
    assert not re.search(r"family\d", written)


def test_every_number_of_the_account_is_in_the_page(written: str, told: Account) -> None:
    words = " ".join(" ".join(map(str, lxml_html.fromstring(written).itertext())).split())
    for row in told.domains:
        assert f"{row.name}" in words
    for group in told.groups:
        assert f"{group.count:,} {group.state.value}" in words
    for reason, count in told.skipped.items():
        assert f"{reason} −{count:,}" in words
    assert "rested 12 h" in words
    assert written.count('class="slower"') >= 2


def test_hostile_words_of_a_relay_stay_words(store: Store) -> None:
    some_readers(store, "ada")
    send = sending(store)
    [row] = store.claim(send.id, 1, NOW)
    evil = "<script>alert(1)</script>\u202e\x1b[2J"
    reply = Reply(Stage.RCPT, 550, "5.7.1", evil)
    store.record(row._replace(state=DeliveryState.FAILED, reason=evil, reply=reply), NOW)
    page = sample_page(store, send.id)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


# --- the command ---------------------------------------------------------------------------------


def test_report_tells_a_terminal_a_program_and_a_browser(tmp_path: Path) -> None:
    letter, readers = sent_on_a_mixed_day(tmp_path, 40)
    said = letter.run("report", "latest").stdout
    assert "accepted 36 of 40 (90.0 %)" in said
    assert "no such user" in said
    assert "There is no such mailbox" in said
    assert "newsletter report letter-3 --open" in said
    facts = letter.ask("report", "latest")["sends"][0]
    assert (facts["accepted"], facts["failed"], facts["deferred"], facts["unknown"]) == (
        36,
        2,
        1,
        1,
    )
    assert facts["candidates"] == 40
    assert [turn["turn"] for turn in facts["turns"]] == ["frozen", "sending", "paused"]
    page = tmp_path / "out" / "report.html"
    assert str(page) in letter.run("report", "latest", "--out", str(page)).stdout
    everything = said + str(facts) + page.read_text("utf-8")
    assert not [address for address in readers if address in everything]
    assert "small.example.net" not in everything


def test_the_csv_has_a_row_for_each_domain(tmp_path: Path) -> None:
    letter, _ = sent_on_a_mixed_day(tmp_path, 60)
    rows = list(csv.DictReader(io.StringIO(letter.run("report", "latest", "--csv").stdout)))
    assert sum(int(row["readers"]) for row in rows) == 60
    assert rows[0]["domain"] == "mail.example.com"
    assert rows[-1]["domain"] == "others"
    letter.run("report", "latest", "--csv", "--json", code=2)


def test_an_issue_that_was_never_sent_has_no_report(tmp_path: Path) -> None:
    letter = publication(tmp_path)
    assert "never sent" in letter.run("report", "latest", code=6).stderr


def test_who_left_and_who_bounced_since_is_told(tmp_path: Path) -> None:
    letter, readers = sent_on_a_mixed_day(tmp_path, 20)
    letter.run("subscribers", "unsubscribe", readers[5])
    letter.run("subscribers", "add", "late@example.com")
    since = letter.ask("report", "latest")["sends"][0]["since"]
    assert since == {"unsubscribed": 1, "joined": 1}


# --- colours -------------------------------------------------------------------------------------


def palettes() -> dict[str, dict[str, str]]:
    light, dark = stylesheet().split("prefers-color-scheme: dark", 1)
    found = {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text))
             for name, text in (("light", light), ("dark", dark))}  # fmt: skip
    return {"light": found["light"], "dark": found["light"] | found["dark"]}


TEXTS = ("ink", "soft", "accent", "deferred-ink", "failed-ink", "unknown-ink", "accepted-ink")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_marks_stand_out_enough_for_wcag_aa(scheme: str) -> None:
    palette = palettes()[scheme]
    for ground in ("paper", "well", "ground"):
        for ink in TEXTS:
            assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
    for ink, pill in (("accepted-ink", "good"), ("deferred-ink", "warn"), ("accent", "accent")):
        assert contrast(palette[ink], palette[f"{pill}-soft"]) >= 4.5, (ink, pill)
    for mark in ("accepted", "deferred", "failed", "unknown"):
        assert contrast(palette[mark], palette["paper"]) >= 3, mark


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, 1.4.3."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_every_turn_has_its_words_on_the_page() -> None:
    assert set(TOLD) == set(TurnKind)
