"""Names that only we can give: unsubscribe tokens, Message-IDs, bounce addresses.

Keys and numbers enter; short ASCII texts leave, the same ones for the same input for ever, so that
a retried mail is byte-identical (deliverability 2). Every MAC is bound to its purpose: a token made
for one door opens no other (deliverability 7.11). It knows no store: a number that reads back
proves that we wrote it down once, not that the person still exists.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from newsletter.errors import ConfigError

KEY_VARIABLE = "NEWSLETTER_KEY"
KEY_FILE = "key"

_KEY = re.compile(r"(?:[0-9A-Fa-f]{2}){16,}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_VERP = re.compile(r"b\+([a-z2-7]{26})", re.IGNORECASE)
_NOT_ATEXT = re.compile(r"[^A-Za-z0-9_-]+")
_SLUG_LIMIT = 40
# RFC 2104 2, for SHA-256.
_BLOCK_BYTES = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


@dataclass(frozen=True, slots=True)
class Keys:
    """The signing keys, newest first: the first one writes, every one reads (deliverability
    7.46: a link of sixty days ago must still unsubscribe after a rotation)."""

    keys: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.keys or not all(self.keys):
            raise ConfigError("there is no signing key", hint=_how_to_make_one())

    @property
    def newest(self) -> bytes:
        return self.keys[0]


class BounceName(NamedTuple):
    """Whom and which send a bounce address stands for."""

    subscriber_id: int
    send_id: int


def unsubscribe_token(keys: Keys, subscriber_id: int) -> str:
    """32 URL-safe characters: the subscriber's number and a 128-bit MAC.

    Short enough that the List-Unsubscribe URL stays below 76 columns (deliverability 0.1).
    """
    return unsubscribe_tokens(keys, (subscriber_id,))[0]


def unsubscribe_tokens(keys: Keys, subscriber_ids: Sequence[int]) -> list[str]:
    """`unsubscribe_token` of each."""
    return _unsubscribe_tokens(keys.newest, subscriber_ids)


def read_unsubscribe_token(keys: Keys, token: str) -> int | None:
    """The subscriber's number, or None when no key of ours wrote this token. Constant time."""
    if _TOKEN.fullmatch(token) is None:
        return None
    subscriber_id = int.from_bytes(base64.urlsafe_b64decode(token)[:8], "big")
    written = [_unsubscribe_tokens(key, (subscriber_id,))[0] for key in keys.keys]
    return subscriber_id if _is_one_of(token, written) else None


def message_id(keys: Keys, slug: str, subscriber_id: int, domain: str) -> str:
    """The Message-ID without its angle brackets: `slug.mac@domain` (RFC 5322 3.6.4).

    Equal on every retry and different for each person, since Gmail throttles a repeated one
    (deliverability 0.4). The slug is shown as far as it is a dot-atom; the MAC covers all of it.
    """
    return message_ids(keys, slug, domain)((subscriber_id,))[0]


def message_ids(keys: Keys, slug: str, domain: str) -> Callable[[Sequence[int]], list[str]]:
    """What gives the `message_id` of each of many subscribers."""
    shown = _NOT_ATEXT.sub("-", slug)[:_SLUG_LIMIT].strip("-") or "issue"
    macs = _macs(keys.newest, b"message-id", f"{domain}\0{slug}\0".encode())

    def each(subscriber_ids: Sequence[int]) -> list[str]:
        spoken = [b"%d" % subscriber_id for subscriber_id in subscriber_ids]
        return [f"{shown}.{mac.hex()[:16]}@{domain}" for mac in macs(spoken)]

    return each


def verp(keys: Keys, subscriber_id: int, send_id: int) -> str:
    """The local part of the envelope sender: 28 characters whose case does not matter, since some
    relays change it (deliverability 2)."""
    return _verp(keys.newest, BounceName(subscriber_id, send_id))


