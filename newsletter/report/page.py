"""The report as one HTML file: no network, no script, nothing beside it.

Accounts enter, a page leaves. Its style sheet is let in by its hash, so that nothing else could be.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib import resources
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from newsletter.delivery.replies import ReplyGroup
from newsletter.model import DeliveryState, Stage, Turn, TurnKind
from newsletter.report.account import ANSWERED, Account
from newsletter.report.course import stretches
from newsletter.report.plots import Throughput, strip, throughput
from newsletter.report.words import duration, percent, rate, times

POLICY = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
CODE, PLAIN = Markup("<code>{}</code>"), Markup("{}")
# A stop and its reason are told within this time of each other.
AT_ONCE = timedelta(seconds=5)
EXPLAINED = (TurnKind.HELD, TurnKind.WAITING, TurnKind.BROKEN_OFF, TurnKind.CANCELLED)
STAGES = {
    Stage.CONNECT: "when we connected",
    Stage.EHLO: "when we said hello",
    Stage.TLS: "when we wanted TLS",
    Stage.AUTH: "when we logged in",
    Stage.MAIL: "when the sender was named",
    Stage.RCPT: "when the recipient was named",
    Stage.DATA: "before the content",
    Stage.DOT: "after the content",
}
TOLD = {
    TurnKind.SCHEDULED: "scheduled",
    TurnKind.FROZEN: "frozen",
    TurnKind.SENDING: "sending",
    TurnKind.TAKEN_OVER: "taken over from a sender that died",
    TurnKind.PAUSED: "stopped",
    TurnKind.HELD: "held",
    TurnKind.WAITING: "waits",
    TurnKind.WIDENED: "the canary went well: to everybody",
    TurnKind.SLOWED: "slowed down",
    TurnKind.BROKEN_OFF: "broken off",
    TurnKind.REOPENED: "tried again",
    TurnKind.FAILED_OVER: "went on by another relay",
    TurnKind.OFFERED_AGAIN: "offered again",
    TurnKind.CANCELLED: "cancelled",
    TurnKind.DONE: "done",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: datetime
    what: str
    why: str
    kind: str


@dataclass(frozen=True, slots=True)
class Clock:
    """When the report is made, and in which zone it tells the time."""

    now: datetime
    zone: ZoneInfo

    def said(self, moment: datetime) -> str:
        """Day and time with the offset."""
        local = moment.astimezone(self.zone)
        offset = local.strftime("%z")
        return f"{local:%d %b %Y %H:%M} {offset[:3]}:{offset[3:]}"

    def brief(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%d %b %H:%M:%S}"


def page(accounts: Sequence[Account], clock: Clock) -> str:
    """The whole document. The accounts are of one issue, oldest first."""
    return (
        environment(clock)
        .get_template("report.html")
        .render(
            accounts=accounts,
            title=accounts[-1].entry.subject,
            style=Markup(stylesheet()),  # noqa: S704 - our own file
            policy=policy(),
            made=clock.said(clock.now),
        )
    )


@cache
def policy() -> str:
    """The Content-Security-Policy under which the page is whole."""
    return POLICY.format(b64encode(sha256(stylesheet().encode()).digest()).decode())


@cache
def stylesheet() -> str:
    """The page's style sheet."""
    return (resources.files("newsletter.report") / "pages" / "report.css").read_text("utf-8")


def environment(clock: Clock) -> Environment:
    """Jinja with the words of a report."""
    made = Environment(
        loader=PackageLoader("newsletter.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        when=clock.said, brief=clock.brief, duration=duration, rate=rate, times=times
    )
    made.globals.update(
        percent=percent,
        strip=strip,
        plot=lambda each: _plot(each, clock),
        moments=moments,
        stage=_stage,
        states=DeliveryState,
        answered=ANSWERED,
        paragraphs=paragraphs,
    )
    return made


def _plot(each: Account, clock: Clock) -> Markup:
    return throughput(
        Throughput(
            pieces=stretches(each.course.work, each.beats, each.step),
            beats=each.beats,
            step=each.step,
            slower=each.course.slower,
            zone=clock.zone,
        )
    )


def _stage(group: ReplyGroup) -> str:
    return STAGES.get(group.reply.stage, "") if group.reply else ""


def paragraphs(text: str, slug: str) -> Markup:
    """Words with `commands` about ISSUE in backticks, as HTML."""
    pieces = text.replace("ISSUE", slug).split("`")
    return Markup("").join((CODE if n % 2 else PLAIN).format(p) for n, p in enumerate(pieces))


def moments(each: Account) -> Iterator[Moment]:
    """The timeline: slower paces in a row are told once, and a stop by its reason."""
    run: list[Turn] = []
    for turn in each.turns:
        if turn.kind is TurnKind.PAUSED and any(_explains(other, turn) for other in each.turns):
            continue
        if run and turn.kind is TurnKind.SLOWED and run[-1].kind is TurnKind.SLOWED:
            run.append(turn)
            continue
        if run:
            yield _moment(run)
        run = [turn]
    if run:
        yield _moment(run)


def _explains(other: Turn, stop: Turn) -> bool:
    return other.kind in EXPLAINED and abs(other.at - stop.at) <= AT_ONCE


def _moment(run: Sequence[Turn]) -> Moment:
    """One line for a turn, or for several slower paces in a row."""
    turn = run[0]
    words = turn.why
    if turn.kind is TurnKind.SLOWED:
        slowest = min(each.number or 0 for each in run)
        names = ", ".join(sorted({each.why for each in run}))
        words = f"{times(len(run))}, to {rate(slowest)}/s: {names}"
    elif turn.kind is TurnKind.FROZEN:
        words = f"{turn.number or 0:,.0f} recipients"
    elif turn.kind is TurnKind.TAKEN_OVER:
        words = f"{turn.number or 0:,.0f} in doubt"
    elif turn.kind is TurnKind.REOPENED:
        words = f"{turn.number or 0:,.0f} that were {turn.why}"
    elif turn.kind is TurnKind.OFFERED_AGAIN:
        words = f"{turn.number or 0:,.0f} in doubt, to {turn.relay}, which takes a mail only once"
    elif turn.kind is TurnKind.FAILED_OVER:
        words = f"{turn.relay} -> {', '.join(turn.goes_on_by)}: {turn.why}"
    return Moment(turn.at, TOLD[turn.kind], words, turn.kind.name.lower())
