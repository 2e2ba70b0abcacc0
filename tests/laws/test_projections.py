"""Laws of the folds: how the log is cut into pages, and what stands between, changes nothing."""

import json
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.event import EVENT_TYPES, Event, Upcast
from o2c.orders.rollup import FINAL, ItemProgress, Progress, follow, item_state, order_state
from projections.catalogue import ALL
from projections.engine.fold import Fold, FoldFailed
from projections.engine.projection import Doc, Projection, derive
from projections.engine.seen import Reader, Seen, names_of
from tests.histories import captured, histories, of_order, planned, seen

EVERY = [pytest.param(projection, id=projection.name) for projection in ALL]


def _fold(projection: Projection, page: list[Seen], docs: dict[str, Doc] | None = None) -> dict[str, Doc]:
    fold = Fold(projection, names_of(projection.types), strict=True, docs=docs or {})
    fold.take(fold.assign_groups(page))
    return fold.docs


def _rows(projection: Projection, page: list[Seen]) -> list[dict[str, Any]]:
    return [row for group, doc in _fold(projection, page).items() for row in derive(projection, group, doc).values()]


def _through_storage(docs: dict[str, Doc]) -> dict[str, Doc]:
    """What jsonb does to a document: it comes back equal, its keys in another order."""
    stored: dict[str, Doc] = json.loads(json.dumps(docs, sort_keys=True))
    return stored


@pytest.mark.parametrize("projection", EVERY)
@hypothesis.given(history=histories(), cuts=st.lists(st.integers(0, 60), max_size=5))
@hypothesis.settings(max_examples=40, deadline=None)
def test_pages_do_not_matter(projection: Projection, history: list[Any], cuts: list[int]) -> None:
    """Wherever the log is cut, and though documents are stored between, the documents and their rows are those of one fold."""
    events, docs, start = seen(history), {}, 0
    for cut in [*sorted(cuts), len(events)]:
        docs = _through_storage(_fold(projection, events[start:cut], docs))
        start = max(start, cut)
    whole = _fold(projection, events)

    assert docs == whole
    assert {g: derive(projection, g, d) for g, d in docs.items()} == {g: derive(projection, g, d) for g, d in whole.items()}


@pytest.mark.parametrize("projection", EVERY)
@hypothesis.given(history=histories())
@hypothesis.settings(max_examples=30, deadline=None)
def test_folds_leave_their_argument(projection: Projection, history: list[Any]) -> None:
    """A fold changes neither the document it is given nor the event."""
    names, docs = names_of(projection.types), dict[str, Doc]()
    for event in seen(history):
        if event.type in names and (group := projection.group(event)) is not None:
            doc = docs.get(group, projection.initial)
            before = json.dumps([doc, event.body])
            docs[group] = projection.evolve(doc, event)

            assert json.dumps([doc, event.body]) == before


@pytest.mark.parametrize("projection", EVERY)
@hypothesis.given(history=histories())
@hypothesis.settings(max_examples=20, deadline=None)
def test_declared_fields_suffice(projection: Projection, history: list[Any]) -> None:
    """A fold that is given whole bodies yields what it yields from the fields it declares."""
    events = seen(history)

    assert _fold(replace(projection, fields=None), events) == _fold(projection, events)


@hypothesis.given(history=histories())
@hypothesis.settings(max_examples=40, deadline=None)
def test_orders_count_the_fallouts_that_are_open(history: list[Any]) -> None:
    """The number of open fallouts on an order is the number of its open rows in the queue."""
    by_name, events = {projection.name: projection for projection in ALL}, seen(history)
    queue = [row for row in _rows(by_name["fallout"], events) if row["state"] == "open"]
    for order in _rows(by_name["orders"], events):
        assert order["open_fallouts"] == len([row for row in queue if row["stream"] == f"order-{order['order_id']}"])


