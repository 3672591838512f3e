"""Microseconds per filled mail, against EmailMessage building the same mail.

    python -m tests.bench.mime_fill [MAILS]        (from the checkout)

Both sides write the same two parts with the same ten slots to readers who all differ; the ratio is
what counts, not the machine. The best of five rounds is shown.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from hashlib import sha256
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.mime import Stencil, fill, finish, stencil
from newsletter.mime.dkim_keys import make_key
from newsletter.model import (
    DkimKey,
    Email,
    InlinePicture,
    Letter,
    Mail,
    Mailbox,
    Recipient,
    Relay,
    Slot,
)
from newsletter.slots import fill_slots

ROUNDS = 5
PICTURE_BYTES = 150_000
NAMES = ("Ada", "Grace", "Jürgen", "Zoë", "Linus", "Łukasz", "Mary Ann", "Иван", "Ken", "")

LETTER = Letter(
    root=Path(),
    name="Example Letter",
    base_url="https://news.example.org",
    language="en",
    timezone=ZoneInfo("UTC"),
    issues=Path("issues"),
    templates=Path("templates"),
    sender=Mailbox("Example Letter", "letter@news.example.org"),
    reply_to=Mailbox("", "editor@news.example.org"),
    postal_address="1 Example Street",
    list_id="letter.news.example.org",
    permalink="/{slug}/",
    fields=("first_name",),
)
DATE = datetime(2026, 11, 22, 10, tzinfo=UTC)
NAME, ADDRESS, LEAVE = Slot("first_name", "friend"), Slot("address"), Slot("unsubscribe_url")


def email() -> Email:
    """Some 47 kB with ten slots: four in the text, six in the HTML."""
    prose = "Warm hands, a quiet café room and, with luck, half an hour “off”. " * 6
    n, a, u = NAME.token, ADDRESS.token, LEAVE.token
    paragraphs = "".join(f'<p style="margin:0 0 16px">{prose}</p>\n' for _ in range(80))
    return Email(
        slug="2026-11-22-sleep",
        subject="Sleep, and what helps",
        preheader="",
        html=f"<!DOCTYPE html>\n<html><body><div>{n}, read on</div><p>Dear {n},</p>\n{paragraphs}"
        f'<p>See you soon, {n}.</p><p>Sent to {a}. <a href="{u}">Unsubscribe</a> {u}</p>\n'
        "</body></html>\n",
        text=f"Dear {n},\n\n{(prose + chr(10)) * 20}\nSee you soon, {n}.\nSent to {a}.\n{u}\n",
        url="https://news.example.org/sleep/",
        slots=(NAME, ADDRESS, LEAVE),
    )


def picture() -> InlinePicture:
    """A photograph of the usual weight, by the look of its bytes."""
    content = random.Random(1).randbytes(PICTURE_BYTES)
    digest = sha256(content).hexdigest()
    return InlinePicture(
        cid=f"{digest[:24]}@news.example.org",
        name="photograph.jpg",
        media_type="image/jpeg",
        digest=digest,
        url=f"https://news.example.org/media/photograph.{digest[:12]}.jpg",
        content=content,
    )


def reader(number: int) -> Recipient:
    first = NAMES[number % len(NAMES)]
    token = f"{number:032d}"
    return Recipient(
        address=f"reader{number}@example.net",
        name=f"{first} Example {number}",
        message_id=f"sleep.{number:016x}@news.example.org",
        mail_from="letter@news.example.org",
        unsubscribe_url=f"https://news.example.org/u/{token}",
        unsubscribe_mailto=f"mailto:unsubscribe+{token}@news.example.org?subject=unsubscribe",
        values={"first_name": first},
    )


def with_email_message(letter: Email, to: Recipient) -> bytes:
    """The same mail as the standard library would be asked for it."""
    values = {**to.values, "address": to.address, "unsubscribe_url": to.unsubscribe_url}
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = f"{LETTER.sender.name} <{LETTER.sender.address}>"
    message["To"] = f"{to.name} <{to.address}>"
    message["Reply-To"] = "editor@news.example.org"
    message["Subject"] = letter.subject
    message["Date"] = DATE
    message["Message-ID"] = f"<{to.message_id}>"
    message["List-ID"] = "Example Letter <letter.news.example.org>"
    message["List-Unsubscribe"] = f"<{to.unsubscribe_url}>, <{to.unsubscribe_mailto}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Precedence"] = "bulk"
    message.set_content(fill_slots(letter.text, letter.slots, values), cte="quoted-printable")
    html = fill_slots(letter.html, letter.slots, values, escape)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def microseconds(write: Callable[[Recipient], object], readers: list[Recipient]) -> float:
    """Per mail, in the best of a few rounds."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for to in readers:
            write(to)
        rounds.append(time.perf_counter() - start)
    return min(rounds) / len(readers) * 1e6


def signing_keys() -> dict[str, tuple[DkimKey, ...]]:
    rsa, edwards = (
        DkimKey(domain="news.example.org", selector=name, pem=make_key(ed25519=name == "e"))
        for name in ("r", "e")
    )
    return {"RSA-2048": (rsa,), "Ed25519": (edwards,), "both": (rsa, edwards)}


def signing(mail: Mail, keys: tuple[DkimKey, ...]) -> float:
    """Microseconds per mail, with the keys loaded once."""
    ready = finish(Relay(name="main", kind="smtp", dkim=keys), "sleep", DATE)
    return microseconds(lambda _: ready(mail), [reader(1)] * 1000)


def main(mails: int) -> None:
    letter = email()
    start = time.perf_counter()
    cut: Stencil = stencil(letter, LETTER, DATE)
    once = (time.perf_counter() - start) * 1e3
    readers = [reader(number) for number in range(mails)]
    ours = microseconds(lambda to: fill(cut, to).content, readers)
    theirs = microseconds(
        lambda to: with_email_message(letter, to), readers[: max(1, mails // 400)]
    )
    size = len(fill(cut, readers[0]).content)
    print(f"mail {size} bytes, {len(cut.order) - 4} slots; stencil once {once:.1f} ms")
    print(f"fill {ours:.1f} us   EmailMessage {theirs:.0f} us   ratio {theirs / ours:.0f}")
    heavy = stencil(replace(letter, pictures=(picture(),)), LETTER, DATE)
    carried = microseconds(lambda to: fill(heavy, to).content, readers[: max(1, mails // 10)])
    print(f"fill with a picture of {PICTURE_BYTES // 1000} kB inside {carried:.1f} us")
    for what, keys in signing_keys().items():
        print(f"sign with {what} {signing(fill(cut, readers[0]), keys):.0f} us")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
