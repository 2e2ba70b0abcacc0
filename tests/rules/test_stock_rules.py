"""SIMs and numbers: taken in once, drawn from their pool, waited for when there are none, given back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from o2c.kernel.agenda import NEVER
from o2c.kernel.decision import Guard
from o2c.kernel.event import Event
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import Offered, Requested
from o2c.numbers import rules as numbers
from o2c.numbers.state import KIND as NUMBER
from o2c.plan import STEPS
from o2c.sim import rules as sims
from o2c.sim.state import KIND as SIM
from o2c.stock.state import KIND as DELIVERY
from tests.given import BOOK, MONDAY, PORTING, Story, item

ICCID, OTHER_ICCID = "8944500102198304826", "8944500102198304834"
IMSI, OTHER_IMSI = "001010000000001", "001010000000002"
ESIM = (ICCID, IMSI, "esim")
PLAIN = ("+447700910001", "normal")


@pytest.mark.parametrize(
    ("announce", "rows", "why"),
    [
        pytest.param(sims.announce, [(ICCID[:-1] + "7", IMSI, "esim")], "row 1: .*check digit", id="iccid-check-digit"),
        pytest.param(sims.announce, [("1234", IMSI, "esim")], "row 1: .*not an ICCID", id="iccid-too-short"),
        pytest.param(sims.announce, [(ICCID, "99", "esim")], "row 1: .*not an IMSI", id="imsi"),
        pytest.param(sims.announce, [(ICCID, IMSI, "nano")], "row 1: kind is not one of", id="kind"),
        pytest.param(sims.announce, [(ICCID, IMSI)], "row 1: kind is missing;", id="a-column-short"),
        pytest.param(sims.announce, [()], "row 1: iccid is missing;", id="an-empty-row"),
        pytest.param(sims.announce, [ESIM, (OTHER_ICCID, IMSI, "esim")], "row 2: the same IMSI as row 1", id="imsi-twice"),
        pytest.param(sims.announce, [ESIM, (ICCID, IMSI, "physical")], "row 2: the same ICCID as row 1", id="iccid-twice"),
        pytest.param(sims.announce, [ESIM, (ICCID + "F", IMSI, "esim")], "row 2: the same ICCID as row 1", id="iccid-twice-with-filler"),
        pytest.param(numbers.announce, [("07700910001", "normal")], "row 1: .*not an E.164", id="number-national"),
        pytest.param(numbers.announce, [("+447700910001", "silver")], "row 1: class is not one of", id="class"),
        pytest.param(numbers.announce, [PLAIN, PLAIN], "row 2: the same number as row 1", id="number-twice"),
        pytest.param(numbers.announce, [("+447700910001",)], "row 1: class is missing;", id="number-without-class"),
        pytest.param(
            numbers.announce, [PLAIN, ("+442079460018", "normal")], "row 2: it is no possible mobile number of GB", id="a-landline"
        ),
        pytest.param(numbers.announce, [("+12025550143", "normal")], r"row 1: no market of ours .* \+1;", id="another-country"),
        pytest.param(numbers.announce, [("+4407700910557", "normal")], "row 1: it is no possible mobile number of GB", id="a-trunk-zero"),
        pytest.param(numbers.announce, [("x", "normal"), PLAIN, PLAIN], "row 1: .*; row 3: the same number as row 2;", id="two-bad-rows"),
        pytest.param(numbers.announce, [("x", "normal")] * 7, "row 5: .*; and 2 more; nothing of the file", id="many-bad-rows"),
    ],
)
def test_a_delivery_with_a_bad_row_is_refused_whole(announce: Callable[..., Any], rows: list[tuple[str, ...]], why: str) -> None:
    """The bad rows are named, each with its reason, and nothing of the file is taken in."""
    with pytest.raises(Refused, match=why):
        announce(rows=tuple(rows), at=MONDAY)


def arrived(announced: Requested, known: set[str]) -> tuple[dict[str, int], list[str]]:
    """What arrives of a delivery when some pieces are known: the counts by pool, and the streams."""
    step = STEPS[announced.step_name]
    work = DELIVERY.work(DELIVERY.evolve(DELIVERY.initial("delivery-1"), announced), "delivery-1", "", step.name, BOOK)
    work = type(work)(work.stream, "", step.name, 1, work.state, None, read={s: object() if s in known else None for s in step.reads(work)})
    decision = step.complete(work, {}, MONDAY)
    [done] = decision.events
    return done.pools, [stream for stream, _ in decision.elsewhere]


@pytest.mark.parametrize(
    ("rows", "known", "pools"),
    [
        pytest.param([ESIM, (OTHER_ICCID, OTHER_IMSI, "physical")], set(), {"sim/esim": 1, "sim/physical": 1}, id="all-new"),
        pytest.param([ESIM, (OTHER_ICCID, OTHER_IMSI, "esim")], {f"sim-{ICCID}"}, {"sim/esim": 1}, id="one-known"),
        pytest.param([ESIM], {f"sim-{ICCID}"}, {}, id="all-known"),
        pytest.param([(ICCID + "F", IMSI, "esim")], {f"sim-{ICCID}"}, {}, id="known-under-its-other-spelling"),
        pytest.param([], set(), {}, id="empty"),
    ],
)
def test_only_what_is_new_is_taken_in(rows: list[tuple[str, ...]], known: set[str], pools: dict[str, int]) -> None:
    """A delivery that is announced twice, or overlaps another, counts each SIM once."""
    found, streams = arrived(sims.announce(rows=tuple(rows), at=MONDAY), known)
    assert found == pools
    assert len(streams) == sum(pools.values())


def test_a_sim_holds_its_imsi_for_good() -> None:
    """The guard is taken with the SIM; a delivery with an IMSI of another SIM is not taken in."""
    work = DELIVERY.work(
        DELIVERY.evolve(DELIVERY.initial("delivery-1"), sims.announce(rows=(ESIM,), at=MONDAY)), "delivery-1", "", "sim-arrival", BOOK
    )
    step, guard = STEPS["sim-arrival"], Guard("imsi", IMSI, f"sim-{ICCID}")
    assert step.complete(work, {}, MONDAY).takes == (guard,)
    assert step.check(replace(work, guards={guard: f"sim-{ICCID}"}), MONDAY) == ""
    assert step.check(replace(work, guards={guard: f"sim-{OTHER_ICCID}"}), MONDAY).startswith("SYS-BUG: 1 IMSIs")


def test_golden_numbers_have_a_pool_of_their_own() -> None:
    """They come in, and no line is given one by itself."""
    pools, _ = arrived(numbers.announce(rows=(PLAIN, ("+447700910777", "golden")), at=MONDAY), set())
    assert pools == {"number/44/normal": 1, "number/44/golden": 1}
    assert STEPS["number"].pool(Story(item()).run(until="sim").work("1", "number")) == "number/44/normal"


@pytest.mark.parametrize(
    ("wanted", "pool"),
    [
        pytest.param({"simType": "esim"}, "sim/esim", id="esim"),
        pytest.param({"simType": "physical"}, "sim/physical", id="physical"),
    ],
)
@pytest.mark.parametrize(("step", "reason"), [("sim", "INV-SIM"), ("number", "INV-NUM")])
def test_an_empty_pool_is_waited_for(wanted: dict[str, str], pool: str, step: str, reason: str) -> None:
    """The item is pending on the supplier, its row sleeps until the pool is filled, and nothing is tried by the clock."""
    story = Story(item(characteristics=wanted)).run(until="number")
    story.attend(step, "1", in_stock=False)
    fell_out, entry = story.events[-1], story.agenda["1", step]
    expected = pool if step == "sim" else "number/44/normal"
    assert (fell_out.reason, fell_out.awaits, fell_out.waiting_for, fell_out.queue) == (reason, expected, "partner", "inventory")
    assert (entry.kind, entry.pool, entry.due_at, entry.since, entry.priority) == ("stock", expected, NEVER, MONDAY, 4)
    assert (story.states()["1"], "retry.scheduled" in story.names()) == ("pending", False)


def test_a_woken_order_takes_its_piece_under_the_next_attempt() -> None:
    """The stock wakes it, it draws again, and the fallout is over; if another was faster it waits on under the same fallout."""
    story = Story(item()).run(until="sim")
    for _ in range(2):
        story.attend("sim", "1", in_stock=False)
        story.attend("sim", "1")
    story.attend("sim", "1")
    fallouts = [event for event in story.events if event.type_name == "sim.fell-out"]
    assert [event.attempt for event in fallouts] == [1, 2]
    assert len({event.fallout for event in fallouts}) == 1
    assert story.last("sim.assigned").attempt == 3
    assert story.run().states()[""] == "completed"


def test_an_assignment_takes_the_piece_out_of_stock_under_a_guard() -> None:
    """The order and the piece's own stream both tell it, and the guard makes a second taker fail."""
    story = Story(item(characteristics=PORTING)).run(until="porting")
    assigned, taken = story.last("sim.assigned"), story.last("sim.taken")
    assert (taken.iccid, taken.order, taken.item) == (assigned.iccid, "1001", "1")
    assert taken.withdrawal() == ("sim/esim", assigned.iccid)
    assert story.holders["sim", assigned.iccid] == "order-1001/1"
    number = story.last("number.assigned")
    assert (number.temporary, story.holders["number", number.msisdn]) == (True, "order-1001/1")


