"""A defect of ours stops one row of the agenda, loudly, and nothing else: the run goes on, and a person can try again."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from o2c.desk.act import Rule
from o2c.desk.complaints import open_complaint
from o2c.desk.fallout import Fail, Retry
from o2c.desk.journeys import note_attempt
from o2c.desk.numbers import reserve
from o2c.desk.orders import cancel_port
from o2c.desk.payments import deposit
from o2c.desk.prepaid import top_up
from o2c.desk.products import port_out, porting_code
from o2c.desk.refunds import request_refund
from o2c.desk.streams import act_by_rules
from o2c.desk.vouchers import issue_vouchers
from o2c.engine.app import Context
from o2c.kernel.agenda import Entry
from o2c.kernel.balances import CreditReceived
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn
from o2c.kernel.decision import Decision, just
from o2c.kernel.partner import Accepted, Answered, RefusedBy
from o2c.kernel.reasons import OutageRule
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import RetryScheduled
from o2c.kernel.step import Step
from o2c.markets import registry
from o2c.markets.gb import GB
from o2c.orders.events import OrderCompleted
from o2c.orders.in_life import product_of
from o2c.partners.outages import Detected
from o2c.partners.rules import detect_down
from o2c.plan import STEPS
from o2c.products import switching
from o2c.products.events import product_stream
from o2c.products.switching import SwitchWish
from o2c.simulation.launch_data import COPPER, LINE_ADD_ONS, SECOND_LINE, number_stock
from o2c.withdrawals.events import WithdrawalAwaited
from tests.desk import DEPOSIT
from tests.handsets import handset, selling
from tests.lives_of_products import change
from tests.lives_of_withdrawals import device, service, withdrawn
from tests.stories.test_vouchers import vouched
from tests.world import ADDRESS, NINE, World, at, item, line, order, ported

REPORTS = {"C-6": RefusedBy("REFER"), "C-7": DEPOSIT, "C-9": DEPOSIT}
"""What the bureau says of whom; of all others it says nothing against them."""
GIVEN_UP = ("GIVEN-UP", "CALLED-OFF", "SENT-BACK", "UNUSED")
WITHOUT_ITS_PORT = "WITHOUT"
LEAVING = ("LEAVING-1", "LEAVING-2")
SWITCHED = "SWITCHED"
ON_ITS_WAY = "ON-ITS-WAY"


class Defect(Exception):
    """What only a mistake of ours raises."""


@pytest.fixture
def world(store_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    # So that a deposit leads to a notice, and a customer is told of the end of a term of twelve months in its first weeks.
    soon = replace(GB.life, end_notice=replace(GB.life.end_notice, told_days_before=340))
    duty = replace(GB, credit=replace(GB.credit, notice_days=30), life=soon)
    monkeypatch.setitem(registry._BY_PIN, GB.pin, duty)
    made = World(store_dsn, tmp_path)
    yield made
    made.close()


def once(step: Step, raised: list[str]) -> Step:
    """The step, whose rule raises the first time it is asked to complete: in an order that is not given up meanwhile, if it can be there."""

    def complete(work: Any, data: Any, now: Any) -> Decision:
        spared = getattr(work.state, "external_id", "") in (*GIVEN_UP, WITHOUT_ITS_PORT) and not step.recalls
        if step.name not in raised and not spared:
            raised.append(step.name)
            raise Defect(step.name)
        return step.complete(work, data, now)

    return replace(step, complete=complete)


def lived(world: World) -> None:
    """A world in which every step of the plan comes up: lines, a port, an access, an order given up while its partners have their work, a port
    cancelled on its own, a device that is sent and one that comes back, a number kept that nobody takes, a voucher that is held too long, a journey that nothing followed, a top-up that expires, a deposit given back, an
    invoice that is not paid, a courier that was found to be down, a line whose plan is changed, one that nobody uses, one whose other SIM nobody wants, and which ends with an add-on."""
    selling(world.stocked(esims=13, physical=3, numbers=18, customers=11))
    found: Rule = lambda state, now: detect_down(state, "courier", Detected(now, now, 8, 8), OutageRule())  # noqa: E731 - a name for its type
    act_by_rules(world.app, Context("ann"), "partner-courier", [found], wish="down")
    world.scripted.will("9/esim", Accepted("PRF-1", at(12)))
    world.scripted.will("8/appointment", Accepted("VIS-1", at(12)))
    world.scripted.will("5/esim-download", Accepted("DWN-1", at(12)))
    world.scripted.will("4/esim-download", RefusedBy("8.8.5-3.8"))
    world.scripted.will("credit", *[lambda request: REPORTS.get(request.body["customer"], Answered())] * 20)
    world.scripted.will("payment", RefusedBy("DECLINED"))
    issue_vouchers(world.app, Context("ann"), "SPRING", percent="20", months=3, reserved_days=3)
    note_attempt(world.app, Context("web-shop"), "failed", "web", login="a@example.org", error="HTTP-504")
    open_complaint(world.app, Context("ann"), "C-1", topic="service", channel="web")
    world.take(
        order("PORTED", ported()),
        order("PHYSICAL", line(sim="physical"), party="C-2"),
        order("ACCESS", item(COPPER, "1", place=ADDRESS, commitmentMonths="12", switchFrom="Other Fibre"), party="C-3"),
        order("GIVEN-UP", ported("9", msisdn="+447700900777"), party="C-4"),
        order("CALLED-OFF", item(COPPER, "8", place=ADDRESS, commitmentMonths="12", switchFrom="Other Fibre"), party="C-5"),
        order("KEPT", vouched("SPRING"), party="C-6"),
        order("DEPOSIT", line(), party="C-7"),
        order("RETURNED", line(), party="C-9"),
        order("DEVICE", handset("6"), party="C-10"),
        order("SENT-BACK", handset("7"), party="C-10"),
        *[order(name, line(), party="C-11") for name in (*LEAVING, SWITCHED, ON_ITS_WAY)],
        order(WITHOUT_ITS_PORT, ported(msisdn="+447700900778"), party="C-8"),
        order("UNUSED", line("5"), party="C-8"),
        order("BASE", line(), item(LINE_ADD_ONS[1], "2", relies_on="1"), party="C-8"),
    )
    world.run(NINE + timedelta(minutes=30))
    with suppress(Refused):
        cancel_port(world.app, Context("ann"), WITHOUT_ITS_PORT, note="")
    with suppress(Refused):  # where the defect keeps it at its first gate
        reserve(world.app, Context("ann"), next(iter(number_stock(12)))[0], "KEPT", until=at(6))
    with suppress(Refused):  # where the defect keeps its account from being opened
        top_up(world.app, Context("ann"), "BA-C-2", amount="10.00", reference="PAY-1", valid_days=5)
    with suppress(Refused):  # where the defect keeps it open
        deposit(world.app, Context("ann"), "RETURNED", amount="5.00", reference="TFR-1")
        world.cancel("RETURNED")
        request_refund(world.app, Context("ann"), "BA-C-9", amount="5.00")
    for n, product in enumerate((service(), device()), 1):
        declared = withdrawn(product).events
        act_by_rules(
            world.app, Context("ann"), f"withdrawal-{service().order}:{n}", [lambda state, now, told=declared: just(*told)], wish="withdraw"
        )
    coming = {
        **WithdrawalAwaited.example,
        "order": world.order(ON_ITS_WAY).order_id,
        "product": product_of(world.order(ON_ITS_WAY).order_id, "1"),
    }
    awaited = WithdrawalAwaited.model_validate({**coming, "account": "BA-C-11", "customer": "C-11", "due_at": NINE + timedelta(days=1)})
    act_by_rules(world.app, Context("ann"), f"withdrawal-{coming['product']}", [lambda state, now: just(awaited)], wish="withdraw")
    charged = ChargeStarted.model_validate({**ChargeStarted.example, "account": "BA-GONE"})
    credited = CreditReceived.model_validate({**CreditReceived.example, "account": "BA-GONE"})
    ended = ChargeWithdrawn(order=charged.order, item=charged.item, ended_on="2026-01-05")
    act_by_rules(
        world.app, Context("ann"), "account-BA-GONE", [lambda state, now: just(charged, credited, ended)], wish="left with a credit"
    )
    world.scripted.will("port-out-cutover", RefusedBy("FAILED"))
    for external_id in LEAVING:
        with suppress(Refused):  # where the defect keeps it from being in service
            asked_for(world, external_id)
    with suppress(Refused):  # as above
        switched(world)
    for external_id in GIVEN_UP:
        world.cancel(external_id)
    world.take(
        order("CHANGED", change(world, "PHYSICAL", offering=SECOND_LINE), on=at(30), party="C-2"),
        order("SWAP", change(world, "BASE", simSwap="lost", number="4"), on=world.app.clock().now, party="C-8"),
    )
    world.run(NINE + timedelta(minutes=50))
    with suppress(ValueError):  # where the defect keeps its SIM from being downloaded at all
        world.resolve("SIM-DL-REJ", Fail(), of="SWAP")
    world.take(order("END", change(world, "BASE", action="delete"), on=at(30), party="C-8"))


def switched(world: World) -> None:
    """The customer of a line has another provider, whatever it is that serves him."""
    stream = product_stream(product_of(world.order(SWITCHED).order_id, "1"))
    messages: tuple[Rule, ...] = (
        lambda state, now: switching.matched(state, GB, SwitchWish("Other", "OTS-1"), "R", owed_minor=0, rises=(), at=now),
        lambda state, now: switching.ordered(state, GB, "R", NINE.date(), at=now),
        lambda state, now: switching.triggered(state, GB, "R", NINE.date(), at=now),
    )
    for turn, rule in enumerate(messages):
        act_by_rules(world.app, Context("hub"), stream, [rule], wish=f"switch {turn}")


def asked_for(world: World, external_id: str) -> None:
    """Another operator asks for the number of a line."""
    of = product_of(world.order(external_id).order_id, "1")
    code = porting_code(world.app, Context("ann"), of).code
    port_out(world.app, Context("clearing"), of, operator="Other Mobile", reference=external_id, code=code)


@pytest.mark.parametrize("name", [name for name in STEPS if name not in ("duplicate", "task")])
def test_every_step_s_own_events_are_of_that_step(name: str) -> None:
    """What asks for a step and what it falls out with move that step's row and no other."""
    step = STEPS[name]
    assert {event.step_name for event in (step.requested, step.fell_out) if event} == {name}


