"""Who is waited for at each step of an order, and since when: from the steps' own events and from what the desk notes of their fallouts."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from o2c.plan import STEPS
from projections.engine.fold import Fold
from projections.engine.projection import Doc
from projections.engine.seen import names_of
from projections.waits import LEAD, UNDER_WAY, WAITS
from tests.histories import DAY_ONE, Told, captured, of_order, order_id, planned, seen

FELL = {"item": "1", "fallout": "f-1", "waiting_for": "us"}
PORT = {
    "item": "1", "msisdn": "+447700900123", "reference": "P", "window_closes_at": None, "cutoff_at": None, "zone": "Europe/London", "rules": "GB@2026-01",
}  # fmt: skip


def folded(*history: Told) -> Doc:
    """The document of order 0 after these events, which it was captured and planned before."""
    fold = Fold(WAITS, names_of(WAITS.types), strict=True)
    fold.take(fold.assign_groups(seen([captured(0), planned(0, 1), *history])))
    return fold.docs[order_id(0)]


def line(place: str, *history: Told) -> list[tuple[int, str]]:
    """Who is waited for at a step, from which whole minute on."""
    told = folded(*history)["steps"][place]["line"]
    return [(round((datetime.fromisoformat(at) - DAY_ONE).total_seconds() / 60), who) for at, who in told]


def due(minutes: int) -> str:
    return (DAY_ONE + timedelta(minutes=minutes)).isoformat()


def handled(name: str, minutes: int, **body: Any) -> Told:
    return Told("fallout-f-1", name, {"fallout": "f-1", "fell_out_in": f"order-{order_id(0)}", **body}, order_id(0), None, minutes)


def asked(step: str, minutes: int, due_at: int) -> Told:
    return of_order(0, f"{step}.requested", minutes, item="1", due_at=due(due_at))


def fell(minutes: int, whom: str = "us", step: str = "sim") -> Told:
    return of_order(0, f"{step}.fell-out", minutes, **{**FELL, "waiting_for": whom})


LINES = [
    pytest.param("1/sim", [asked("sim", 10, 10)], [(10, "us")], id="stock is ours"),
    pytest.param("1/delivery", [asked("delivery", 10, 40)], [(10, "us"), (40, "partner")], id="our own lead is ours, then the courier has it"),
    pytest.param("1/delivery", [asked("delivery", 10, 5_000)], [(10, "customer"), (5_000, "partner")], id="a day that the customer wished"),
    pytest.param("1/delivery", [asked("delivery", 10, 5_000), of_order(0, "step.cancelled", 70, item="1", step="delivery")], [(10, "customer"), (70, "")],
                 id="what was foreseen does not come"),
    pytest.param("1/sim", [asked("sim", 10, 10), fell(20), of_order(0, "sim.assigned", 50, item="1")], [(10, "us"), (50, "")], id="our fallout is ours"),
    pytest.param("1/sim", [asked("sim", 10, 10), fell(20, "partner"), of_order(0, "sim.assigned", 50, item="1")], [(10, "us"), (20, "partner"), (50, "")],
                 id="a fallout says whom it waits for"),
    pytest.param("1/sim", [fell(20), handled("fallout.paused", 30, waits_for="customer"), handled("fallout.resumed", 40)],
                 [(20, "us"), (30, "customer"), (40, "us")], id="the desk waits for somebody, and then no more"),
    pytest.param("1/sim", [fell(20), of_order(0, "sim.assigned", 25, item="1"), handled("fallout.paused", 30, waits_for="customer")],
                 [(20, "us"), (25, "")], id="a fallout that is closed waits for nobody"),
    pytest.param("1/esim-download", [asked("esim-download", 10, 10), of_order(0, "partner.accepted", 12, item="1", step="esim-download", ask_again_at=due(60))],
                 [(10, "customer")], id="a download is the customer's, whoever tells of it"),
    pytest.param("1/activation", [asked("activation", 10, 10), of_order(0, "call.parked", 12, item="1", step="activation")], [(10, "partner")],
                 id="a partner that is down is a partner"),
    pytest.param("/validation", [of_order(0, "validation.fell-out", 5, item="", waiting_for="channel"), of_order(0, "order.validated", 9)],
                 [(5, "channel"), (9, "")], id="a gate"),
    pytest.param("1/sim", [asked("sim", 10, 10), of_order(0, "item.cancelled", 30, item="1")], [(10, "us"), (30, "")], id="an item that ended"),
    pytest.param("1/sim", [asked("sim", 10, 10), of_order(0, "order.cancelled", 30)], [(10, "us"), (30, "")], id="an order that ended"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "history", "waited"), LINES)
def test_who_is_waited_for(place: str, history: list[Told], waited: list[tuple[int, str]]) -> None:
    """By the minute."""
    assert line(place, *history) == waited


def port(name: str, minutes: int, opens: int, **days: str) -> Told:
    told = {**PORT, "agreed_on": "2026-01-07", "deadline_on": "2026-01-07", "wished_on": "", "missed_on": "", **days}
    more = {"replaced": due(0), "cause": "delivery"} if name == "porting.rescheduled" else {}
    return of_order(0, name, minutes, window_opens_at=due(opens), **told, **more)


PORTS = [
    pytest.param([port("porting.scheduled", 10, 2_880)], [(20, "regulator"), (2_880, "partner")], id="the notice is the regulator's"),
    pytest.param([port("porting.scheduled", 10, 2_880, agreed_on="2026-01-08", wished_on="2026-01-08")], [(20, "regulator"), (1_440, "customer"), (2_880, "partner")],
                 id="beyond it, the day that the customer wished"),
    pytest.param([port("porting.scheduled", 10, 2_880, agreed_on="2026-01-08")], [(20, "regulator"), (1_440, "partner")], id="beyond it, what is not there yet"),
    pytest.param([port("porting.scheduled", 10, 1_000), port("porting.rescheduled", 15, 2_880, missed_on="2026-01-07", agreed_on="2026-01-08")], [(20, "partner")],
                 id="a window that was missed because of a parcel"),
    pytest.param([port("porting.scheduled", 10, 15)], [(20, "partner")], id="a window that is open"),
]  # fmt: skip


@pytest.mark.parametrize(("history", "waited"), PORTS)
def test_a_port_waits_for_its_notice(history: list[Told], waited: list[tuple[int, str]]) -> None:
    """The time that the market's rules ask for is nobody's delay."""
    assert line("1/cutover", *history, asked("cutover", 20, 2_880)) == waited


def test_every_step_with_a_partner_says_who_is_waited_for() -> None:
    """The table of the fold is that of the plan, which it may not import: no step of an order is forgotten, none has a partner that it has not."""
    partnered = {name for name, step in STEPS.items() if step.ask and step.requested and step.requested.of_stream == "order"}
    assert partnered == set(UNDER_WAY)
    assert max(step.lead for step in STEPS.values() if step.requested and step.requested.of_stream == "order") < LEAD
