"""test: a proof to oneself, before anybody else gets the issue."""

from __future__ import annotations

import click

from newsletter.audience.addresses import parse_address
from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.cli.findings import warn
from newsletter.cli.judging import check_before_sending
from newsletter.cli.naming import issue_argument, relay_option
from newsletter.credentials import load_relay
from newsletter.delivery.addressing import Addressee
from newsletter.delivery.proof import Proof, send_proof
from newsletter.errors import AudienceError, RelayRefused
from newsletter.model import Email, Relay
from newsletter.smtp import open_transport


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
    proof = Proof(email=email, letter=desk.letter, keys=desk.keys, made_at=desk.now(), relay=relay)
    return [
        {"to": mail.rcpt_to, "code": reply.code, "status": reply.status, "text": reply.text}
        for mail, reply in send_proof(proof, readers, open_transport(relay))
    ]