EXAMPLES = {
    kind.category: [event.model_validate(event.example) for event in events]
    for kind, events in (
        (SIM, (sims.SimReceived, sims.SimTaken, sims.SimReturned, sims.SimRestocked)),
        (NUMBER, (numbers.NumberReceived, numbers.NumberTaken, numbers.NumberQuarantined, numbers.NumberBroughtIn)),
    )
}


@pytest.mark.parametrize(
    ("kind", "events", "status"),
    [
        pytest.param(SIM, EXAMPLES["sim"][:1], "available", id="sim-received"),
        pytest.param(SIM, EXAMPLES["sim"][:2], "assigned", id="sim-taken"),
        pytest.param(SIM, EXAMPLES["sim"][:3], "returned", id="sim-returned"),
        pytest.param(SIM, EXAMPLES["sim"], "available", id="sim-restocked"),
        pytest.param(NUMBER, EXAMPLES["number"][:1], "available", id="number-received"),
        pytest.param(NUMBER, EXAMPLES["number"][:2], "assigned", id="number-taken"),
        pytest.param(NUMBER, EXAMPLES["number"][:3], "quarantined", id="number-resting"),
        pytest.param(NUMBER, EXAMPLES["number"][3:], "ported_in", id="number-brought-in"),
    ],
)
def test_a_piece_of_stock_has_its_status(kind: Any, events: list[Event], status: str) -> None:
    """A SIM and a number tell from their own events whether they are free."""
    state = kind.initial(f"{kind.category}-1")
    for event in events:
        state = kind.evolve(state, event)
    assert state.status == status


def test_what_rests_is_offered_when_its_time_has_come() -> None:
    """A returned SIM and a resting number are no candidates; the event that ends their rest offers them."""
    offered = {event.type_name for events in EXAMPLES.values() for event in events if isinstance(event, Offered)}
    assert offered == {"sim.received", "sim.restocked", "number.received"}
    resting = EXAMPLES["number"][2]
    [row] = NUMBER.agenda(NUMBER.initial("number-1"), resting, "number-1")
    assert (row.step, row.kind, row.due_at) == ("number-restock", "submit", resting.due_at)
