"""test, send, resume: nothing leaves before a person, or a flag, has said how many."""

from __future__ import annotations

from dataclasses import replace

import click

from newsletter.audience.addresses import parse_address
from newsletter.audience.tokens import load_keys
from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.cli.consent import Consent, expected
from newsletter.cli.delivering import Delivering
from newsletter.cli.dry_run import DryRun, people
from newsletter.cli.findings import label, note_what_is_newer, warn
from newsletter.cli.judging import check_before_sending, refuse_errors
from newsletter.compose.sent_pictures import keep
from newsletter.composed import Composed, ready
from newsletter.credentials import example_left, load_relay
from newsletter.delivery.addressing import Addressee
from newsletter.delivery.origin import origin_of
from newsletter.delivery.proof import Proof, send_proof
from newsletter.delivery.publish import Publication, check_not_sent, publish
from newsletter.errors import (
    AudienceError,
    ComposeError,
    MailRefused,
    NewsletterError,
    RelayRefused,
    SendRefused,
    UsageError,
)
from newsletter.mime import stencil
from newsletter.model import Article, Email, Problem, Relay, Send, SendState
from newsletter.shelf import Shelf
from newsletter.smtp import open_transport
from newsletter.store import Audience, Store

issue_argument = click.argument("name", metavar="ISSUE")
relay_option = click.option("--relay", "relay_name", metavar="NAME", help="Another relay.")


@click.command("send")
@issue_argument
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be sent, send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask (use --expect with it).")
@click.option(
    "--expect", type=expected, metavar="N|A..B", help="Refuse an audience of another size."
)
@click.option("--tag", help="Only to subscribers with this tag.")
@click.option("--only-new", is_flag=True, help="Only to people who have not got this issue yet.")
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
    go_on: bool,
    relay_name: str | None,
    as_json: bool,
) -> None:
    """Send ISSUE to the subscribers: freeze it, write the ledger, deliver, say who got it.

    Ctrl-C finishes the mail in flight and stops; `newsletter resume ISSUE` goes on, and nobody
    gets it twice.
    """
    if go_on:
        _refuse_another_audience(name, any((dry_run, expect, tag, only_new)))
        _resume(desk, name, relay_name, as_json)
        return
    shelf = desk.shelf()
    article = shelf.find(name)
    note_what_is_newer(shelf, article, name)
    relay = load_relay(desk.config, relay_name, desk.environ)
    composed = shelf.compose(article)
    with desk.asked_store() if dry_run else desk.open_store() as store:
        audience = Audience(tag=tag, only_new=only_new)
        count = store.head_count(article.slug, audience)
        publication = Publication(
            email=composed.email,
            origin=origin_of(desk.config.root),
            letterhead=desk.letter.letterhead,
            relay=relay.name,
            audience=audience,
            agreed=count.recipients,
        )
        plan = DryRun(shelf, article, publication, count, _found(desk, shelf, article, composed))
        warn(plan.problems)
        if dry_run:
            plan = _with_refusal(plan, store, composed)
            answer(plan.facts(), as_json=as_json, text=plan.text())
            return
        _checked(plan, store, composed)
        _refuse_unready(desk, relay)
        question = f"{label(article)} -> {people(count.recipients)} by {relay.name}."
        if count.recipients:
            Consent(yes=yes, expect=expect).check(count.recipients, question)
        keep(publication.email.html, shelf.letter)
        send = publish(store, publication, desk.now())
        Delivering(desk, store, as_json=as_json).run(send, relay)


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
    if left := example_left(desk.letter, relay):
        raise SendRefused(
            f"{left}: nothing was sent",
            hint="set it in the configuration, and look: newsletter doctor",
            code="send.example",
        )


def _note_if_changed(desk: Desk, send: Send) -> None:
    """Say that the file is not what is sent any more."""
    try:
        shelf = desk.shelf()
        email = shelf.compose(shelf.find(send.slug)).email
    except NewsletterError:
        return
    if email.content_hash != send.content_hash:
        note("the article has changed since it was frozen: it is sent as it was frozen")


def _found(desk: Desk, shelf: Shelf, article: Article, composed: Composed) -> tuple[Problem, ...]:
    """What the checks find; what composing found when no mail can be made, which `_checked`
    refuses in its own words."""
    try:
        return check_before_sending(desk, shelf, article, composed)
    except MailRefused:
        return composed.problems


def _with_refusal(plan: DryRun, store: Store, composed: Composed) -> DryRun:
    """The plan as `send` would find it: an earlier send's bytes, or the reason to refuse."""
    try:
        return _checked(plan, store, composed)
    except (SendRefused, ComposeError, MailRefused) as refusal:
        return replace(plan, refusal=refusal)


