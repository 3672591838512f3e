"""send: nothing leaves before a person, or a flag, has said how many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import click

from newsletter.audience.tokens import load_keys
from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.cli.consent import Consent, expected
from newsletter.cli.delivering import GRACE, Delivering
from newsletter.cli.dry_run import DryRun, people, written_out
from newsletter.cli.findings import label, note_what_is_newer, warn
from newsletter.cli.judging import check_before_sending, refuse_errors
from newsletter.cli.naming import issue_argument, relay_option
from newsletter.cli.steering import GoOn, resume
from newsletter.cli.typed import Share, moment, share, span
from newsletter.compose.sent_pictures import keep
from newsletter.composed import Composed, ready
from newsletter.credentials import example_left, load_pool, load_relay_for, refuse_author
from newsletter.delivery.origin import origin_of
from newsletter.delivery.publish import Publication, check_not_sent, publish
from newsletter.errors import ComposeError, MailRefused, SendRefused, UsageError
from newsletter.mime import stencil
from newsletter.model import Article, Problem, Relay, Send, SendState
from newsletter.shelf import Shelf
from newsletter.store import Audience, Store


@click.command("send")
@issue_argument
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be sent, send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask (use --expect with it).")
@click.option(
    "--expect", type=expected, metavar="N|A..B", help="Refuse an audience of another size."
)
@click.option("--tag", help="Only to subscribers with this tag.")
@click.option("--only-new", is_flag=True, help="Only to people who have not got this issue yet.")
@click.option("--limit", type=click.IntRange(min=1), help="To no more than so many people.")
@click.option("--canary", type=share, metavar="1%|N", help="To a sample first; then watch, go on.")
@click.option("--at", "when", metavar="TIME", help="Later: a date, 18:30, +2h (needs the worker).")
@click.option("--undo", type=span, metavar="10s", help="Wait before the first mail leaves.")
@click.option("--resume", "go_on", is_flag=True, help="Go on with an interrupted send.")
@relay_option
@json_option
@click.pass_obj
def send_command(
    desk: Desk,
    name: str,
    dry_run: bool,
    yes: bool,
    expect: range | None,
    tag: str | None,
    only_new: bool,
    limit: int | None,
    canary: Share | None,
    when: str | None,
    undo: timedelta | None,
    go_on: bool,
    relay_name: str | None,
    as_json: bool,
) -> None:
    """Send ISSUE to the subscribers: freeze it, write the ledger, deliver, say who got it.

    Ctrl-C finishes the mails in flight and stops; `newsletter resume ISSUE` goes on, and nobody
    gets it twice.
    """
    if go_on:
        another = any((dry_run, expect, tag, only_new, limit, canary, when))
        _refuse_another_audience(name, another)
        resume(desk, name, GoOn(relay_name, None, as_json))
        return
    _refuse_undo_of_later(name, undo, when)
    relay = load_relay_for(desk.config, desk.environ, name=relay_name, tag=tag)
    refuse_author(desk.config, relay.name, desk.letter.sender.address)
    wanted = Wanted(
        audience=Audience(tag=tag, only_new=only_new, limit=limit, local=relay.local),
        canary=canary,
        at=moment(when, desk.now(), desk.letter.timezone) if when else None,
        relay=relay,
    )
    with desk.asked_store() if dry_run else desk.open_store() as store:
        plan = _plan(desk, store, name, wanted)
        warn(plan.problems)
        if dry_run:
            plan = _with_refusal(plan, store)
            answer(plan.facts(), as_json=as_json, text=plan.text())
            return
        _agreed(desk, store, plan, Consent(yes=yes, expect=expect))
        send = publish(store, _alone(plan.publication, desk.now(), undo), desk.now())
        if send.state is SendState.PREPARING:
            _say_when(desk, send, as_json=as_json)
        else:
            Delivering(desk, store, as_json=as_json).run(send, wanted.relay, undo)


def _refuse_undo_of_later(name: str, undo: timedelta | None, when: str | None) -> None:
    if undo and when:
        raise UsageError(
            "--undo is for a send that leaves now",
            hint=f"one for later is taken back until then: newsletter cancel {name}",
        )


def _agreed(desk: Desk, store: Store, plan: DryRun, consent: Consent) -> None:
    """Raise, unless the send is sound, everything is ready for it, and somebody agrees to it."""
    _checked(plan, store)
    _refuse_unready(desk, plan.relay)
    _ask(plan, consent)
    keep(plan.publication.email.html, plan.shelf.letter)


def _alone(publication: Publication, now: datetime, undo: timedelta | None) -> Publication:
    """The same, left to this process while it can be taken back."""
    return replace(publication, undo_until=now + undo + GRACE) if undo else publication


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for besides the issue."""

    audience: Audience
    canary: Share | None
    at: datetime | None
    relay: Relay


