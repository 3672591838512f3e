"""The contract of the store about sends and deliveries, on every database we support."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from datetime import timedelta
from threading import Thread

import pytest

from newsletter.delivery.steps import Step, next_step
from newsletter.errors import SendRefused, StoreError
from newsletter.model import (
    DeliveryState,
    Reply,
    Send,
    SendState,
    Stage,
)
from newsletter.store import Audience, Store
from newsletter.store.database import GLANCE_S
from newsletter.store.sends import MOVES
from tests.stores import (
    EMAIL,
    NEW,
    NOW,
    PENDING,
    SUPPRESSED,
    UNSUBSCRIBED,
    OpenStore,
    reader,
    readers,
    sending,
    states,
    store_is_whole,
    taken,
    to_all,
)

pytest_plugins = ("tests.store_fixtures",)


# --- freezing ------------------------------------------------------------------------------------


def crowd(store: Store) -> None:
    readers(store, "ada", "ben", "cleo")
    store.tag("ada@example.com", add=("vip",))
    store.add(reader("dan", PENDING), NOW)
    store.add(reader("eve", UNSUBSCRIBED, "left"), NOW)
    store.add(reader("finn", SUPPRESSED, "bounce"), NOW)


def test_every_candidate_is_a_recipient_or_an_explained_exclusion(store: Store) -> None:
    crowd(store)
    count = store.head_count("sleep", Audience(tag="vip"))
    assert (count.candidates, count.recipients, count.sample) == (6, 1, ("ada@example.com",))
    assert count.exclusions == {
        "not tagged vip": 2,
        "pending confirmation": 1,
        "unsubscribed": 1,
        "suppressed: bounce": 1,
    }
    send = store.freeze(replace(NEW, audience=Audience(tag="vip")), NOW)
    assert (send.candidates, send.recipients) == (6, 1)
    assert store.reasons(send.id) == count.exclusions
    assert store.progress(send.id) == {DeliveryState.PENDING: 1, DeliveryState.SKIPPED: 5}


def test_a_frozen_email_comes_back_equal(opened: OpenStore) -> None:
    send = opened().freeze(NEW, NOW)
    assert opened().sends() == opened().sends("sleep") == [send]
    assert (send.email, send.content_hash, send.origin) == (EMAIL, EMAIL.content_hash, NEW.origin)
    assert (send.state, send.frozen_at, send.relay) == (SendState.FROZEN, NOW, "main")
    assert not opened().sends("other")


def test_a_delivery_is_a_snapshot_of_the_person(store: Store) -> None:
    store.add(replace(reader("ada"), fields={"city": "Lindenford"}), NOW)
    send = store.freeze(NEW, NOW)
    store.merge(replace(reader("ada"), name="Someone else", fields={"city": "Elsewhere"}), NOW)
    readers(store, "late")
    (row,) = store.deliveries(send.id)
    assert (row.name, row.fields, row.attempts) == ("Ada", {"city": "Lindenford"}, 0)


def test_attack_34_a_second_send_of_an_issue_is_refused(store: Store) -> None:
    readers(store, "ada")
    store.freeze(NEW, NOW)
    with pytest.raises(SendRefused, match="has been sent"):
        store.freeze(NEW, NOW)
    assert len(store.sends()) == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (DeliveryState.ACCEPTED, "already sent"),
        (DeliveryState.UNKNOWN, "already sent, in doubt"),
        (DeliveryState.DEFERRED, "already queued"),
        (DeliveryState.FAILED, ""),
        (DeliveryState.SKIPPED, ""),
    ],
)
def test_only_new_reaches_who_has_not_got_it(store: Store, first: DeliveryState, then: str) -> None:
    readers(store, "ada")
    to_all(store, first, sending(store))
    readers(store, "ben")
    count = store.head_count("sleep", Audience(only_new=True))
    assert count.exclusions == ({then: 1} if then else {})
    second = store.freeze(replace(NEW, audience=Audience(only_new=True)), NOW)
    assert second.recipients == (1 if then else 2)
    assert store.head_count("another", Audience(only_new=True)).recipients == 2


def test_an_empty_audience_can_be_frozen_and_done(store: Store) -> None:
    send = sending(store)
    assert send.candidates == 0
    assert store.claim(send.id, 5, NOW) == []
    assert store.move(send.id, SendState.DONE, NOW).finished_at == NOW


# --- moving --------------------------------------------------------------------------------------

PATHS: dict[SendState, tuple[SendState, ...]] = {
    SendState.FROZEN: (),
    SendState.SENDING: (SendState.SENDING,),
    SendState.PAUSED: (SendState.SENDING, SendState.PAUSED),
    SendState.DONE: (SendState.SENDING, SendState.DONE),
}


@pytest.mark.parametrize("at", PATHS)
@pytest.mark.parametrize("to", SendState)
def test_a_send_moves_only_as_the_state_machine_says(
    store: Store, at: SendState, to: SendState
) -> None:
    send = store.freeze(NEW, NOW)
    for step in PATHS[at]:
        store.move(send.id, step, NOW)
    if at is to or (at, to) in MOVES:
        assert store.move(send.id, to, NOW).state is to
    else:
        with pytest.raises(StoreError, match="cannot become"):
            store.move(send.id, to, NOW)


def later(store: Store, **changes: object) -> Send:
    new = replace(NEW, not_before=NOW + timedelta(hours=2), **changes)  # type: ignore[arg-type]
    return store.freeze(new, NOW)


def test_a_prepared_send_has_its_content_and_freezes_its_audience_when_its_time_has_come(
    store: Store,
) -> None:
    readers(store, "ada")
    send = later(store, audience=Audience(limit=2))
    assert (send.state, send.candidates) == (SendState.PREPARING, 0)
    assert store.claim(send.id, 5, NOW) == []
    readers(store, "ben", "cleo")
    frozen = store.freeze_prepared(send.id, NOW + timedelta(hours=2))
    assert (frozen.state, frozen.candidates, frozen.recipients) == (SendState.FROZEN, 3, 2)
    assert frozen.frozen_at == NOW + timedelta(hours=2)
    assert frozen.not_before is None
    assert store.reasons(send.id) == {"over the limit of 2": 1}
    with pytest.raises(StoreError, match="cannot become frozen"):
        store.freeze_prepared(send.id, NOW)


def test_the_rest_of_a_limited_send_are_those_who_have_not_got_it(store: Store) -> None:
    readers(store, "ada", "ben", "cleo")
    limited = Audience(limit=1)
    assert store.head_count("sleep", limited).exclusions == {"over the limit of 1": 2}
    send = store.move(store.freeze(replace(NEW, audience=limited), NOW).id, SendState.SENDING, NOW)
    to_all(store, DeliveryState.ACCEPTED, send)
    rest = store.head_count("sleep", Audience(only_new=True))
    assert (rest.recipients, rest.exclusions) == (2, {"already sent": 1})


def test_a_canary_is_claimed_alone_until_the_send_is_widened(store: Store) -> None:
    names = [f"p{number}" for number in range(20)]
    readers(store, *names)
    send = store.freeze(replace(NEW, canary=4), NOW)
    store.move(send.id, SendState.SENDING, NOW)
    rows = store.claim(send.id, 50, NOW)
    assert len(rows) == 4
    assert [row.address for row in rows] != [f"p{number}@example.com" for number in range(4)]
    for row in rows:
        store.record(taken(row), NOW)
    assert store.canary_progress(send.id) == {DeliveryState.ACCEPTED: 4}
    assert store.due_at(send.id) is None
    assert store.claim(send.id, 50, NOW) == []
    assert store.widen(send.id, NOW).widened
    assert len(store.claim(send.id, 50, NOW)) == 16


def test_a_send_held_is_claimed_by_nobody_and_says_why(store: Store) -> None:
    readers(store, "ada", "ben")
    send = sending(store)
    (row,) = store.claim(send.id, 1, NOW)
    assert not store.halted(send.id)
    held = store.hold(send.id, "the boss is reading it", NOW)
    assert (held.state, held.hold) == (SendState.PAUSED, "the boss is reading it")
    assert store.claim(send.id, 5, NOW) == []
    store.record(taken(row), NOW)
    assert store.move(send.id, SendState.SENDING, NOW).hold == ""


def test_another_process_that_holds_a_send_is_noticed(opened: OpenStore) -> None:
    store, other = opened(), opened()
    readers(store, "ada", "ben")
    send = sending(store)
    store.claim(send.id, 2, NOW)
    assert not store.halted(send.id)
    other.hold(send.id, "stop", NOW)
    time.sleep(2 * GLANCE_S)
    assert store.halted(send.id)


def test_a_cancelled_send_skips_who_is_left_and_keeps_who_got_it(store: Store) -> None:
    readers(store, "ada", "ben", "cleo")
    send = sending(store)
    ada, ben = store.claim(send.id, 2, NOW)
    store.record(taken(ada), NOW)
    assert store.cancel(send.id, NOW).state is SendState.CANCELLED
    assert states(store, send.id) == {"ada": "accepted", "ben": "claimed", "cleo": "skipped"}
    store.record(ben._replace(state=DeliveryState.PENDING), NOW)
    store.cancel(send.id, NOW)
    assert states(store, send.id)["ben"] == "skipped"
    assert store.reasons(send.id) == {"cancelled": 2}
    with pytest.raises(StoreError, match="cannot become paused"):
        store.reopen(send.id, DeliveryState.FAILED, NOW)
    with pytest.raises(SendRefused, match="has been sent"):
        store.freeze(NEW, NOW)


def test_a_send_taken_back_before_anybody_got_it_can_be_sent_again(store: Store) -> None:
    readers(store, "ada")
    store.cancel(store.freeze(NEW, NOW).id, NOW)
    assert store.freeze(NEW, NOW).recipients == 1


@pytest.mark.parametrize(
    "state", [DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.DEFERRED]
)
def test_rows_are_tried_again_only_when_somebody_asks(store: Store, state: DeliveryState) -> None:
    readers(store, "ada", "ben")
    send = sending(store)
    ada, ben = store.claim(send.id, 2, NOW)
    later = NOW + timedelta(hours=1) if state is DeliveryState.DEFERRED else None
    store.record(ada._replace(state=state, next_at=later), NOW)
    store.record(taken(ben), NOW)
    if state is not DeliveryState.DEFERRED:
        store.move(send.id, SendState.DONE, NOW)
    assert store.reopen(send.id, state, NOW) == 1
    assert states(store, send.id) == {"ada": "pending", "ben": "accepted"}
    store.move(send.id, SendState.PAUSED, NOW)
    store.move(send.id, SendState.SENDING, NOW)
    (again,) = store.claim(send.id, 5, NOW)
    assert again.attempts == 2


def test_rows_with_a_good_end_are_never_tried_again(store: Store) -> None:
    send = sending(store)
    for state in (DeliveryState.ACCEPTED, DeliveryState.SKIPPED):
        with pytest.raises(StoreError, match="not tried again"):
            store.reopen(send.id, state, NOW)


def test_a_send_with_an_open_row_is_not_done(store: Store) -> None:
    readers(store, "ada")
    send = sending(store)
    with pytest.raises(StoreError, match="1 deliveries have no last word"):
        store.move(send.id, SendState.DONE, NOW)
    to_all(store, DeliveryState.FAILED, send)
    assert store.move(send.id, SendState.DONE, NOW).state is SendState.DONE


def test_an_unknown_send_is_an_error(store: Store) -> None:
    for verb in (
        lambda: store.move(9, SendState.DONE, NOW),
        lambda: store.claim(9, 1, NOW),
        lambda: store.sender_lock(9),
    ):
        with pytest.raises(StoreError, match="no send 9"):
            verb()


# --- delivering ----------------------------------------------------------------------------------


def test_a_claim_is_bounded_ordered_and_counts_the_attempt(store: Store) -> None:
    readers(store, "ada", "ben", "cleo")
    send = sending(store)
    first, second = store.claim(send.id, 2, NOW), store.claim(send.id, 2, NOW)
    assert [row.address[:3] for row in first + second] == ["ada", "ben", "cle"]
    assert {(row.state, row.attempts) for row in first + second} == {(DeliveryState.CLAIMED, 1)}
    assert store.claim(send.id, 2, NOW) == []


def test_an_outcome_is_written_whole(store: Store) -> None:
    readers(store, "ada")
    send = sending(store)
    (row,) = store.claim(send.id, 1, NOW)
    store.begin(row, NOW)
    later = NOW + timedelta(seconds=1)
    store.record(taken(row), later)
    assert list(store.deliveries(send.id)) == [taken(row)._replace(updated_at=later)]
    assert list(store.deliveries(send.id, DeliveryState.PENDING)) == []


def test_a_deferred_row_is_claimed_when_due_and_not_before(store: Store) -> None:
    readers(store, "ada", "ben")
    send = sending(store)
    (row,) = store.claim(send.id, 1, NOW)
    due = NOW + timedelta(minutes=5)
    busy = Reply(Stage.RCPT, 451, "4.7.1", "greylisted")
    store.record(row._replace(state=DeliveryState.DEFERRED, reply=busy, next_at=due), NOW)
    assert [row.address for row in store.claim(send.id, 9, NOW)] == ["ben@example.com"]
    assert store.claim(send.id, 9, due - timedelta(microseconds=1)) == []
    (again,) = store.claim(send.id, 9, due)
    assert (again.attempts, again.reply, again.next_at) == (2, busy, None)


def test_a_paused_send_gives_no_rows(store: Store) -> None:
    readers(store, "ada")
    send = sending(store)
    store.move(send.id, SendState.PAUSED, NOW)
    assert store.claim(send.id, 1, NOW) == []
    store.move(send.id, SendState.SENDING, NOW)
    assert len(store.claim(send.id, 1, NOW)) == 1


def test_who_left_since_the_freeze_is_skipped_at_the_claim(store: Store) -> None:
    readers(store, "ada", "ben", "cleo", "dan")
    send = sending(store)
    store.merge(reader("ada", UNSUBSCRIBED, "import"), NOW)
    store.merge(reader("ben", SUPPRESSED, "complaint"), NOW)
    assert [row.address for row in store.claim(send.id, 1, NOW)] == ["cleo@example.com"]
    assert store.reasons(send.id) == {"unsubscribed": 1, "suppressed: complaint": 1}


def test_a_page_of_nothing_but_the_departed_is_not_the_end(store: Store) -> None:
    readers(store, *(f"r{number}" for number in range(20)), "last")
    send = sending(store)
    for number in range(20):
        store.merge(reader(f"r{number}", UNSUBSCRIBED), NOW)
    assert [row.name for row in store.claim(send.id, 3, NOW)] == ["Last"]


def test_promise_4_an_unsubscribe_takes_effect_in_the_middle_of_a_send(store: Store) -> None:
    readers(store, "ada", "ben", "cleo")
    send = sending(store)
    in_flight, deferred = store.claim(send.id, 2, NOW)
    store.record(deferred._replace(state=DeliveryState.DEFERRED, next_at=NOW), NOW)
    for name in ("ada", "ben", "cleo"):
        store.unsubscribe(f"{name}@example.com", "one click", NOW)
    assert states(store, send.id) == {"ada": "claimed", "ben": "skipped", "cleo": "skipped"}
    assert store.reasons(send.id) == {"unsubscribed": 2}
    assert store.refusal(in_flight) == "unsubscribed"
    assert store.claim(send.id, 9, NOW) == []


def test_a_refusal_says_why(store: Store) -> None:
    readers(store, "ada", "ben")
    send = sending(store)
    ada, ben = store.claim(send.id, 2, NOW)
    store.merge(reader("ben", SUPPRESSED, "complaint"), NOW)
    assert (store.refusal(ada), store.refusal(ben)) == ("", "suppressed: complaint")


def test_a_content_begins_once_per_attempt(store: Store) -> None:
    readers(store, "ada")
    send = sending(store)
    (pending,) = store.deliveries(send.id)
    with pytest.raises(StoreError, match="not claimed"):
        store.begin(pending, NOW)
    (row,) = store.claim(send.id, 1, NOW)
    store.begin(row, NOW)
    with pytest.raises(StoreError, match="not claimed"):
        store.begin(row, NOW)
    store.record(row._replace(state=DeliveryState.DEFERRED), NOW)
    (again,) = store.claim(send.id, 1, NOW)
    store.begin(again, NOW)


@pytest.mark.parametrize("state", [state for state in DeliveryState if state != "claimed"])
def test_an_outcome_is_recorded_once(store: Store, state: DeliveryState) -> None:
    readers(store, "ada")
    send = sending(store)
    (row,) = store.claim(send.id, 1, NOW)
    outcome = row._replace(state=state, reason="because")
    store.record(outcome, NOW)
    with pytest.raises(StoreError, match="not claimed"):
        store.record(outcome, NOW)
    assert store.progress(send.id) == {state: 1}


def test_rows_without_a_last_word_are_counted_as_far_as_asked(store: Store) -> None:
    readers(store, "ada", "ben", "cy", "dee")
    send = sending(store)
    assert [store.waiting(send.id, most) for most in (1, 3, 9)] == [1, 3, 4]
    ada, ben, _ = store.claim(send.id, 3, NOW)
    assert store.waiting(send.id, 9) == 1
    later = ben._replace(
        state=DeliveryState.DEFERRED, reason="later", next_at=NOW + timedelta(days=1)
    )
    store.record_all([taken(ada), later], NOW)
    assert store.waiting(send.id, 9) == 2


def test_claimed_is_no_outcome(store: Store) -> None:
    readers(store, "ada")
    (row,) = store.claim(sending(store).id, 1, NOW)
    with pytest.raises(StoreError):
        store.record(row, NOW)


def test_a_sender_given_up_for_dead_cannot_write(store: Store) -> None:
    readers(store, "ada")
    send = sending(store)
    (zombie,) = store.claim(send.id, 1, NOW)
    store.recover(send.id, NOW)
    (row,) = store.claim(send.id, 1, NOW)
    for verb in (store.begin, lambda one, now: store.record(taken(one), now)):
        with pytest.raises(StoreError, match="another process"):
            verb(zombie, NOW)
    store.record(taken(row), NOW)


def test_recovery_tells_what_never_left_from_what_may_have(store: Store) -> None:
    readers(store, "ada", "ben", "cleo", "dan")
    send = sending(store)
    ada, ben, _ = store.claim(send.id, 3, NOW)
    for row in (ada, ben):
        store.begin(row, NOW)
    store.record(taken(ben), NOW)
    assert store.recover(send.id, NOW) == 1
    assert states(store, send.id) == {
        "ada": "unknown",
        "ben": "accepted",
        "cleo": "pending",
        "dan": "pending",
    }
    assert store.recover(send.id, NOW) == 0


def test_the_beginning_of_an_earlier_attempt_does_not_taint_the_next(store: Store) -> None:
    readers(store, "ada")
    send = sending(store)
    (row,) = store.claim(send.id, 1, NOW)
    store.begin(row, NOW)
    store.record(row._replace(state=DeliveryState.DEFERRED), NOW)
    store.claim(send.id, 1, NOW)
    assert store.recover(send.id, NOW) == 0
    assert states(store, send.id) == {"ada": "pending"}


def test_only_one_process_delivers_a_send(opened: OpenStore) -> None:
    store, other = opened(), opened()
    send = store.freeze(NEW, NOW)
    another = store.freeze(replace(NEW, email=replace(EMAIL, slug="pain")), NOW)
    with store.sender_lock(send.id):
        with (
            pytest.raises(SendRefused, match="another process is sending"),
            other.sender_lock(send.id),
        ):
            pass
        with other.sender_lock(another.id):
            pass
    with other.sender_lock(send.id):
        pass


def test_two_claims_at_once_share_no_row(opened: OpenStore) -> None:
    readers(opened(), *(f"r{number}" for number in range(200)))
    send = sending(opened())
    claimed: list[str] = []

    def work(store: Store) -> None:
        while rows := store.claim(send.id, 7, NOW):
            for row in rows:
                store.begin(row, NOW)
                store.record(taken(row), NOW)
            claimed.extend(row.address for row in rows)

    shared = opened()
    threads = [Thread(target=work, args=(one,)) for one in (opened(), shared, shared)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 200
    assert store_is_whole(shared, send.id)


def test_an_entry_is_its_send_without_what_was_frozen(opened: OpenStore) -> None:
    greeting = replace(EMAIL, subject=f"Sleep, {EMAIL.slots[0].token}")
    send = opened().freeze(replace(NEW, email=greeting), NOW)
    (entry,) = opened().entries()
    assert entry.subject == "Sleep, friend"
    shared = [each.name for each in fields(entry) if each.name != "subject"]
    assert [getattr(entry, name) for name in shared] == [getattr(send, name) for name in shared]
    assert opened().entries("sleep") == [entry]
    assert not opened().entries("other")


def test_a_send_that_may_be_taken_back_is_never_free_for_others(store: Store) -> None:
    readers(store, "ada")
    until = NOW + timedelta(minutes=1)
    send = store.freeze(replace(NEW, undo_until=until), NOW)
    assert (send.state, send.not_before) == (SendState.PAUSED, until)
    assert next_step(store, send, NOW).step is Step.WAIT
