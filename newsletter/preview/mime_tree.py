"""The parts of a mail as a list that reads like a tree, with what each weighs.

Enters: the bytes of a mail. Leaves: its parts in order, each with its depth. Decodes no HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

MOST_PARTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MimePart:
    """One part: `encoding` as the header has it, sizes in bytes of what is on the wire and of what
    it stands for."""

    depth: int
    kind: str
    charset: str
    encoding: str
    name: str
    on_the_wire: int
    decoded: int


def parts_of(content: bytes) -> tuple[MimePart, ...]:
    """The parts of the mail, at most 200."""
    message = message_from_bytes(content, policy=policy.SMTP)
    found: list[MimePart] = []
    for depth, part in _walk(message, 0):
        if len(found) == MOST_PARTS:
            break
        found.append(_part(part, depth))
    return tuple(found)


def payload_of(content: bytes, number: int) -> tuple[str, bytes] | None:
    """The name and the decoded bytes of the part at that place of `parts_of`; None when there is
    none, or it holds others."""
    message = message_from_bytes(content, policy=policy.SMTP)
    for place, (_, part) in enumerate(_walk(message, 0)):
        if place == number and not part.is_multipart():
            payload = part.get_payload(decode=True)
            name = part.get_filename() or f"part-{number}.{part.get_content_subtype()}"
            return name, payload if isinstance(payload, bytes) else b""
    return None


def _walk(part: Message, depth: int) -> Iterator[tuple[int, Message]]:
    yield depth, part
    if part.is_multipart() and depth < 10:
        for inner in part.iter_parts() if isinstance(part, EmailMessage) else ():
            yield from _walk(inner, depth + 1)


def _part(part: Message, depth: int) -> MimePart:
    holds_others = part.is_multipart()
    payload = b"" if holds_others else part.get_payload(decode=True)
    raw = part.get_payload()
    return MimePart(
        depth=depth,
        kind=part.get_content_type(),
        charset=part.get_content_charset() or "",
        encoding=str(part.get("Content-Transfer-Encoding", "")),
        name=part.get_filename() or "",
        on_the_wire=len(raw.encode("utf-8", "surrogateescape")) if isinstance(raw, str) else 0,
        decoded=len(payload) if isinstance(payload, bytes) else 0,
    )
