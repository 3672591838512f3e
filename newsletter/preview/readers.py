"""Whose mail the desk shows: the usual invented reader, a subscriber, or a made-up worst case.

Enters: what stands behind `as=` in the URL. Leaves: an Addressee, and those that can be chosen.
Their links are signed by nobody: a click in a preview unsubscribes no one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from newsletter.delivery.addressing import Addressee, name_parts
from newsletter.delivery.specimen import READER
from newsletter.delivery.worst_cases import WorstCase, worst_cases
from newsletter.errors import AddressInvalid, StoreError, UsageError
from newsletter.model import Letter, SubscriberStatus
from newsletter.preview.studio import Studio, Study
from newsletter.slots import value_of

SHOWN = 40


@dataclass(frozen=True, slots=True)
class Filling:
    """What one slot becomes for a reader; `fallback` when it is the slot's own word."""

    slot: str
    value: str
    fallback: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One reader who can be chosen: what to put behind `as=`, and words for people."""

    name: str
    title: str
    invented: bool


def reader_named(studio: Studio, name: str, letter: Letter) -> Addressee:
    """The reader that `as=` names. Raises UsageError when there is none."""
    if not name or name == READER.address:
        return READER
    if case := invented(letter).get(name):
        return case.addressee
    if studio.ledger is not None:
        try:
            with studio.ledger() as store:
                person = store.subscriber(name.lower())
        except AddressInvalid:
            person = None
        if person is not None:
            return Addressee(0, person.address, person.name, person.fields)
    raise UsageError(
        f"nobody among the subscribers has the address {name}",
        hint="choose another on the Reader tab",
        code="desk.reader",
    )


def invented(letter: Letter) -> dict[str, WorstCase]:
    """Readers whom no list should hold and every list does, by name."""
    return {case.name: case for case in worst_cases(letter.fields)}


def choices(studio: Studio, letter: Letter) -> tuple[Choice, ...]:
    """The invented readers, and the first of the active subscribers; none of these when the store
    cannot be asked."""
    made = [Choice(case.name, case.title, True) for case in invented(letter).values()]
    if studio.ledger is None:
        return tuple(made)
    try:
        with studio.ledger() as store:
            people = list(islice(store.subscribers(status=SubscriberStatus.ACTIVE), SHOWN))
    except StoreError:
        people = []
    return (*made, *(Choice(who.address, who.name or who.address, False) for who in people))


def fillings(study: Study, reader: Addressee) -> tuple[Filling, ...]:
    """What the slots of the issue become for the reader."""
    values = {**name_parts(reader.name), **reader.fields, "address": reader.address}
    return tuple(
        Filling(slot.name, value_of(slot, values), not values.get(slot.name, "").strip())
        for slot in study.email.slots
        if slot.name != "unsubscribe_url"
    )
