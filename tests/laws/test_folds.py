"""Laws of the folds behind every decision: total, pure, kept as JSON, and unchanged as long as their shape version is."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from pydantic import TypeAdapter

from o2c.kernel.event import EVENT_TYPES, Event, upcast
from o2c.kernel.shapes import OfItem, OfStep
from o2c.kernel.stream import StreamKind
from o2c.plan import KINDS
from o2c.views.event_types import event_types, stream_categories
from tests.lives import LIVES, ORDER

GOLDEN = Path(__file__).parents[1] / "golden" / "folds"
EVERY = [pytest.param(kind, id=category) for category, kind in KINDS.items()]
STREAMS = {
    "order": f"order-{ORDER}", "product": f"product-{ORDER}:1", "sim": "sim-8944770000000000009", "number": "number-+447700910001", "device": "device-001010120000003", "customer": "customer-C-1001",
    "catalogue": "catalogue-main", "refund": "refund-BA-1001-R1", "delivery": "delivery-sims-1", "account": "account-BA-1001", "invoice": "invoice-BA-1001-20260108",
    "intake": "intake-3b1f", "partner": "partner-credit-bureau", "codes": "codes-main", "rates": "rates-main", "zones": "zones-main",
    "fallout": "fallout-5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "job": "job-7b0e9d5c-41f2-5d0a-8c3e-2f6a1b9c0d4e",
    "access": "access-C-1001", "key": "key-4f2a9c01b7de", "issuers": "issuers-main",
    "hook": "hook-5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "ledger": "ledger-main", "voucher": "voucher-SPRING", "quota": "quota-BA-1001", "collection": "collection-BA-1001", "withdrawal": f"withdrawal-{ORDER}:1", "usage": "usage-9f86d081884c7d65", "complaint": "complaint-0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f", "journey": "journey-3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6", "prospects": "prospects-GB-2026-01-05", "message": "message-5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "messaging": "messaging-main", "triggers": "triggers-main", "offers": "offers-main", "care": "care-main", "journeys": "journeys-main", "ranges": "ranges-main", "firing": "firing-5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "views": "views-5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1",
}  # fmt: skip

_GENERIC = {"call.parked", "call.resumed", "partner.accepted", "partner.silent", "retry.scheduled", "retry.stopped", "fallout.decided", "step.cancelled",
    "step.forced", "step.skipped"}  # fmt: skip
INERT: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(KINDS, frozenset()),
    "order": frozenset(
        {"order.resubmission-refused", "order.revision-refused", "porting.window-missed", "promise.made", "retry.stopped", "order.priced"}
    ),
    "intake": frozenset({"intake.line-refused"}),
    "hook": frozenset({"hook.resend-requested"}),
    "ranges": frozenset({"ranges.low-noticed"}),
    **dict.fromkeys(("delivery", "sim", "number", "device", "partner"), frozenset({*_GENERIC, "fallout.correction-applied"})),
    "account": frozenset({"fallout.correction-applied", "fallout.decided", "retry.stopped"}),
    "invoice": frozenset({"fallout.decided", "retry.stopped"}),
    "quota": frozenset({"quota.denied", "fallout.correction-applied", "fallout.decided", "retry.stopped"}),
    "refund": frozenset({"fallout.decided", "retry.stopped"}),
    "withdrawal": frozenset({"fallout.correction-applied", "fallout.decided", "retry.stopped"}),
    "product": frozenset({"fallout.correction-applied", "fallout.decided", "retry.stopped"}),
    "collection": frozenset({"fallout.correction-applied", "fallout.decided", "retry.stopped"}),
    "customer": frozenset({"customer.complaint-noted"}),
    "complaint": frozenset({"fallout.correction-applied", "fallout.decided", "retry.stopped"}),
    "journey": frozenset({"fallout.correction-applied", "fallout.decided", "retry.stopped"}),
    "firing": frozenset({"fallout.correction-applied", "fallout.decided", "retry.stopped"}),
    "prospects": frozenset({"fallout.correction-applied", "fallout.decided", "retry.stopped"}),
}
"""By kind of stream: the event types that stand in it and are meant to leave its state as it is."""


def event(name: str, changes: Mapping[str, Any]) -> Event:
    """The example of a type with some fields changed."""
    return EVENT_TYPES[name].model_validate({**EVENT_TYPES[name].example, **changes})


def fold(kind: StreamKind, events: Sequence[Event]) -> list[Any]:
    """The state before the first event and after each."""
    states = [kind.initial(STREAMS[kind.category])]
    for happened in events:
        states.append(kind.evolve(states[-1], happened))
    return states


def as_json(kind: StreamKind, state: Any) -> Any:
    return TypeAdapter(kind.state_type).dump_python(state, mode="json")


def golden_path(kind: StreamKind) -> Path:
    return GOLDEN / f"{kind.category}.v{kind.shape_version}.json"


def written(kind: StreamKind, events: Sequence[Event]) -> dict[str, Any]:
    told = [{"type": e.type_name, "schema": e.schema_version(), "body": e.model_dump(mode="json")} for e in events]
    return {"events": told, "state": as_json(kind, fold(kind, events)[-1])}


def write_golden(kind: StreamKind) -> None:
    lives = {life: written(kind, [event(*told) for told in story]) for life, story in LIVES[kind.category].items()}
    golden_path(kind).parent.mkdir(parents=True, exist_ok=True)
    golden_path(kind).write_text("{\n" + ",\n".join(_life(life, **told) for life, told in lives.items()) + "\n}\n", encoding="utf-8")


def _life(life: str, events: list[dict[str, Any]], state: Any) -> str:
    """One event a line, so that a life reads as a list of what happened."""
    lines = ",\n".join(f"   {json.dumps(told, ensure_ascii=False)}" for told in events)
    return f'{json.dumps(life)}: {{\n  "events": [\n{lines}\n  ],\n  "state": {json.dumps(state, indent=1, ensure_ascii=False)}\n}}'


@cache
def golden(kind_category: str) -> dict[str, tuple[list[Event], Any]]:
    """The lives of a golden file: the events as read today, and the state they led to."""
    lives = json.loads(golden_path(KINDS[kind_category]).read_text(encoding="utf-8"))
    return {life: ([_read(**told) for told in story["events"]], story["state"]) for life, story in lives.items()}


def _read(type: str, schema: int, body: dict[str, Any]) -> Event:
    return EVENT_TYPES[type].model_validate(upcast(type, schema, body))


def reached(kind: StreamKind) -> Iterator[Any]:
    """Every state that a golden life of the kind goes through, the initial one first."""
    for events, _ in golden(kind.category).values():
        yield from fold(kind, events)


def standing_in(category: str) -> list[type[Event]]:
    return [cls for cls in event_types() if category in stream_categories(cls)]


@pytest.mark.parametrize("kind", EVERY)
def test_a_fold_is_golden(kind: StreamKind) -> None:
    """A changed result is a new shape version: snapshots of the old one no longer fit. Golden files are added and never edited."""
    path = golden_path(kind)
    if not path.exists() and os.environ.get("O2C_WRITE_GOLDEN") == "1":
        write_golden(kind)

    assert path.exists(), f"{path.name} is missing: run this test once with O2C_WRITE_GOLDEN=1 and look at what it writes"
    changed = f"the fold of {kind.category} has another result: raise its shape_version and leave {path.name} as it is"
    assert {life: as_json(kind, fold(kind, events)[-1]) for life, (events, _) in golden(kind.category).items()} == {
        life: state for life, (_, state) in golden(kind.category).items()
    }, changed


@pytest.mark.parametrize("kind", EVERY)
def test_the_golden_lives_show_everything(kind: StreamKind) -> None:
    """Each shape, and each type without one, that can stand in such a stream and is not inert occurs in one of its lives."""
    told = [e for events, _ in golden(kind.category).values() for e in events]
    wanted = {cls.shape or cls.type_name for cls in standing_in(kind.category) if cls.type_name not in INERT[kind.category]}

    assert wanted - {e.shape or e.type_name for e in told} == set()


@pytest.mark.parametrize("kind", EVERY)
def test_evolve_is_total(kind: StreamKind) -> None:
    """Every type's example folds into every state of every kind, twice to the same result, and leaves the state it was given alone."""
    for state in reached(kind):
        before = as_json(kind, state)
        for cls in event_types():
            after = kind.evolve(state, event(cls.type_name, {}))
            assert after == kind.evolve(state, event(cls.type_name, {})), cls.type_name
            assert isinstance(after, kind.state_type), cls.type_name
        assert as_json(kind, state) == before


