"""SpamAssassin's daemon, asked in its own protocol: SPAMC/1.5, a request line, fields, the mail."""

from __future__ import annotations

import re
import socket

from newsletter.model import SpamFilter
from newsletter.spamcheck.scores import Score, SpamRule, by_cost

MOST_BYTES = 1024 * 1024
_STATUS = re.compile(r"SPAMD/[\d.]+ (\d+) (.*)")
_SPAM = re.compile(r"Spam: *(?:True|False|Yes|No) *; *(-?[\d.]+) */ *(-?[\d.]+)", re.IGNORECASE)
# " 0.1 DKIM_SIGNED            Message has a DKIM signature"; its words go on in the lines below.
_RULE = re.compile(r"^ *(-?\d+(?:\.\d+)?) +([A-Z][A-Z0-9_]+) +(.*)$")


def ask(judge: SpamFilter, content: bytes, timeout_s: float) -> Score:
    """The score and the rules of the report. Raises OSError and ValueError."""
    request = f"REPORT SPAMC/1.5\r\nContent-length: {len(content)}\r\n\r\n".encode()
    with _connected(judge, timeout_s) as line:
        line.sendall(request + content)
        line.shutdown(socket.SHUT_WR)
        answer = _all_of(line)
    head, _, report = answer.decode("utf-8", "replace").partition("\r\n\r\n")
    status = _STATUS.match(head)
    if status is None or status[1] != "0":
        raise ValueError(head[:80])
    sums = _SPAM.search(head)
    if sums is None:
        raise ValueError("no score in it")
    return Score(float(sums[1]), float(sums[2]), by_cost(_rules(report)))


def _connected(judge: SpamFilter, timeout_s: float) -> socket.socket:
    if not judge.path:
        return socket.create_connection((judge.host, judge.port), timeout=timeout_s)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.settimeout(timeout_s)
        line.connect(judge.path)
    except OSError:
        line.close()
        raise
    return line


def _all_of(line: socket.socket) -> bytes:
    heard = bytearray()
    while more := line.recv(65_536):
        heard += more
        if len(heard) > MOST_BYTES:
            raise ValueError("an answer without end")
    return bytes(heard)


def _rules(report: str) -> list[SpamRule]:
    """The table of the report, which begins below a line of dashes."""
    rules: list[SpamRule] = []
    for line in report.partition("\n----")[2].splitlines()[1:]:
        if row := _RULE.match(line):
            rules.append(SpamRule(row[2], float(row[1]), row[3].strip()))
        elif rules and line.startswith("      "):
            last = rules.pop()
            rules.append(SpamRule(last.name, last.points, f"{last.words} {line.strip()}"))
    return rules
