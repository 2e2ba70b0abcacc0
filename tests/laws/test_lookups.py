"""Laws of the blind index: equal values meet however they are written, nothing but the key makes a token, and no value gets into a document."""

import json
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.customers.events import CustomerRegistered
from projections.catalogue import ALL
from projections.engine.fold import Fold, FoldFailed
from projections.engine.projection import Doc, derive, reader_of
from projections.engine.seen import Reader, Seen
from projections.lookups import WHAT, key_check, lookups, normalised, token
from tests.histories import DAY_ONE

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
ONE = "0b5c9c0e-6d55-4f0e-9d2b-3a1f3f1c7c11"


def registered(customer: str, position: int = 1, *, reader: Reader | None = None, **personal: str) -> Seen:
    """The event as the log gives it to a fold."""
    event = CustomerRegistered.model_validate({**CustomerRegistered.example, "customer": customer, "birth_date": "1980-02-29", **personal})
    body, told = (event.model_dump_json(**{how: event.personal}) for how in ("exclude", "include"))
    row = (position, ONE, f"customer-{customer}", position, event.type_name, 1, DAY_ONE, None, customer, "web", ONE, "test", body, told)
    return (reader or reader_of([lookups(KEY)])).record(row)


def folded(*events: Seen, key: bytes = KEY, docs: dict[str, Doc] | None = None) -> dict[str, Doc]:
    projection = lookups(key)
    fold = Fold(projection, frozenset({"customer.registered"}), strict=True, docs=docs or {})
    fold.take(fold.assign_groups(events))
    return fold.docs


def tokens(docs: dict[str, Doc], key: bytes = KEY) -> set[tuple[str, str, str]]:
    rows = [row for group, doc in docs.items() for row in derive(lookups(key), group, doc).values()]
    return {(row["customer_id"], row["what"], row["token"]) for row in rows}


SAME = [
    pytest.param("name", "Ada Example", "ADA  example ", id="case and white space"),
    pytest.param("name", "Ada Example", "Example, Ada", id="family name first"),
    pytest.param("name", "Ada\u00a0Example", "Ada Example", id="a space that does not break"),
    pytest.param("name", "Zo\u00eb Example", "Zoe\u0308 Example", id="a letter in one piece or two"),
    pytest.param("name", "\uff21da Example", "Ada Example", id="a wide letter"),
    pytest.param("name", "Stra\u00dfe Example", "STRASSE EXAMPLE", id="a letter that is two in capitals"),
    pytest.param("name", "Zo\u00eb Example", "Zoe Example", id="without its accent"),
    pytest.param("name", "Ada O\u2019Example", "Ada O'Example", id="another apostrophe"),
    pytest.param("name", "Example Ltd.", "Example Ltd", id="a full stop"),
    pytest.param("surname", "Ada Example", "Mrs A. EXAMPLE", id="a surname"),
    pytest.param("surname", "Ada Example", "Example, Ada", id="a surname before its comma"),
    pytest.param("email", "Ada@Example.org", " ada@example.org", id="an e-mail"),
]
OTHERWISE = [
    pytest.param("name", "Ada Example", "Ada", id="a part of it"),
    pytest.param("name", "Ada Ada Example", "Ada Example", id="a word twice"),
    pytest.param("surname", "Ada Example", "Example Ada", id="a surname that is none"),
    pytest.param("email", "ada@example.org", "ada.example@org", id="other dots"),
]


@pytest.mark.parametrize(("what", "one", "other"), SAME)
def test_spellings_of_one_value_meet(what: str, one: str, other: str) -> None:
    """What a person would call the same has the same token."""
    assert token(KEY, what, one) == token(KEY, what, other)


@pytest.mark.parametrize(("what", "one", "other"), OTHERWISE)
def test_other_values_do_not_meet(what: str, one: str, other: str) -> None:
    """Only the whole value is found."""
    assert token(KEY, what, one) != token(KEY, what, other)


@hypothesis.given(what=st.sampled_from(WHAT), value=st.text())
def test_the_form_of_comparison_is_settled(what: str, value: str) -> None:
    """A value already in the form stays as it is, whatever was typed."""
    assert normalised(what, normalised(what, value)) == normalised(what, value)


