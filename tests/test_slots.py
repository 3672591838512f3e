"""newsletter.slots: double braces, tokens, values."""

from __future__ import annotations

from html import escape

from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import Slot
from newsletter.slots import TOKEN, fill_slots, leftovers, open_slots, value_of

FIELDS = ("first_name", "city")


def test_a_declared_field_becomes_its_token() -> None:
    text, slots = open_slots("Dear {{ first_name | friend }},", FIELDS)
    assert slots == (Slot("first_name", "friend"),)
    assert text == f"Dear {slots[0].token},"


def test_an_undeclared_name_stays_as_typed() -> None:
    text, slots = open_slots("{{ frist_name | friend }} {{7*7}} {{ a.b }}", FIELDS)
    assert (text, slots) == ("{{ frist_name | friend }} {{7*7}} {{ a.b }}", ())
    assert leftovers(text) == ["{{ frist_name | friend }}", "{{7*7}}", "{{ a.b }}"]


def test_slots_come_once_each_in_the_order_of_their_first_use() -> None:
    _, slots = open_slots("{{ city }}{{first_name}}{{ city }}{{ city | here }}", FIELDS)
    assert slots == (Slot("city"), Slot("first_name"), Slot("city", "here"))


def test_blanks_around_name_and_fallback_do_not_count() -> None:
    assert open_slots("{{first_name|dear friend}}", FIELDS) == open_slots(
        "{{  first_name  |  dear friend  }}", FIELDS
    )


def test_a_token_is_letters_and_digits_and_tells_name_and_fallback_apart() -> None:
    tokens = {Slot("a", "b").token, Slot("ab", "").token, Slot("a").token, Slot("", "ab").token}
    assert len(tokens) == 4
    assert all(TOKEN.fullmatch(token) and token.isalnum() for token in tokens)


def test_a_blank_or_missing_value_is_the_fallback() -> None:
    slot = Slot("first_name", "friend")
    assert [value_of(slot, values) for values in ({}, {"first_name": ""}, {"first_name": " "})] == [
        "friend"
    ] * 3
    assert value_of(slot, {"first_name": "Ana"}) == "Ana"


def test_attack_06_a_value_that_looks_like_a_slot_or_a_token_arrives_literally() -> None:
    first, city = Slot("first_name"), Slot("city")
    text, slots = open_slots("{{ first_name }} of {{ city }}", FIELDS)
    values = {"first_name": "{{7*7}} {{ city }} " + city.token, "city": first.token}
    assert (
        fill_slots(text, slots, values)
        == f"{{{{7*7}}}} {{{{ city }}}} {city.token} of {first.token}"
    )


def test_values_and_fallbacks_are_escaped_where_they_land() -> None:
    text, slots = open_slots("<p>{{ first_name | <3 }} {{ city }}</p>", FIELDS)
    assert fill_slots(text, slots, {"city": "<b>"}, escape) == "<p>&lt;3 &lt;b&gt;</p>"


def test_a_token_of_no_slot_is_left_alone() -> None:
    stranger = Slot("city", "x").token
    assert fill_slots(f"a {stranger}", (Slot("city"),), {"city": "Rome"}) == f"a {stranger}"


@given(
    st.text(),
    st.text(
        alphabet=st.characters(exclude_characters="{}\n|", exclude_categories=["Cs"]), max_size=20
    ),
)
def test_filling_with_fallbacks_reads_as_the_author_would_say_it(text: str, fallback: str) -> None:
    opened, slots = open_slots("{{ first_name |" + fallback + "}}", FIELDS)
    assert fill_slots(opened, slots, {}) == fallback.strip()
    assert open_slots(text.replace("{", ""), FIELDS) == (text.replace("{", ""), ())


@given(st.dictionaries(st.sampled_from(FIELDS), st.text()))
def test_every_value_arrives_whole_and_in_its_place(values: dict[str, str]) -> None:
    text, slots = open_slots("<{{ first_name | a }}|{{ city | b }}>", FIELDS)
    first, city = (value_of(slot, values) for slot in slots)
    assert fill_slots(text, slots, values) == f"<{first}|{city}>"


def test_attack_24_an_unclosed_slot_before_many_blanks_costs_nothing() -> None:
    hostile = "{{a|" + " " * 200_000
    assert open_slots(hostile, ("a",)) == (hostile, ())
