"""How fast mail may leave, by one count for every process on this database.

The rate is GCRA with no burst: each grant is a row of slots, one emission interval apart, that
nobody else gets. Longer spans are counted in twelfths, so that the count of the last day forgets an
hour or two at a time and never too early. Knows no relay and does not wait.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from newsletter.model import Limits
from newsletter.store import Slots
from newsletter.store.database import Database
from newsletter.store.rows import micros, moment_of
from newsletter.store.turns import tell_slowed

# A slot is kept to within some milliseconds, so aim a little lower than the limit itself.
AIM = 0.985
# A slower rate doubles each minute until it is what it was.
RECOVERY_US = 60_000_000
FREE_AGAIN = 1000.0
PIECES = 12
SECOND_US = 1_000_000
# Slots further ahead than both of these were granted by a clock that has been put back since.
FARTHEST_US = 3600 * SECOND_US
FARTHEST_STEPS = 1000


class Throttle:
    """The verbs about pace, on one database."""

    _db: Database

    def reserve(self, key: str, limits: Limits, count: int, now: datetime) -> Slots:
        now_us = micros(now)
        with self._db.hasty_transaction():
            full_until, room = self._room(key, limits, now)
            if room <= 0:
                return Slots(moment_of(full_until), timedelta(), 0)
            granted = min(count, room)
            self._note_granted(key, limits, now, granted)
            step_us = self._step_us(key, limits, now_us)
            if not step_us:
                return Slots(now, timedelta(), granted)
            first = self._take_slots(key, now_us, step_us, granted)
            return Slots(moment_of(first), timedelta(microseconds=step_us), granted)

    def slow_down(self, key: str, per_second: float, now: datetime) -> None:
        now_us = micros(now)
        with self._db.hasty_transaction():
            allowed = self._allowed(key, now_us)
            slower = max(min(per_second, allowed or per_second) / 2, 0.2)
            self._db.write(
                "INSERT INTO pace (key, allowed, slowed_at) VALUES (?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET allowed = excluded.allowed,"
                " slowed_at = excluded.slowed_at",
                (key, slower, now_us),
            )
            tell_slowed(self._db, key, slower, now_us)

    def slowed(self, now: datetime) -> dict[str, float]:
        rows = self._db.rows("SELECT key, allowed, slowed_at FROM pace WHERE allowed IS NOT NULL")
        allowed = {key: _recovered(rate, micros(now) - slowed_at) for key, rate, slowed_at in rows}
        return {key: rate for key, rate in allowed.items() if rate is not None}

    def _allowed(self, key: str, now_us: int) -> float | None:
        """The rate that a relay's "slower" allows now, None when it is forgotten."""
        row = self._db.row("SELECT allowed, slowed_at FROM pace WHERE key = ?", (key,))
        if row is None or row[0] is None:
            return None
        return _recovered(row[0], now_us - row[1])

    def _step_us(self, key: str, limits: Limits, now_us: int) -> int:
        rates = [rate for rate in (limits.per_second, self._allowed(key, now_us)) if rate]
        return round(SECOND_US / (min(rates) * AIM)) if rates else 0

    def _take_slots(self, key: str, now_us: int, step_us: int, granted: int) -> int:
        """The first of the slots that now are ours."""
        row = self._db.row("SELECT next_slot FROM pace WHERE key = ?", (key,))
        booked = row[0] if row else 0
        farthest = now_us + max(FARTHEST_US, FARTHEST_STEPS * step_us)
        first = booked if now_us < booked < farthest else now_us
        self._db.write(
            "INSERT INTO pace (key, next_slot) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET next_slot = excluded.next_slot",
            (key, first + step_us * granted),
        )
        return int(first)

    def _room(self, key: str, limits: Limits, now: datetime) -> tuple[int, int]:
        """When there is room again, and how many mails may be granted now."""
        room, until = 1 << 40, micros(now)
        for span, cap in limits.caps(now.date()).items():
            piece_us = _piece_us(span)
            oldest = micros(now) // piece_us - PIECES
            row = self._db.row(
                "SELECT sum(count), min(piece) FROM granted"
                " WHERE key = ? AND span = ? AND piece >= ?",
                (key, _seconds(span), oldest),
            )
            used, first = (row[0] or 0, row[1]) if row else (0, None)
            if cap - used < room:
                room = cap - used
                until = (first + PIECES + 1) * piece_us if first is not None else until
        return until, room

    def _note_granted(self, key: str, limits: Limits, now: datetime, granted: int) -> None:
        for span in limits.caps(now.date()):
            piece = micros(now) // _piece_us(span)
            self._db.write(
                "INSERT INTO granted (key, span, piece, count) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (key, span, piece) DO UPDATE SET count = count + excluded.count",
                (key, _seconds(span), piece, granted),
            )
            self._db.write(
                "DELETE FROM granted WHERE key = ? AND span = ? AND piece < ?",
                (key, _seconds(span), piece - PIECES - 1),
            )


def _recovered(allowed: float, since_us: int) -> float | None:
    """What a rate has grown to, None once that is as good as no limit."""
    rate = allowed * 2.0 ** min(max(since_us, 0) / RECOVERY_US, 40)
    return rate if rate < FREE_AGAIN else None


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _piece_us(span: timedelta) -> int:
    return _seconds(span) * SECOND_US // PIECES
