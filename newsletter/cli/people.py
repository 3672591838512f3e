"""subscribers: add, show, list, import, export, unsubscribe, tag, stats."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from newsletter.audience.addresses import parse_address
from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.errors import AudienceError, UsageError
from newsletter.model import NewSubscriber, Subscriber, SubscriberStatus

STATUSES = click.Choice([status.value for status in SubscriberStatus])


@click.group("subscribers", context_settings={"help_option_names": ["-h", "--help"]})
def subscribers_command() -> None:
    """The people who read the letter.

    They live in the database in .newsletter/, never in git. Issues go to active people only.
    """


def as_json_row(person: Subscriber) -> dict[str, object]:
    """The person as `--json` prints them."""
    return {
        "id": person.id,
        "address": person.address,
        "name": person.name,
        "status": person.status.value,
        "reason": person.reason,
        "consent_source": person.consent_source,
        "consent_at": person.consent_at.isoformat() if person.consent_at else None,
        "created_at": person.created_at.isoformat(),
        "tags": list(person.tags),
        "fields": dict(person.fields),
    }


def _field(pairs: tuple[str, ...]) -> dict[str, str]:
    fields = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"{pair!r} is not KEY=VALUE", hint="such as --field city=Lindenford")
        fields[key] = value
    return fields


@subscribers_command.command("add")
@click.argument("address")
@click.option("--name", default="", help="Full name.")
@click.option("--tag", "tags", multiple=True, help="A tag (repeatable).")
@click.option("--field", "pairs", multiple=True, metavar="KEY=VALUE", help="A free attribute.")
@click.option(
    "--consent", default="entered by hand", show_default=True, help="Where consent came from."
)
@click.option("--status", type=STATUSES, default="active", show_default=True)
@json_option
@click.pass_obj
def add(
    desk: Desk,
    address: str,
    name: str,
    tags: tuple[str, ...],
    pairs: tuple[str, ...],
    consent: str,
    status: str,
    as_json: bool,
) -> None:
    """Write down one person who asked for the letter."""
    now = desk.now()
    person = NewSubscriber(
        address=parse_address(address),
        name=_one_line(name),
        status=SubscriberStatus(status),
        consent_source=consent,
        consent_at=now,
        tags=tags,
        fields=_field(pairs),
    )
    with desk.open_store() as store:
        added = store.add(person, now)
    answer(
        {"command": "subscribers add", "subscriber": as_json_row(added)},
        as_json=as_json,
        text=f"added {added.address} ({added.status.value})",
    )


def _one_line(name: str) -> str:
    if not name.isprintable():
        raise AudienceError("a name is one line of printable characters")
    return name.strip()


@subscribers_command.command("show")
@click.argument("address")
@json_option
@click.pass_obj
def show(desk: Desk, address: str, as_json: bool) -> None:
    """Show one person: status, consent, tags, fields."""
    with desk.asked_store() as store:
        person = store.subscriber(parse_address(address))
    if person is None:
        raise AudienceError(f"no subscriber has the address {address}")
    row = as_json_row(person)
    text = "\n".join(f"{key:<15} {_shown(value)}" for key, value in row.items())
    answer({"command": "subscribers show", "subscriber": row}, as_json=as_json, text=text)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}={field}" for key, field in value.items()) or "-"
    return "-" if value in (None, "") else str(value)


@subscribers_command.command("list")
@click.option("--status", type=STATUSES, help="Only people of this status.")
@click.option("--tag", help="Only people with this tag.")
@json_option
@click.pass_obj
def list_people(desk: Desk, status: str | None, tag: str | None, as_json: bool) -> None:
    """List people in the order of arrival."""
    wanted = SubscriberStatus(status) if status else None
    with desk.asked_store() as store:
        people = store.subscribers(status=wanted, tag=tag)
        if as_json:
            rows = [as_json_row(person) for person in people]
            answer({"command": "subscribers list", "subscribers": rows}, as_json=True)
            return
        for person in people:
            tags = f"  [{', '.join(person.tags)}]" if person.tags else ""
            text = f"{person.status.value:<13} {person.address}  {person.name}{tags}"
            answer({}, as_json=False, text=text.rstrip())


@subscribers_command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("-n", "--dry-run", is_flag=True, help="Count everything, write nothing.")
@click.option("--tag", "tags", multiple=True, help="Tag everybody in the file (repeatable).")
@click.option("--consent", help="Where consent came from (default: the file and its hash).")
@click.option("--status", type=STATUSES, help="Status of everybody in a file without that column.")
@json_option
@click.pass_obj
def import_command(
    desk: Desk,
    file: Path,
    dry_run: bool,
    tags: tuple[str, ...],
    consent: str | None,
    status: str | None,
    as_json: bool,
) -> None:
    """Import people from a CSV file with a header row.

    A bad row fails alone and is written to a report with its line number; an unknown status stops
    the import before anything is written. An import never moves anybody up: who unsubscribed here
    stays unsubscribed.
    """
    from newsletter.cli.importing import Wish, run_import  # noqa: PLC0415

    wish = Wish(dry_run=dry_run, tags=tags, consent=consent, status=status)
    run_import(desk, file, wish, as_json=as_json)


@subscribers_command.command("export")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File (default: stdout)."
)
@click.option("--status", type=STATUSES, help="Only people of this status.")
@click.option("--tag", help="Only people with this tag.")
@json_option
@click.pass_obj
def export(
    desk: Desk, out: Path | None, status: str | None, tag: str | None, as_json: bool
) -> None:
    """Write people as CSV that a spreadsheet opens safely and `import` reads back."""
    from newsletter.audience.exports import export_csv  # noqa: PLC0415

    if as_json and out is None:
        raise UsageError(
            "--json wants --out FILE here", hint="or: newsletter subscribers list --json"
        )
    wanted = SubscriberStatus(status) if status else None
    with desk.asked_store() as store:
        people = store.subscribers(status=wanted, tag=tag)
        if out is None:
            export_csv(people, sys.stdout)
            return
        out.touch(mode=0o600)
        out.chmod(0o600)
        with out.open("w", encoding="utf-8", newline="") as file:
            count = export_csv(people, file)
    answer(
        {"command": "subscribers export", "file": str(out), "count": count},
        as_json=as_json,
        text=f"wrote {count} people to {out}",
    )


@subscribers_command.command("unsubscribe")
@click.argument("address", metavar="ADDRESS|TOKEN")
@click.option("--reason", default="asked by hand", show_default=True)
@json_option
@click.pass_obj
def unsubscribe(desk: Desk, address: str, reason: str, as_json: bool) -> None:
    """Unsubscribe a person, at once, also in the middle of a running send.

    TOKEN is the part after `unsubscribe+` of a mail that came to the List-Unsubscribe address.
    """
    from newsletter.audience.tokens import read_unsubscribe_token  # noqa: PLC0415

    with desk.open_store() as store:
        if "@" not in address:
            number = read_unsubscribe_token(desk.keys, address)
            found = store.subscriber_with_id(number) if number is not None else None
            if found is None:
                raise AudienceError("that token belongs to nobody here")
            address = found.address
        person = store.unsubscribe(parse_address(address), reason, desk.now())
    answer(
        {"command": "subscribers unsubscribe", "subscriber": as_json_row(person)},
        as_json=as_json,
        text=f"{person.address} is {person.status.value}",
    )


@subscribers_command.command("resubscribe")
@click.argument("address")
@click.option(
    "--consent", required=True, help='How they asked for it, such as "by phone, 23 Nov 2026".'
)
@json_option
@click.pass_obj
def resubscribe(desk: Desk, address: str, consent: str, as_json: bool) -> None:
    """Take somebody back who had left and has asked to get the letter again.

    Not for an import: only the person's own wish undoes an unsubscribe.
    """
    with desk.open_store() as store:
        person = store.resubscribe(parse_address(address), consent, desk.now())
    text = f"{person.address} is {person.status.value}"
    facts = {"command": "subscribers resubscribe", "subscriber": as_json_row(person)}
    answer(facts, as_json=as_json, text=text)


@subscribers_command.command("tag")
@click.argument("address")
@click.option("--add", "added", multiple=True, metavar="TAG")
@click.option("--remove", "removed", multiple=True, metavar="TAG")
@json_option
@click.pass_obj
def tag_person(
    desk: Desk, address: str, added: tuple[str, ...], removed: tuple[str, ...], as_json: bool
) -> None:
    """Add tags to a person, or remove them."""
    if not added and not removed:
        raise UsageError("nothing to do", hint="--add TAG or --remove TAG")
    with desk.open_store() as store:
        person = store.tag(parse_address(address), add=added, remove=removed)
    answer(
        {"command": "subscribers tag", "subscriber": as_json_row(person)},
        as_json=as_json,
        text=f"{person.address}: {', '.join(person.tags) or 'no tags'}",
    )


@subscribers_command.command("stats")
@json_option
@click.pass_obj
def stats(desk: Desk, as_json: bool) -> None:
    """Count people by status and tag."""
    with desk.asked_store() as store:
        census, tags = store.census(), store.tags()
    facts = {
        "command": "subscribers stats",
        "total": sum(census.values()),
        **{status.value: census[status] for status in SubscriberStatus},
        "tags": dict(tags),
    }
    lines = [f"{status.value:<13} {census[status]:,}" for status in SubscriberStatus]
    lines += [f"tag {tag:<9} {count:,}" for tag, count in sorted(tags.items())]
    answer(facts, as_json=as_json, text="\n".join(lines))
    if not census[SubscriberStatus.ACTIVE]:
        note("nobody is active yet: newsletter subscribers add ada@example.com, or import FILE.csv")