@hypothesis.given(value=st.text(), what=st.sampled_from(WHAT))
def test_nothing_but_the_key_makes_a_token(value: str, what: str) -> None:
    """Another key gives another token, and so does another kind of value; whether two keys are one can be told without either."""
    made = {token(KEY, "name", value), token(OTHER, "name", value), token(KEY, "email", value), token(OTHER, "email", value)}

    assert len(made) == 4
    assert key_check(KEY) != key_check(OTHER)
    assert key_check(KEY) not in "".join(made)


_NAMES = st.text(st.characters(categories=("L",)), min_size=6)


@hypothesis.given(names=st.lists(_NAMES, min_size=1, max_size=4), cut=st.integers(0, 4))
def test_a_customer_is_found_by_the_last_name_only(names: list[str], cut: int) -> None:
    """A name that was changed leaves no token behind, wherever the log is cut and though documents are stored between."""
    events = [registered("C-1", number, name=name) for number, name in enumerate(names, 1)]
    stored: dict[str, Doc] = json.loads(json.dumps(folded(*events[:cut])))
    docs = folded(*events[cut:], docs=stored)

    assert docs == folded(*events)
    kept = {"name": names[-1], "surname": names[-1], "email": "ada@example.org"}
    assert tokens(docs) == {("C-1", what, token(KEY, what, value)) for what, value in kept.items()}


def test_a_firm_has_no_surname() -> None:
    """Else every Ltd at an address would be one family."""
    event = registered("C-1", name="Example Ltd")
    firm = event._replace(body={**event.body, "kind": "organisation"})
    assert {what for _, what, _ in tokens(folded(firm))} == {"name", "email"}


@hypothesis.given(name=_NAMES, email=_NAMES)
def test_no_document_and_no_row_tells_a_value(name: str, email: str) -> None:
    """Neither the names nor any word of them, nor what the fold must not read, is in what is stored."""
    docs = folded(registered("C-1", name=f"{name} Quill", email=f"{email}@example.org"))
    stored = json.dumps([docs, sorted(tokens(docs))], ensure_ascii=False).casefold()
    # What the documents are made of holds words too: a person may be called Custom.
    hypothesis.assume(name.casefold() not in json.dumps(folded(registered("C-1"))).casefold())

    assert [word for word in ("quill", "example.org", "1980-02-29", "mill lane", name.casefold()) if word in stored] == []


def test_without_a_name_there_is_no_row() -> None:
    """Nobody is found by an empty name."""
    assert tokens(folded(registered("C-1", name=" , ", email=""))) == set()


def test_personal_fields_reach_only_who_declares_them() -> None:
    """Whoever shares a page with the blind index sees none; it sees no other than it declares; none of them is in a text of the event."""
    event = registered("C-1", name="Ada Quill")

    assert set(event.personal) == {"name", "email"}
    assert set(registered("C-1", reader=Reader([frozenset({"customer.registered"})])).personal) == set()
    assert [set(projection.restrict(event).personal) for projection in ALL] == [set()] * len(ALL)
    assert "Quill" not in f"{event} {event!r} {[event]}"
    assert "C-1" in f"{event}"


def test_a_fold_that_fails_tells_no_value() -> None:
    """What stops a group is said by its place in the program."""

    def careless(doc: Doc, seen: Seen) -> Any:
        raise ValueError(seen.personal["name"])

    broken = replace(lookups(KEY), evolve=careless)
    event = registered("C-1", name="Ada Quill")
    fold = Fold(broken, frozenset({"customer.registered"}))
    fold.take(fold.assign_groups([event]))
    strict = Fold(broken, frozenset({"customer.registered"}), strict=True)
    with pytest.raises(FoldFailed, match=r"ValueError at test_lookups\.py:") as caught:
        strict.take(strict.assign_groups([event]))

    assert "Quill" not in f"{fold.waiting} {caught.value}"
    assert fold.waiting["customer-C-1"][0].error.startswith("ValueError at test_lookups.py:")