def _checked(plan: DryRun, store: Store, composed: Composed) -> DryRun:
    """The plan with the bytes that would leave: late readers get those the first ones got.
    Raises SendRefused, ComposeError or MailRefused when the issue must not be sent."""
    _check_sendable(plan.article, plan.shelf)
    only_new = plan.publication.audience.only_new
    earlier = check_not_sent(store, plan.article.slug, only_new=only_new)
    ready(composed)
    # A send is frozen for good: what no mail can be made of must not be.
    stencil(composed.email, plan.shelf.letter, plan.shelf.now)
    if earlier is None:  # else the frozen mail goes out, as it was checked then
        refuse_errors(plan.problems, plan.article)
    return replace(plan, publication=plan.publication.after(earlier))


def _check_sendable(article: Article, shelf: Shelf) -> None:
    if article.draft:
        raise SendRefused(
            f'"{article.title}" is a draft',
            path=article.path,
            hint="remove `draft: true` from its front matter",
            code="send.draft",
        )
    if article.date and article.date > shelf.now:
        local = article.date.astimezone(shelf.letter.timezone)
        raise SendRefused(
            f'"{article.title}" is dated {local:%d %b %Y %H:%M}, which is still to come',
            path=article.path,
            hint="send it then, or change its date",
            code="send.future",
        )


@click.command("resume")
@issue_argument
@relay_option
@json_option
@click.pass_obj
def resume_command(desk: Desk, name: str, relay_name: str | None, as_json: bool) -> None:
    """Go on with a send of ISSUE that was interrupted. Nobody gets it twice.

    What is sent is the issue as it was frozen, whatever the file says by now.
    """
    _resume(desk, name, relay_name, as_json)


def _resume(desk: Desk, name: str, relay_name: str | None, as_json: bool) -> None:
    with desk.asked_store() as store:
        send = unfinished(store, slug_in(desk, store, name))
        relay = load_relay(desk.config, relay_name or send.relay, desk.environ)
        _note_if_changed(desk, send)
        Delivering(desk, store, as_json=as_json).run(send, relay)


def slug_in(desk: Desk, store: Store, name: str) -> str:
    """The slug that `name` means: one that the ledger knows as it stands, else an article's."""
    if store.sends(name):
        return name
    return desk.shelf().find(name).slug


def unfinished(store: Store, slug: str) -> Send:
    """The send of the issue that has work left. Raises SendRefused when there is none."""
    for send in store.sends(slug):
        if send.state is not SendState.DONE:
            return send
    raise SendRefused(
        f'nothing to resume: no unfinished send of "{slug}"',
        hint=f"newsletter status {slug}",
        code="send.nothing",
    )


@click.command("test")
@issue_argument
@click.option("--to", "addresses", multiple=True, required=True, metavar="ADDR")
@click.option("--as", "seen_as", metavar="ADDR", help="Fill the slots as for this subscriber.")
@relay_option
@json_option
@click.pass_obj
def test_command(
    desk: Desk,
    name: str,
    addresses: tuple[str, ...],
    seen_as: str | None,
    relay_name: str | None,
    as_json: bool,
) -> None:
    """Mail a proof of ISSUE to yourself, drafts too; the subject says [proof]."""
    readers = _readers(desk, addresses, seen_as)
    shelf = desk.shelf()
    article = shelf.find(name)
    composed = shelf.compose(article)
    warn(check_before_sending(desk, shelf, article, composed))
    relay = load_relay(desk.config, relay_name, desk.environ)
    replies = _prove(desk, composed.email, readers, relay)
    refused = _refused(replies)
    facts = {
        "command": "test",
        "relay": relay.name,
        "proofs": replies,
        "error": refused.as_json() if refused else None,
        "exit": refused.exit_code if refused else 0,
    }
    text = "\n".join(
        f"proof     to {reply['to']} by {relay.name}: {reply['code']} {reply['text']}"
        for reply in replies
    )
    answer(facts, as_json=as_json, text=text)
    if refused and as_json:  # said already: one object is the whole answer
        click.get_current_context().exit(refused.exit_code)
    if refused:
        raise refused


def _refused(replies: list[dict[str, object]]) -> RelayRefused | None:
    for reply in replies:
        if reply["code"] not in range(200, 300):
            return RelayRefused(f"the proof to {reply['to']} was refused: {reply['text']}")
    return None


def _readers(desk: Desk, addresses: tuple[str, ...], seen_as: str | None) -> list[Addressee]:
    parsed = [parse_address(address) for address in addresses]
    if seen_as is None:
        return [Addressee(0, address, "", {}) for address in parsed]
    with desk.asked_store() as store:
        subscriber = store.subscriber(parse_address(seen_as))
    if subscriber is None:
        raise AudienceError(f"no subscriber has the address {seen_as}")
    return [Addressee(0, address, subscriber.name, subscriber.fields) for address in parsed]


def _prove(
    desk: Desk, email: Email, readers: list[Addressee], relay: Relay
) -> list[dict[str, object]]:
    proof = Proof(email=email, letter=desk.letter, keys=desk.keys, made_at=desk.now())
    return [
        {"to": mail.rcpt_to, "code": reply.code, "status": reply.status, "text": reply.text}
        for mail, reply in send_proof(proof, readers, open_transport(relay))
    ]