def test_an_order_from_capture_to_end() -> None:
    """Leaf lines stand in for items until the plan; the order's state is its items', and times are business times."""
    by_name = {projection.name: projection for projection in ALL}
    done = [of_order(0, name, 30, item=item) for item in ("1", "2") for name in ("sim.assigned", "number.assigned")]
    events = seen([captured(0, 1), planned(0, 9), *done, of_order(0, "order.completed", 40)])
    items, orders = by_name["items"], by_name["orders"]

    assert [(row["item"], row["state"]) for row in _rows(items, events[:1])] == [("2", "acknowledged"), ("1.1", "acknowledged")]
    assert [(row["item"], row["state"]) for row in _rows(items, events[:4])] == [("1", "completed"), ("2", "acknowledged")]
    [order] = _rows(orders, events)
    assert (order["state"], order["items"], order["customer_id"]) == ("completed", 2, "C-0")
    assert order["captured_at"] == "2026-01-05T09:01:00.00001+00:00"
    assert order["closed_at"] == "2026-01-05T09:40:00.0004+00:00"


def test_an_unfit_event_stops_its_group_only() -> None:
    """Later events of the group wait; another group goes on; the explanation names the place and no value."""
    orders = ALL[0]
    bad, good = captured(0), captured(1)
    bad.body.pop("lines")
    events = seen([bad, planned(0), good])
    fold = Fold(orders, names_of(orders.types))
    fold.take(fold.assign_groups(events))

    [waiting] = fold.waiting.values()
    assert [event.position for event in waiting] == [1, 2]
    assert waiting[0].error.startswith("KeyError at order_progress.py:")
    assert list(fold.docs) == [good.order_id]
    with pytest.raises(FoldFailed, match=r"order.captured at position 1 .*: KeyError at order_progress"):
        _fold(orders, events)


class _Probe(Event):
    """Renamed `colour` to `shade` and gained `size`."""

    upcasts = (Upcast(renames={"colour": "shade"}, defaults={"size": 1}),)
    shade: str
    size: int


def test_old_events_are_read_by_their_declared_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body of an older schema version is renamed and filled before a fold sees it."""
    monkeypatch.setitem(EVENT_TYPES, "probe.seen", _Probe)
    [event] = seen([captured(0)])
    row = (1, event.event_id, "s", 1, "probe.seen", 1, event.occurred_at, None, None, "web", event.command_id, "test", '{"colour": "red"}')

    assert Reader([frozenset({"probe.seen"})]).record(row).body == {"shade": "red", "size": 1}


_STATUSES = st.sampled_from(("planned", "requested", "done", "held", "pending", "cancelled", "undone"))
_ITEMS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.builds(
        ItemProgress,
        st.dictionaries(st.sampled_from(("sim", "number")), _STATUSES, min_size=1),
        st.lists(st.sampled_from("abcdef"), max_size=2).map(tuple),
        st.sampled_from(("", "", "failed", "cancelled")),
    ),
)


@hypothesis.given(items=_ITEMS, data=st.data())
def test_roll_up_does_not_depend_on_the_order_of_items(items: dict[str, ItemProgress], data: st.DataObject) -> None:
    """The same items in another order give the same state (order life cycle, section 1)."""
    shuffled = dict(data.draw(st.permutations(list(items.items()))))

    assert order_state(Progress({}, items)) == order_state(Progress({}, shuffled))


@hypothesis.given(
    items=_ITEMS,
    ended=st.sampled_from(("failed", "cancelled")),
    shapes=st.lists(st.sampled_from(("requested", "done", "fell-out", "undone", "resumed")), min_size=1, max_size=5),
)
def test_an_ended_item_stays_ended(items: dict[str, ItemProgress], ended: str, shapes: list[str]) -> None:
    """Steps that still report on an item that failed or was cancelled do not bring it back."""
    progress = Progress({}, {**items, "a": ItemProgress({"sim": "requested"}, (), ended)})
    for shape in shapes:
        progress = follow(progress, shape, "sim", "a", "us")
    assert item_state(progress.items["a"]) == ended
    assert ended in FINAL