def _plan(desk: Desk, store: Store, name: str, wanted: Wanted) -> DryRun:
    """The send that is asked for, with what is found wrong with the issue."""
    shelf = desk.shelf()
    article = shelf.find(name)
    note_what_is_newer(shelf, article, name)
    composed = shelf.compose(article)
    count = store.head_count(article.slug, wanted.audience)
    publication = Publication(
        email=composed.email,
        origin=origin_of(desk.config.root),
        letterhead=desk.letter.letterhead,
        relay=wanted.relay.name,
        audience=wanted.audience,
        agreed=count.recipients,
        canary=wanted.canary.of(count.recipients) if wanted.canary else 0,
        not_before=wanted.at,
    )
    found = _found(desk, shelf, article, composed)
    return DryRun(shelf, article, publication, wanted.relay, count, found, composed)


def _ask(plan: DryRun, consent: Consent) -> None:
    """Raise SendRefused, or UsageError, unless somebody agrees to that many people."""
    publication, count = plan.publication, plan.count.recipients
    when = (
        f" at {written_out(at, plan.shelf.letter.timezone)}"
        if (at := publication.not_before)
        else ""
    )
    question = f"{label(plan.article)} -> {people(count)} by {_way(plan.relay)}{when}."
    if count:
        consent.check(count, question)


def _way(relay: Relay) -> str:
    return f"{relay.name}, which is {relay.place}" if relay.local else relay.name


def _say_when(desk: Desk, send: Send, *, as_json: bool) -> None:
    at = send.not_before or desk.now()
    facts = {
        "command": "send",
        "issue": send.slug,
        "state": send.state.value,
        "at": at.isoformat(),
        "exit": 0,
    }
    text = (
        f"scheduled {send.slug} for {written_out(at, desk.letter.timezone)}, frozen as it is now\n"
        f"  it leaves when this runs then:  newsletter worker    (or newsletter tick, from cron)\n"
        f"  take it back:  newsletter cancel {send.slug}"
    )
    answer(facts, as_json=as_json, text=text)


def _refuse_another_audience(name: str, asked: bool) -> None:
    if asked:
        raise UsageError(
            "--resume goes on with the audience that was frozen: only --relay goes with it",
            hint=f"what is left: newsletter status {name}",
        )


def _refuse_unready(desk: Desk, relay: Relay) -> None:
    """Raise SendRefused for an example in the configuration, ConfigError for keys that cannot be
    read: both before anything is frozen."""
    load_keys(desk.state, desk.environ)
    pool = load_pool(desk.config, relay, desk.environ)
    if left := next(filter(None, (example_left(desk.letter, each) for each in pool)), ""):
        raise SendRefused(
            f"{left}: nothing was sent",
            hint="set it in the configuration, and look: newsletter doctor",
            code="send.example",
        )


def _found(desk: Desk, shelf: Shelf, article: Article, composed: Composed) -> tuple[Problem, ...]:
    """What the checks find; what composing found when no mail can be made, which `_checked`
    refuses in its own words."""
    try:
        return check_before_sending(desk, shelf, article, composed)
    except MailRefused:
        return composed.problems


def _with_refusal(plan: DryRun, store: Store) -> DryRun:
    """The plan as `send` would find it: an earlier send's bytes, or the reason to refuse."""
    try:
        return _checked(plan, store)
    except (SendRefused, ComposeError, MailRefused) as refusal:
        return replace(plan, refusal=refusal)


def _checked(plan: DryRun, store: Store) -> DryRun:
    """The plan with the bytes that would leave: late readers get those the first ones got.
    Raises SendRefused, ComposeError or MailRefused when the issue must not be sent."""
    _check_sendable(plan.article, plan.shelf, plan.publication.not_before)
    earlier = check_not_sent(store, plan.article.slug, plan.publication.audience)
    ready(plan.composed)
    # A send is frozen for good: what no mail can be made of must not be.
    stencil(plan.composed.email, plan.shelf.letter, plan.shelf.now)
    if earlier is None:  # else the frozen mail goes out, as it was checked then
        refuse_errors(plan.problems, plan.article)
    return replace(plan, publication=plan.publication.after(earlier))


def _check_sendable(article: Article, shelf: Shelf, at: datetime | None) -> None:
    if article.draft:
        raise SendRefused(
            f'"{article.title}" is a draft',
            path=article.path,
            hint="remove `draft: true` from its front matter",
            code="send.draft",
        )
    if article.date and article.date > (at or shelf.now):
        local = article.date.astimezone(shelf.letter.timezone)
        raise SendRefused(
            f'"{article.title}" is dated {local:%d %b %Y %H:%M}, which is still to come',
            path=article.path,
            hint=f"send it then, with --at {local:%Y-%m-%dT%H:%M}, or change its date",
            code="send.future",
        )