def test_a_step_with_another_s_fallout_cannot_be_made() -> None:
    """Its row would stay on the agenda, and the run would attend to it for ever."""
    with pytest.raises(ValueError, match=r"number-restock declares number\.fell-out of step number;"):
        replace(STEPS["number-restock"], fell_out=STEPS["number"].fell_out)


ARRIVALS = ("sim-arrival", "number-arrival", "device-arrival")


@pytest.mark.parametrize("name", ARRIVALS)
def test_a_delivery_that_a_defect_stopped_is_taken_in_by_a_retry(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The fallout stands on the delivery's own stream, and asks for the same rows again."""
    raised: list[str] = []
    monkeypatch.setitem(world.app.book.__dict__, "steps", {**STEPS, name: once(STEPS[name], raised)})
    selling(world.stocked(esims=2, physical=0, numbers=3))
    [fallout] = world.fallouts(reason="SYS-BUG")
    assert (fallout["step"], fallout["queue"], raised) == (name, "engineering", [name])

    world.resolve("SYS-BUG", Retry())
    world.run(at(6))

    assert world.fallouts(reason="SYS-BUG") == []
    world.take(order("WEB-1", line("1"), handset("2")))
    assert world.run(at(9)).state("WEB-1") == "completed"


LATE = {"tax-relief": at(1, month=8), "complaint-clock": at(1, month=3)}
"""By when the steps come up that are due months after what they are about."""


NOT_IN_THIS_WORLD = ("duplicate", "task", "suspension", "credit-note", *ARRIVALS)
"""Steps that only a person moves, one that a suspended order waits in, one that needs numbers approved beforehand (`test_number_ranges.py` stops it so), and deliveries
(above)."""


@pytest.mark.parametrize("name", [name for name in STEPS if name not in NOT_IN_THIS_WORLD])
def test_a_rule_that_raises_once_stops_nobody_else(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever step it is, its row leaves the agenda as a fallout for engineering, the run ends, and a retry makes it good."""
    raised: list[str] = []
    monkeypatch.setitem(world.app.book.__dict__, "steps", {**STEPS, name: once(STEPS[name], raised)})
    lived(world)
    # Before the next stage of collections asks the network for another bar, which makes up for the first.
    world.run(LATE.get(name, at(18, month=2)))

    assert raised == [name]
    stopped = world.fallouts(reason="SYS-BUG")
    assert [(one["step"], one["waiting_for"]) for one in stopped] == [(name, "us")]
    world.resolve("SYS-BUG", Retry())
    world.run(at(1, month=4 if name != "tax-relief" else 9))
    assert world.fallouts(reason="SYS-BUG") == []


def test_a_decision_that_leaves_its_row_is_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that yields events of something else would come up for ever: the row is stopped, and says so in the queue."""
    stray = replace(STEPS["activation"], complete=lambda work, data, now: just(OrderCompleted()))
    monkeypatch.setitem(world.app.book.__dict__, "steps", {**STEPS, "activation": stray})
    world.stocked()
    world.take(order("WEB-1", line()), order("WEB-2", item(COPPER, "1", place=ADDRESS, commitmentMonths="12")))
    with capture_logs() as logged:
        world.run(at(7))

    assert {entry["error"] for entry in logged if entry["event"] == "rule_failed"} == {"Unmoved"}
    [fallout] = world.fallouts("WEB-1")
    assert (fallout["reason"], fallout["step"], world.state("WEB-1")) == ("SYS-BUG", "activation", "held")


def test_a_row_that_nothing_moves_is_taken_off_the_agenda(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When even the fallout leaves the row, a generic event does not: the run ends, the order waits for engineering."""
    lost = replace(STEPS["activation"], complete=lambda work, data, now: just())
    # As a defect in the fallout's own rule would have it: its events speak of another item.
    monkeypatch.setattr(
        "o2c.kernel.flow.fall_out", lambda step, work, code, now, **more: just(RetryScheduled(step="sim", attempt=2, due_at=now))
    )
    monkeypatch.setitem(world.app.book.__dict__, "steps", {**STEPS, "activation": lost})
    world.stocked()
    world.take(order("WEB-1", line()))
    world.run(at(7))

    assert world.told("WEB-1")[-1] == "step.stopped"
    assert [row.entry for row in world.app.reads.of_stream(f"order-{world.order('WEB-1').order_id}")] == []
    [fallout] = world.fallouts("WEB-1")
    assert (fallout["step"], fallout["queue"]) == ("activation", "engineering")


def test_a_command_that_comes_again_while_its_row_stands_stops_the_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that was attended to and stands all the same, whatever put it back, is stopped at the second pass and not attended to for ever."""
    world.stocked()
    world.take(order("WEB-1", line()))
    world.run(at(6))
    stream = f"order-{world.order('WEB-1').order_id}"
    done = world.when("WEB-1", "service.activated")
    _put_back(world, stream, Entry(stream, "1", "activation", "submit", done, 4, NINE))
    with capture_logs() as logged:
        world.run(at(7))

    assert [entry["step"] for entry in logged if entry["event"] == "row_stopped"] == ["activation"]
    assert world.app.reads.of_stream(stream) == []


def _put_back(world: World, stream: str, entry: Entry) -> None:
    sql = """INSERT INTO o2c.agenda (stream, item, step, kind, due_at, priority, since, attempt, pool, cause, round)
        SELECT %s, %s, %s, %s, %s, %s, %s, %s, '', event_id, 0 FROM o2c.event WHERE stream = %s AND type = 'activation.requested'"""
    with world.app.log_recorder.datastore.get_connection() as conn:
        conn.execute(
            sql.encode(), (stream, entry.item, entry.step, entry.kind, entry.due_at, entry.priority, entry.since, entry.attempt, stream)
        )