@st.composite
def _events(draw: st.DrawFn, category: str) -> Event:
    cls = draw(st.sampled_from(standing_in(category)))
    changes: dict[str, Any] = {"item": draw(st.sampled_from(("", "1", "2", "9")))} if issubclass(cls, OfItem) else {}
    if issubclass(cls, OfStep):
        changes["step"] = draw(st.sampled_from(("validation", "credit", "sim", "porting", "payment", "bill-run", "unheard-of")))
    return event(cls.type_name, changes)


@pytest.mark.parametrize("kind", EVERY)
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=40, deadline=None)
def test_any_order_of_events_folds(kind: StreamKind, data: st.DataObject) -> None:
    """What a stream could not sensibly hold folds all the same, always to the same state, which is kept as JSON without loss."""
    events = data.draw(st.lists(_events(kind.category), max_size=12))
    state = fold(kind, events)[-1]

    assert state == fold(kind, events)[-1]
    assert _through_json(kind, state) == state


@pytest.mark.parametrize("kind", EVERY)
def test_a_state_is_kept_as_json(kind: StreamKind) -> None:
    """Each state comes back equal from JSON, and goes on as if it had never been away."""
    for events, _ in golden(kind.category).values():
        states = fold(kind, events)
        for state, happened, after in zip(states, events, states[1:], strict=False):
            assert _through_json(kind, state) == state
            assert kind.evolve(_through_json(kind, state), happened) == after


def _through_json(kind: StreamKind, state: Any) -> Any:
    return kind.restored(kind.kept(state))


@pytest.mark.parametrize("kind", EVERY)
def test_no_event_is_ignored_by_oversight(kind: StreamKind) -> None:
    """An event type that stands in such a stream changes its state at some point of a life, or is declared inert."""
    examples = [event(cls.type_name, {}) for cls in standing_in(kind.category)]
    told = [e for events, _ in golden(kind.category).values() for e in events]
    states = list(reached(kind))
    felt = {e.type_name for e in (*examples, *told) if any(kind.evolve(state, e) != state for state in states)}

    assert {e.type_name for e in examples} - felt == INERT[kind.category]


def test_every_kind_has_its_lives() -> None:
    """A new kind of stream brings the lives that its golden file is made of."""
    assert set(LIVES) == set(STREAMS) == set(KINDS)
