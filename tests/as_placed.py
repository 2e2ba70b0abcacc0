"""How an order that was changed on its way is held against one that was placed so from the start: what stands of it, and what stays outside."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from o2c.kernel.charges import LATE_CHANGE, ChargeStarted, ChargeWithdrawn
from o2c.kernel.shapes import item_of
from o2c.orders.penalties import charge_of
from o2c.orders.revision_events import OrderRevised
from o2c.orders.rollup import FINAL
from o2c.orders.state import Planned
from o2c.porting.events import PortInCancelRefused
from tests.changing import Changing, Phase
from tests.given import MARKET, Document, Story
from tests.moves import note
from tests.with_partners import outside, too_soon

Carried = TypeVar("Carried", bound=Changing)
Placed = TypeVar("Placed", bound=Story)
BROUGHT_BY = ("portInNumber", "portInCode")
"""The characteristics by which a line brings a number."""


def kept(story: Story, names: Collection[str]) -> dict[str, Any]:
    """What stands of some items when their order is over: what each is, costs and obtained; what is held for it; and what is charged."""
    state = story.state
    held = Counter((kind, key if kind == "port-in" else "", of) for (kind, key), of in story.holders.items() if kind != CREDITED)
    return {
        "items": {name: _as_planned(state.items[name]) for name in names},
        "states": {name: story.states()[name] for name in names},
        "steps": {name: dict(sorted(state.progress.items[name].steps.items())) for name in names},
        "held": {one: times for one, times in held.items() if one[2].rpartition("/")[2] in names},
        "charges": Counter((one.item, one.recurring_minor) for one in charged(story) if one.item in names),
        "outside": Counter({one: times for one, times in outside(story).items() if one[0] in names}),
        "sims": {name: count for name, count in _net(story, "sim.assigned", "sim.released", "sim.lost").items() if name in names},
        "numbers": {name: count for name, count in _net(story, "number.assigned", "number.released").items() if name in names},
    }


def charged(story: Story) -> list[ChargeStarted]:
    """What is charged in the end but for what changes cost: a charge that was withdrawn, as what it is for was on and failed, is none."""
    running: list[ChargeStarted] = []
    for _, event in story.elsewhere:
        if isinstance(event, ChargeStarted) and event.offering != LATE_CHANGE:
            running.append(event)
        elif isinstance(event, ChargeWithdrawn):
            running = [one for one in running if (one.order, one.item) != (event.order, event.item)]
    return running


def _as_planned(one: Planned) -> tuple[Any, ...]:
    sold = one.offering, one.characteristics, one.place, one.recurring_minor, one.one_time_minor, one.terms
    return *sold, one.product, one.attributes, one.on_products, sorted(one.waits)


def counted(story: Story, *, completed: bool) -> set[str]:
    """The items of an order that is over which count in its state: those that were completed, or those that were not."""
    removed = story.state.progress.removed
    return {name for name, how in story.states().items() if name and name not in removed and (how == "completed") is completed}


CREDITED = "compensation"
"""The guards of what is credited to a customer for trouble that he had, such as a visit that nobody made: whatever becomes of the order, that was."""
NOTHING_KEPT: Mapping[str, Any] = {"held": {}, "charges": Counter(), "outside": Counter(), "sims": {}, "numbers": {}}
"""What stands outside of an item that came to nothing."""


class Residue(NamedTuple):
    """What a changed order costs beside what one placed so costs: the line and its attribute, the point of no return that was passed, the events, and how much."""

    line: str
    attribute: str
    ponr: str
    events: tuple[str, ...]
    minor: int


SEEN: Counter[tuple[str, str, int]] = Counter()
"""The residues of all histories by attribute, point and amount: printed at the end (`pytest -s`)."""


def residue(story: Story) -> list[Residue]:
    """Give what it cost that the order was changed when partners had work of it; each has the price that its market declares, and is charged as it was told."""
    found = []
    for event in (one for one in story.events if isinstance(one, OrderRevised)):
        for one in event.penalties:
            names = (f"order.revised {event.revision}", f"account.charge-started {charge_of(one.item, event.revision)}")
            found.append(Residue(one.line, ",".join(one.attributes), one.step, names, one.amount_minor))
            assert one.amount_minor == MARKET.life.change_penalties_minor[one.step]
    late = [event for _, event in story.elsewhere if isinstance(event, ChargeStarted) and event.offering == LATE_CHANGE]
    assert sum(each.one_time_minor for each in late) == sum(one.minor for one in found)
    assert {f"account.charge-started {each.item}" for each in late} == {one.events[1] for one in found}
    assert len(late) == len({each.item for each in late})
    SEEN.update((one.attribute, one.ponr, one.minor) for one in found)
    return found


def _net(story: Story, taken: str, *given: str) -> dict[str, int]:
    """How many pieces each item has in the end."""
    count: Counter[str] = Counter()
    for event in story.events:
        if event.type_name in (taken, *given):
            count[item_of(event)] += 1 if event.type_name == taken else -1
    return {name: number for name, number in count.items() if number}


def as_kept(story: Changing) -> tuple[Document, ...]:
    """The paper in force with the numbers that come all the same, as the clearing house dropped their ports no more: a residue that costs nothing."""
    came = {event.item: event.msisdn for event in story.events if isinstance(event, PortInCancelRefused)}
    has = {
        name: one.characteristics
        for name, one in story.state.items.items()
        if came.get(name) == one.characteristics.get("portInNumber", "")
    }
    after = tuple(_bringing(document, has) for document in story.papers[-1])
    SEEN["portInNumber", "porting-cancel", 0] += after != story.papers[-1]
    return after


def _bringing(document: Document, has: Mapping[str, Mapping[str, str]]) -> Document:
    within = {"productOrderItem": [_bringing(one, has) for one in document["productOrderItem"]]} if "productOrderItem" in document else {}
    if document["id"] not in has:
        return {**document, **within}
    said = {each["name"]: each["value"] for each in document["product"]["productCharacteristic"] if each["name"] not in BROUGHT_BY}
    said |= {name: value for name, value in has[document["id"]].items() if name in BROUGHT_BY}
    return {
        **document,
        **within,
        "product": {**document["product"], "productCharacteristic": [{"name": n, "value": v} for n, v in said.items()]},
    }


def as_charged(story: Story) -> bool:
    """Whether every item costs what it is charged."""
    charged = {event.item: event.recurring_minor for _, event in story.elsewhere if isinstance(event, ChargeStarted)}
    return all(charged.get(name, planned.recurring_minor) == planned.recurring_minor for name, planned in story.state.items.items())


def carried(
    story: Carried, later: Iterable[tuple[Phase, tuple[Document, ...]]], each: Callable[[Carried], None] = lambda _: None
) -> Carried:
    """An order that was changed so, and is still under way or not; `each` looks at it after every change."""
    for phase, items in later:
        story.go(phase)
        story.change(items)
        each(story)
    return story


def sent_again(story: Story) -> bool:
    """Whether an item got more parcels than one for each thing that was its: what was handed over is not sent again by this order, but for what was lost."""
    sent = Counter(item_of(event) for event in story.events if event.type_name == "delivery.delivered")
    lost = Counter(item_of(event) for event in story.events if event.type_name == "sim.lost")
    return any(times > 1 + lost[name] for name, times in sent.items())


def ends_as_placed(story: Changing, placed_by: Callable[..., Placed]) -> tuple[Placed, set[str]]:
    """Let an order go on to its end, and hold it against one that was `placed_by` its last paper: that one, and the items that were completed."""
    note(story.mended())
    assert (too_soon(story), sent_again(story)) == ([], False)
    placed = placed_by(*as_kept(story))
    completed, lost = counted(story, completed=True), counted(story, completed=False)

    assert story.states()[""] in FINAL
    assert completed | lost == set(placed.state.items) or story.states()[""] == "rejected"
    assert (kept(story, completed), residue(placed)) == (kept(placed, completed), [])
    assert {what: kept(story, lost)[what] for what in NOTHING_KEPT} == NOTHING_KEPT
    residue(story)
    return placed, completed


def ends_cancelled(story: Changing) -> bool:
    """Cancel an order that is not over, when people act next; whether it ends so, and then nobody holds anything for it."""
    if not story.state.closed:
        story.cancel(at=story.next_at())
    if story.state.progress.cancellation != "pendingCancellation":
        return False
    note(story.mended())

    assert (too_soon(story), sent_again(story)) == ([], False)
    assert story.states()[""] == "cancelled"
    everything = kept(story, set(story.state.items))
    assert (everything["held"], everything["sims"], everything["numbers"], everything["outside"]) == ({}, {}, {}, Counter())
    return True
