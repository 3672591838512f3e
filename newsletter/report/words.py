"""Numbers and times in the words of a report."""

from __future__ import annotations

UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s"))


def duration(seconds: float) -> str:
    """`0.4 s`, `45 s`, `2 m 35 s`, `3 h 12 m`, `4 d 2 h`."""
    if 0 < seconds < 9.95 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, small in UNITS:
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def rate(per_second: float) -> str:
    """A rate with as many digits as mean something."""
    if per_second >= 100 or per_second == int(per_second):
        return f"{per_second:,.0f}"
    return f"{per_second:.1f}" if per_second >= 1 else f"{per_second:.2f}"


def percent(part: int, whole: int) -> str:
    """`99.9 %`; 100 and 0 only when it is all, or nothing."""
    if not whole or part in (0, whole):
        return "100 %" if part and part == whole else "0 %"
    share = min(max(100 * part / whole, 0.1), 99.9)
    return f"{share:.1f} %"


def times(count: int) -> str:
    """`once`, `twice`, `7 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")
