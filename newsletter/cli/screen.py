"""A Sight, drawn for a terminal by rich."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from newsletter.cli.boundary import printable
from newsletter.cli.findings import counted
from newsletter.cli.sight import STUMBLED, Sight
from newsletter.model import DeliveryState, SendState, Turn, TurnKind
from newsletter.report.words import duration, rate

COLOURS = {
    DeliveryState.ACCEPTED: "green",
    DeliveryState.DEFERRED: "yellow",
    DeliveryState.FAILED: "red",
    DeliveryState.UNKNOWN: "magenta",
}
WIDEST_BAR = 60
LABEL = 9
# After these there is nothing to explain.
RUNNING = frozenset(
    {
        TurnKind.SENDING,
        TurnKind.FROZEN,
        TurnKind.WIDENED,
        TurnKind.OFFERED_AGAIN,
        TurnKind.FAILED_OVER,
        TurnKind.DONE,
    }
)


class Bar:
    """The recipients as one bar, a colour for each state."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(min(options.max_width - 30, WIDEST_BAR), 10)
        ascii_only = not options.encoding.lower().startswith("utf")
        full, empty = ("#", ".") if ascii_only else ("█", "░")
        cells = parts(self.sight, width)
        for state, colour in COLOURS.items():
            yield Segment(full * cells[state], Style.parse(colour))
        yield Segment(empty * (width - sum(cells.values())), Style.parse("bright_black"))
        yield Segment(f" {share(self.sight)} %   {self.sight.done:,}/{self.sight.total:,}")
        yield Segment.line()


class Domains:
    """The biggest domains, as many as there is room for."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        bar = "▇" if options.encoding.lower().startswith("utf") else "#"
        most = max(count for _, count in self.sight.domains)
        shown = Text(no_wrap=True, overflow="ellipsis")
        for domain, count in self.sight.domains:
            each = Text(f"{printable(domain)} {count:,} ")
            each.append(bar * max(1, round(6 * count / most)), style="cyan")
            if shown and shown.cell_len + 3 + each.cell_len > options.max_width:
                break
            shown.append("   " if shown else "").append(each)
        yield shown


def parts(sight: Sight, width: int) -> dict[DeliveryState, int]:
    """How many of the bar's cells each state takes: what there is of it shows, if there is room,
    and the bar is full only when nobody waits."""
    total = max(sight.total, sight.done, 1)
    cells = {state: sight.counts.get(state, 0) * width // total for state in COLOURS}
    for state in STUMBLED:
        if sight.counts.get(state, 0) and not cells[state] and sum(cells.values()) < width - 1:
            cells[state] = 1
    if sight.done >= sight.total:
        cells[DeliveryState.ACCEPTED] += max(width - sum(cells.values()), 0)
    return cells


def share(sight: Sight) -> int:
    """Per cent of the recipients that have been answered, rounded down."""
    return 100 * sight.done // sight.total if sight.total else 100


def picture(sight: Sight, now: datetime, zone: ZoneInfo) -> Table:
    """The whole view, a line each."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="bright_black", no_wrap=True, min_width=LABEL)
    lines.add_column(no_wrap=True, overflow="ellipsis")
    lines.add_row(sight.state.value, Bar(sight))
    lines.add_row("counts", _counts(sight))
    lines.add_row("pace", Text(pace(sight, now, zone)))
    if sight.throttled:
        lines.add_row("throttled", Text(throttling(sight), style="yellow"))
    if sight.domains:
        lines.add_row("domains", Domains(sight))
    if sight.answer:
        ago = f"   {sight.answered_s:.0f} s ago" if sight.answered_s >= 1 else ""
        lines.add_row("answer", Text(printable(sight.answer) + ago))
    if words := standing(sight, zone):
        lines.add_row("", Text(printable(words), style="yellow"))
    return lines


def _counts(sight: Sight) -> Text:
    text = Text()
    for state, colour in COLOURS.items():
        count = sight.counts.get(state, 0)
        text.append(f"{state.value} ", style="bright_black")
        text.append(f"{count:,}   ", style=colour if count else "")
    return text


def pace(sight: Sight, now: datetime, zone: ZoneInfo) -> str:
    """How fast it goes, and until when."""
    if sight.per_second is None or sight.state is not SendState.SENDING:
        words = ["-"]
    else:
        words = [f"{rate(sight.per_second)}/s"]
    if sight.most_per_second:
        words[0] += f" of {rate(sight.most_per_second)}"
    if sight.left_s is not None and sight.state is SendState.SENDING:
        at = (now + timedelta(seconds=sight.left_s)).astimezone(zone)
        words.append(f"{duration(sight.left_s)} left, done about {at:%H:%M:%S}")
    return "   ".join(words)


def throttling(sight: Sight) -> str:
    """How often it was asked to be slower, and what that has come to."""
    words = [counted(sight.throttled, "time")]
    words += [f"{key.partition(':')[2]} slowed to {rate(to)}/s" for key, to in sight.slowed.items()]
    return printable("   ".join(words))


def standing(sight: Sight, zone: ZoneInfo) -> str:
    """Why nothing moves, if nothing does."""
    last = next((t for t in reversed(sight.turns) if t.kind is not TurnKind.SLOWED), None)
    if last is None or last.kind in RUNNING:
        return ""
    return turn_words(last, zone)


def turn_words(turn: Turn, zone: ZoneInfo) -> str:
    """A turn in one line."""
    until = f" until {turn.until.astimezone(zone):%d %b %H:%M}" if turn.until else ""
    return f"{turn.kind.value}{until}" + (f": {turn.why}" if turn.why else "")
