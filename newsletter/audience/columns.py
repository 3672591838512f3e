"""What the columns of a subscriber file mean: exact words, nothing guessed.

A header row enters, a Header leaves: which column is the address, the name, the status, and which
are fields. A status is found in a table of whole words or it is unknown: `inactive` contains
`active`, and a guess would write to people who left (platforms 5.3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from newsletter.audience.cells import VERBATIM, field_of, restored
from newsletter.errors import ImportRefused
from newsletter.model import SubscriberStatus

# The best alias first. Two columns of the first row of a role are a contradiction; a weaker alias
# beside a stronger one (a postal "Address" beside "Email Address") is a field.
ROLES: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "address": (
            ("email", "e-mail", "email address", "e-mail address", "email_address"),
            ("address",),
            ("subscriber",),
        ),
        "name": (("name", "full name", "full_name"),),
        "status": (("status",),),
        "reason": (("reason",),),
        "consent_source": (("consent_source", "consent source"), ("source",)),
        "consent_at": (
            ("consent_at", "consent at"),
            ("confirm_time", "confirmed_at", "confirmed at"),
            ("optin_time", "opted_in_at"),
            ("subscribed_at", "subscribed at", "date subscribed", "subscription_date"),
        ),
        "created_at": (("created_at", "created at", "created", "date added"),),
        "tags": (("tags", "labels"), ("tag",)),
    }
)
FIRST_NAME = ("first name", "first_name", "firstname", "vorname", "prénom", "nombre")
LAST_NAME = ("last name", "last_name", "lastname", "nachname", "nom", "apellido")
# Columns that tell who left in files without a status: to ignore them would write to those people.
WHO_LEFT = frozenset(
    {
        "clean_time",
        "deleted_at",
        "email_disabled",
        "subscribed_to_emails",
        "subscriber_type",
        "unsub_time",
        "unsubscribed_at",
        "unsubscription_date",
    }
)

ACTIVE, PENDING = SubscriberStatus.ACTIVE, SubscriberStatus.PENDING
UNSUBSCRIBED, SUPPRESSED = SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.SUPPRESSED
STATUSES: Mapping[str, tuple[SubscriberStatus, str]] = MappingProxyType(
    {
        "active": (ACTIVE, ""),
        "subscribed": (ACTIVE, ""),
        "enabled": (ACTIVE, ""),
        "confirmed": (ACTIVE, ""),
        "pending": (PENDING, ""),
        "unconfirmed": (PENDING, ""),
        "unactivated": (PENDING, ""),
        "unsubscribed": (UNSUBSCRIBED, "import"),
        "cancelled": (UNSUBSCRIBED, "import"),
        "inactive": (UNSUBSCRIBED, "import"),
        "suppressed": (SUPPRESSED, "import"),
        "bounced": (SUPPRESSED, "bounce"),
        "cleaned": (SUPPRESSED, "bounce"),
        "undeliverable": (SUPPRESSED, "bounce"),
        "complained": (SUPPRESSED, "complaint"),
        "blocked": (SUPPRESSED, "blocked"),
        "blocklisted": (SUPPRESSED, "blocklisted"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Which column is what. `roles` maps a role to its columns, the best first; `fields` maps a
    column to the field it fills; `width` is the number of columns."""

    roles: Mapping[str, tuple[int, ...]]
    fields: Mapping[int, str]
    width: int
    tells_who_left: tuple[str, ...] = ()

    def cell(self, row: Sequence[str], role: str) -> str:
        """The best cell of that role that is not blank, restored; "" when there is none."""
        cells = (row[column] for column in self.roles.get(role, ()) if column < len(row))
        return next((value for cell in cells if (value := restored(cell))), "")

    def has(self, role: str) -> bool:
        return role in self.roles


def read_header(cells: Sequence[str]) -> Header:
    """What each column means. Raises ImportRefused for blank or repeated headers and when no
    column is the address."""
    names = [restored(cell) for cell in cells]
    _refuse_blank(names)
    words = ["" if name.startswith(VERBATIM) else _word(name) for name in names]
    roles = {role: found for role in ROLES if (found := _columns(words, role))}
    if "address" not in roles:
        raise ImportRefused(
            f"no column is the address; found: {', '.join(map(_shown, names))}",
            hint='name one column "email", in a header row',
            code="import.no_address",
        )
    fields = _fields(names, roles)
    _refuse_repeated([field for column, field in fields.items() if field])
    left = tuple(name for name, word in zip(names, words, strict=True) if word in WHO_LEFT)
    return Header(roles=roles, fields=fields, width=len(names), tells_who_left=left)


def is_role(name: str) -> bool:
    """Whether a column of that name would be read as something else than a field."""
    word = _word(name)
    if word in FIRST_NAME or word in LAST_NAME:
        return name not in ("first_name", "last_name")
    return word in WHO_LEFT or any(word in group for groups in ROLES.values() for group in groups)


def _word(name: str) -> str:
    return " ".join(name.casefold().split())


def _columns(words: list[str], role: str) -> tuple[int, ...]:
    found: list[int] = []
    for aliases in ROLES[role]:
        columns = [column for column, word in enumerate(words) if word in aliases]
        if len(columns) > 1:
            raise ImportRefused(
                f"several columns are the {role}: " + ", ".join(words[one] for one in columns),
                hint="keep one of them",
                code="import.header",
            )
        found += columns
    # Times and sources fall back cell by cell; for the rest the best column alone counts.
    return tuple(found if role.startswith("consent") else found[:1])


def _fields(names: list[str], roles: Mapping[str, tuple[int, ...]]) -> dict[int, str]:
    taken = {column for columns in roles.values() for column in columns}
    fields = {}
    for column, name in enumerate(names):
        if column in taken:
            continue
        word = _word(name)
        if word in FIRST_NAME or word in LAST_NAME:
            fields[column] = "first_name" if word in FIRST_NAME else "last_name"
        elif word == "address":
            fields[column] = "postal_address"
        else:
            fields[column] = field_of(name) or f"column_{column + 1}"
    return fields


def _refuse_blank(names: list[str]) -> None:
    for column, name in enumerate(names, 1):
        if not name:
            raise ImportRefused(
                f"column {column} has no header", hint="name it or remove it", code="import.header"
            )


def _refuse_repeated(fields: list[str]) -> None:
    twice = [name for name, count in Counter(fields).items() if count > 1]
    if twice:
        raise ImportRefused(
            f"several columns are called {', '.join(map(_shown, twice))}",
            hint="keep one of them",
            code="import.header",
        )


def _shown(name: str) -> str:
    return repr(name[:60])