def read_verp(keys: Keys, local_part: str) -> BounceName | None:
    """Whom a bounce is about, or None when no key of ours wrote this local part: a forged bounce
    suppresses nobody (deliverability 7.18)."""
    match = _VERP.fullmatch(local_part)
    if match is None:
        return None
    packed = base64.b32decode(match[1].upper() + "======")
    name = BounceName(int.from_bytes(packed[:5], "big"), int.from_bytes(packed[5:8], "big"))
    written = [_verp(key, name) for key in keys.keys]
    return name if _is_one_of(local_part.lower(), written) else None


def load_keys(folder: Path, environ: Mapping[str, str]) -> Keys:
    """The keys in NEWSLETTER_KEY (comma separated), else in `folder/key` (one a line), made on
    first use with mode 0600. Both newest first, in hex. Raises ConfigError."""
    if KEY_VARIABLE in environ:
        return _parsed(environ[KEY_VARIABLE].split(","), where=None)
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _make_key_file(path)
        _refuse_if_shared(path)
        lines = path.read_text(encoding="ascii", errors="replace").split()
    except OSError as error:
        raise ConfigError(
            f"the signing key cannot be read or made: {error.strerror}", path=path
        ) from error
    return _parsed(lines, where=path)


@lru_cache(maxsize=64)
def _macs(
    key: bytes, purpose: bytes, head: bytes = b""
) -> Callable[[Iterable[bytes]], list[bytes]]:
    """The HMAC-SHA-256 (RFC 2104) of each message, behind `head`. What is the same for all of them
    is hashed once; `hmac.HMAC.copy` does it too, in twice the time."""
    block = (key if len(key) <= _BLOCK_BYTES else sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
    inner = sha256(block.translate(_INNER) + b"newsletter/" + purpose + b"\0" + head).copy
    outer = sha256(block.translate(_OUTER)).copy

    def each(messages: Iterable[bytes]) -> list[bytes]:
        macs = []
        for message in messages:
            within, around = inner(), outer()
            within.update(message)
            around.update(within.digest())
            macs.append(around.digest())
        return macs

    return each


def _unsubscribe_tokens(key: bytes, subscriber_ids: Sequence[int]) -> list[str]:
    numbers = [subscriber_id.to_bytes(8, "big") for subscriber_id in subscriber_ids]
    return [
        binascii.b2a_base64(number + mac[:16], newline=False).translate(_URL_SAFE).decode()
        for number, mac in zip(numbers, _macs(key, b"unsubscribe")(numbers), strict=True)
    ]


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _verp(key: bytes, name: BounceName) -> str:
    packed = name.subscriber_id.to_bytes(5, "big") + name.send_id.to_bytes(3, "big")
    sealed = packed + _macs(key, b"verp")((packed,))[0][:8]
    return "b+" + base64.b32encode(sealed).decode().rstrip("=").lower()


def _is_one_of(text: str, written: list[str]) -> bool:
    """Whether `text` is among `written`; looks at all of them, whatever it finds."""
    matches = [hmac.compare_digest(text, each) for each in written]
    return any(matches)


def _parsed(texts: list[str], *, where: Path | None) -> Keys:
    keys = [text.strip() for text in texts]
    if not keys or any(_KEY.fullmatch(key) is None for key in keys):
        raise ConfigError(
            f"{KEY_VARIABLE if where is None else 'the file'} does not hold signing keys",
            path=where,
            hint=_how_to_make_one(),
        )
    return Keys(tuple(bytes.fromhex(key) for key in keys))


def _make_key_file(path: Path) -> None:
    """Appears whole or not at all, and never over an existing key: two first runs at the same
    moment end up with one key between them."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600.
    handle, draft = tempfile.mkstemp(prefix="key-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        Path(draft).unlink()


def _refuse_if_shared(path: Path) -> None:
    # Windows has no such bits: st_mode there is made up.
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(
            "the signing key is readable by other users of this machine",
            path=path,
            hint=f"chmod 600 {path}  (and make a new key if somebody may have read it)",
        )


def _how_to_make_one() -> str:
    return (
        "a key is at least 32 hexadecimal digits; make one with: "
        "python3 -c 'import secrets; print(secrets.token_hex(32))'"
    )
