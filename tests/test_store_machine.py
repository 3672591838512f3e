"""Any sequence of verbs, on any Email: nothing is lost, no state is skipped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from newsletter.errors import SendRefused, StoreError
from newsletter.model import (
    Delivery,
    DeliveryState,
    SendState,
    Slot,
    SubscriberStatus,
)
from newsletter.store import Audience, Store, open_store
from tests.stores import BY_RANK, EMAIL, NEW, NOW, reader, store_is_whole

pytest_plugins = ("tests.store_fixtures",)


# --- any sequence of verbs -----------------------------------------------------------------------

# What `platforms` 2.14 draws: a row is left only along these arrows.
ARROWS = {
    ("pending", "claimed"),
    ("pending", "skipped"),
    ("deferred", "claimed"),
    ("deferred", "skipped"),
    *(("claimed", state.value) for state in DeliveryState),
}
OUTCOMES = [state for state in DeliveryState if state is not DeliveryState.CLAIMED]
NAMES = st.sampled_from(["ada", "Ben", "cleo", "dan", "eve"])


class Ledger(RuleBasedStateMachine):
    """Any sequence of verbs: no row is lost, none skips a state, no suppressed person is mailed."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[tuple[int, int], str] = {}
        self.held: list[Delivery] = []
        self.now = NOW

    @initialize()
    def open(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(f"sqlite:{self.folder.name}/letter.db")

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.__exit__(None, None, None)
            self.folder.cleanup()

    @rule(name=NAMES, status=st.sampled_from(BY_RANK))
    def merge(self, name: str, status: SubscriberStatus) -> None:
        self.store.merge(reader(name, status, "x"), self.now)
        self.check()

    @rule(name=NAMES)
    def unsubscribe(self, name: str) -> None:
        if self.store.subscriber(f"{name}@example.com"):
            self.store.unsubscribe(f"{name}@example.com", "x", self.now)
        self.check()

    @rule(only_new=st.booleans(), tag=st.sampled_from([None, "vip"]))
    def freeze(self, only_new: bool, tag: str | None) -> None:
        audience = Audience(tag=tag, only_new=only_new)
        count = self.store.head_count("sleep", audience)
        assert count.candidates == count.recipients + count.exclusions.total()
        try:
            send = self.store.freeze(replace(NEW, audience=audience), self.now)
        except SendRefused:
            assert not only_new
            return
        assert (send.candidates, send.recipients) == (count.candidates, count.recipients)
        assert self.store.reasons(send.id) == count.exclusions
        rows = self.store.deliveries(send.id)
        self.before |= {(send.id, row.subscriber_id): row.state.value for row in rows}

    @rule(to=st.sampled_from(SendState), pick=st.integers(0, 9))
    def move(self, to: SendState, pick: int) -> None:
        for send in self.store.sends()[pick : pick + 1]:
            try:
                self.store.move(send.id, to, self.now)
            except StoreError:
                assert send.state is not to
        self.check()

    @rule(limit=st.integers(1, 3), pick=st.integers(0, 9))
    def claim(self, limit: int, pick: int) -> None:
        for send in self.store.sends()[pick : pick + 1]:
            rows = self.store.claim(send.id, limit, self.now)
            assert len(rows) <= limit
            assert not any(self.store.refusal(row) for row in rows)
            self.held += rows
        self.check()

    @rule(pick=st.integers(0, 9))
    def begin(self, pick: int) -> None:
        for row in self.held[pick : pick + 1]:
            self.attempt(lambda row=row: self.store.begin(row, self.now))  # type: ignore[misc]

    @rule(pick=st.integers(0, 9), state=st.sampled_from(OUTCOMES))
    def record(self, pick: int, state: DeliveryState) -> None:
        for row in self.held[pick : pick + 1]:
            outcome = row._replace(state=state, reason="x")
            self.attempt(lambda: self.store.record(outcome, self.now))  # noqa: B023

    @rule(pick=st.integers(0, 9))
    def recover(self, pick: int) -> None:
        for send in self.store.sends()[pick : pick + 1]:
            self.store.recover(send.id, self.now)
            assert DeliveryState.CLAIMED not in self.store.progress(send.id)
        self.check()

    @rule(minutes=st.integers(-5, 5))
    def clock(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def attempt(self, verb: Callable[[], None]) -> None:
        with suppress(StoreError):
            verb()
        self.check()

    def check(self) -> None:
        for send in self.store.sends():
            for row in self.store.deliveries(send.id):
                key = (send.id, row.subscriber_id)
                arrow = (self.before[key], row.state.value)
                assert arrow[0] == arrow[1] or arrow in ARROWS, arrow
                self.before[key] = row.state.value

    @invariant()
    def every_send_is_whole(self) -> None:
        for send in self.store.sends() if hasattr(self, "store") else ():
            assert store_is_whole(self.store, send.id)
            if send.state is SendState.DONE:
                assert not set(self.store.progress(send.id)) & {
                    DeliveryState.PENDING,
                    DeliveryState.CLAIMED,
                    DeliveryState.DEFERRED,
                }


Ledger.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestLedger = Ledger.TestCase


@given(
    html=st.text(st.characters(exclude_categories=["Cs"])),
    slots=st.lists(st.tuples(st.text("ab_"), st.text(max_size=4)), max_size=3),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_email_comes_back_equal(store: Store, html: str, slots: list[tuple[str, str]]) -> None:
    email = replace(EMAIL, html=html, slots=tuple(Slot(*pair) for pair in slots))
    with store.rehearsal():
        assert store.freeze(replace(NEW, email=email), NOW).email == email
