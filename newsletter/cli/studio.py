"""The publication's studio: what `preview` and `demo` put on the desk."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from newsletter.audience.tokens import KEY_FILE, KEY_VARIABLE, read_unsubscribe_token
from newsletter.cli.boundary import Desk
from newsletter.cli.judging import Bench, findings
from newsletter.composed import Composed
from newsletter.credentials import load_relay, named_relay
from newsletter.delivery.addressing import Addressee
from newsletter.delivery.proof import Proof, send_proof
from newsletter.model import Article, Email, Problem, Relay, Reply, Subscriber
from newsletter.preview.studio import Courier, Studio, WayOut
from newsletter.preview.unsubscribing import Door, Named
from newsletter.shelf import Shelf
from newsletter.smtp import open_transport

BY_BUTTON = "unsubscribe button, pressed on the desk"


def studio_of(desk: Desk, relay: Callable[[Desk], Relay] | None = None) -> Studio:
    """The desk's studio; the configuration is read afresh for every page. `relay` is where proofs
    go, by default the publication's."""

    def judge(shelf: Shelf, article: Article, composed: Composed) -> Sequence[Problem]:
        return findings(Bench(desk.anew(), shelf), article, composed)

    def way_out() -> WayOut:
        return _way_out(relay(desk) if relay else named_relay(desk.anew().config, None))

    def prove(email: Email, reader: Addressee) -> Reply:
        now = desk.anew()
        to = relay(now) if relay else load_relay(now.config, None, now.environ)
        return _prove(now, email, reader, to)

    return Studio(
        load=lambda: desk.anew().letter,
        inbox=desk.state / "inbox",
        now=desk.now,
        ledger=lambda: desk.anew().asked_store(),
        judge=judge,
        courier=Courier(way_out, prove),
        door=Door(
            lambda token: _named(desk.anew(), token), lambda p: _unsubscribed(desk.anew(), p)
        ),
    )


def _named(desk: Desk, token: str) -> Named:
    """Whom the token names. Where there is no key yet, none is made: a question writes nothing."""
    if KEY_VARIABLE not in desk.environ and not (desk.state / KEY_FILE).exists():
        return Named(is_ours=False, person=None)
    number = read_unsubscribe_token(desk.keys, token)
    if number is None:
        return Named(is_ours=False, person=None)
    with desk.asked_store() as store:
        return Named(is_ours=True, person=store.subscriber_with_id(number))


def _unsubscribed(desk: Desk, person: Subscriber) -> Subscriber:
    with desk.open_store() as store:
        return store.unsubscribe(person.address, BY_BUTTON, desk.now())


def _way_out(relay: Relay) -> WayOut:
    if relay.kind == "inbox":
        return WayOut(relay.name, "the inbox on this machine", leaves=False)
    return WayOut(relay.name, relay.place, leaves=relay.reaches_people)


def _prove(desk: Desk, email: Email, reader: Addressee, relay: Relay) -> Reply:
    proof = Proof(email=email, letter=desk.letter, keys=desk.keys, made_at=desk.now(), relay=relay)
    [(_, reply)] = send_proof(proof, [reader], open_transport(relay))
    return reply
