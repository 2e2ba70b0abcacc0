"""Everything about a customer on one page, its figures reckoned again from the log, and contacts noted down once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from o2c.desk.customers import record_contact, register_customer
from o2c.engine.app import Context, Written
from o2c.kernel.identifiers import order_id
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.orders.document import SOURCE
from o2c.views.customers import balance, show_customer
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from projections.catalogue import BY_NAME
from projections.engine.operations import catch_up, verify
from tests.world import World, at, customer, line, order, ported

ANN = Context("ann")


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def page(world: World, name: str = "C-1", *, personal: bool = False) -> dict[str, Any]:
    caught_up(world.app)
    return show_customer(world.app, name, personal=personal)


def contacted(world: World, name: str = "C-1", context: Context = ANN, **changes: Any) -> Written:
    told = {"medium": "call", "topic": "where-is-my-order", **changes}
    return record_contact(world.app, context, name, **told)


def said(world: World, sql: str, *parameters: object) -> list[Any]:
    """The one column of a question to the log itself."""
    return [next(iter(row.values())) for row in world.app.reads.rows(sql, *parameters)]


def test_a_page_shows_everything_of_one_customer(world: World) -> None:
    """Two orders, one of them stuck: what serves, what is promised, what is held, what is open, what is owed; nothing of the neighbour."""
    world.stocked(pays="invoice")
    world.scripted.will("porting", RefusedBy("NAME-MISMATCH"))
    world.take(order("WEB-1", line("1"), line("2", sim="physical")), order("WEB-2", ported()), order("WEB-3", line(), party="C-2"))
    world.run(at(7))
    shown = page(world)
    stuck, done = order_id(SOURCE, "C-1", "WEB-2"), order_id(SOURCE, "C-1", "WEB-1")

    assert {row["external_id"]: row["state"] for row in shown["orders"]} == {"WEB-1": "completed", "WEB-2": "pending"}
    assert {(row["order"], row["item"]) for row in shown["in_service"]} == {(done, "1"), (done, "2")}
    promised = said(
        world, "SELECT body->'items'->0->>'promised_on' FROM o2c.event WHERE type = 'order.planned' AND order_id = %s::uuid", stuck
    )
    assert [(row["order"], row["item"], row["promised_on"]) for row in shown["promised"]] == [(stuck, "1", *promised)]
    numbers = {str(world.outcome(name, item, "number")["msisdn"]) for name, item in (("WEB-1", "1"), ("WEB-1", "2"), ("WEB-2", "1"))}
    sims = {str(world.outcome(name, item, "sim")["iccid"]) for name, item in (("WEB-1", "1"), ("WEB-1", "2"), ("WEB-2", "1"))}
    assert {row["msisdn"] for row in shown["numbers"]} == numbers
    assert {row["iccid"] for row in shown["sims"]} == sims
    assert [(row["order"], row["reason"]) for row in shown["open_fallouts"]] == [(stuck, "NP-NAME")]
    assert shown["contacts"] == []


def balanced(**amounts: int) -> dict[str, int]:
    """A balance with these amounts and nothing else."""
    names = ("invoiced", "credit_used", "lowered", "written_off", "paid", "open", "overdue", "credit", "deposits", "owed", "returned")
    return {f"{name}_minor": amounts.get(name, 0) for name in names}


def test_the_balance_is_what_the_log_says(world: World) -> None:
    """Invoiced, paid, open and overdue, summed up again from the events of the invoices: paid by card, then a bill nobody paid."""
    world.stocked(pays="card")
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 4)
    world.take(order("WEB-1", line()))
    world.run(at(20, month=2))
    totals = said(world, "SELECT (body->>'total_minor')::int FROM o2c.event WHERE type = 'invoice.issued' ORDER BY position")
    paid = said(world, "SELECT (body->>'amount_minor')::int FROM o2c.event WHERE type = 'payment.received'")
    late = said(world, "SELECT stream FROM o2c.event WHERE type = 'invoice.overdue'")
    settled = set(said(world, "SELECT stream FROM o2c.event WHERE type = 'payment.received'"))
    overdue = said(
        world,
        "SELECT (body->>'total_minor')::int FROM o2c.event WHERE type = 'invoice.issued' AND stream = ANY(%s)",
        [stream for stream in late if stream not in settled],
    )
    shown = page(world)

    assert len(totals) == 2
    assert overdue
    assert shown["balance"] == {
        "GBP": balanced(invoiced=sum(totals), paid=sum(paid), open=sum(totals) - sum(paid), overdue=sum(overdue)),
    }
    assert [row["total_minor"] for row in shown["invoices"]] == totals


def test_amounts_of_different_currencies_are_never_added() -> None:
    """One balance a currency; what was paid in part counts with the rest as open, what came on top with the account that holds it."""
    bills = [
        {
            "currency": "GBP",
            "total_minor": 1000,
            "credit_used_minor": 0,
            "lowered_minor": 0,
            "paid_minor": 400,
            "above_minor": 0,
            "state": "overdue",
        },
        {
            "currency": "GBP",
            "total_minor": 500,
            "credit_used_minor": 100,
            "lowered_minor": 150,
            "paid_minor": 0,
            "above_minor": 0,
            "state": "issued",
        },
        {
            "currency": "GBP",
            "total_minor": 300,
            "credit_used_minor": 0,
            "lowered_minor": 0,
            "paid_minor": 450,
            "above_minor": 150,
            "state": "paid",
        },
        {
            "currency": "EUR",
            "total_minor": 700,
            "credit_used_minor": 0,
            "lowered_minor": 0,
            "paid_minor": 700,
            "above_minor": 0,
            "state": "paid",
        },
    ]
    held = [{"currency": "GBP", "credit_minor": 50, "deposits_minor": 20, "owed_minor": 10, "returned_minor": 5}]

    assert balance(bills, held) == {
        "EUR": balanced(invoiced=700, paid=700),
        "GBP": balanced(
            invoiced=1800, credit_used=100, lowered=150, paid=850, open=850, overdue=600, credit=50, deposits=20, owed=10, returned=5
        ),
    }


def test_personal_fields_are_shown_only_when_asked_for(world: World) -> None:
    """Without the word neither name nor birth date is on the page."""
    world.stocked()

    assert "Holmquay" not in str(page(world))
    assert "1984" not in str(page(world))
    assert page(world, personal=True)["name"] == "Tamsel Holmquay"


def test_a_customer_known_from_orders_only(world: World) -> None:
    """A party that is not registered has a page as soon as an order names it; nobody has none."""
    world.stocked()
    world.take(order("WEB-1", line(), party="C-77"))
    shown = page(world, "C-77")

    assert (shown["registered"], [row["external_id"] for row in shown["orders"]]) == (False, ["WEB-1"])
    with pytest.raises(Refused, match="no customer C-78") as caught:
        page(world, "C-78")
    assert caught.value.kind == "missing"


# -- contacts


def test_a_contact_is_on_the_page_and_in_the_timeline(world: World) -> None:
    """A call about an order, and one about nothing in particular; what was said is on neither."""
    world.stocked()
    world.take(order("WEB-1", line()), order("WEB-2", line()))
    contacted(world, order="WEB-1", note="he sounded like Fenwick")
    contacted(world, medium="courtesy", topic="other", direction="outbound")
    shown = page(world)["contacts"]

    told = [(row["medium"], row["direction"], row["topic"], row["order"]) for row in shown]
    assert told == [("call", "inbound", "where-is-my-order", order_id(SOURCE, "C-1", "WEB-1")), ("courtesy", "outbound", "other", None)]
    lines = {name: list(order_timeline(world.app, name)) for name in ("WEB-1", "WEB-2")}
    assert [[event["type"] for event in events].count("customer.contacted") for events in lines.values()] == [1, 0]
    assert "Fenwick" not in f"{lines} {shown} {world.app.reads.rows('SELECT * FROM projection.contacts_doc')}"
    catch_up(world.dsn)
    assert verify(world.dsn, BY_NAME["contacts"]).differing == ()


def test_a_contact_is_noted_down_once_a_command_id(world: World) -> None:
    """A repeat gets the first answer; the same words under another id are another call; the id is not used for other words."""
    world.stocked()
    call = Context("ann", command_id=str(uuid4()))
    first, again, later = contacted(world, context=call), contacted(world, context=call), contacted(world)
    with pytest.raises(Refused, match="used for something else"):
        contacted(world, context=call, topic="bill")

    assert (again.position, again.repeated) == (first.position, True)
    assert (later.position > first.position, later.repeated) == (True, False)
    assert world.types("customer-C-1") == ["customer.registered", "customer.contacted", "customer.contacted"]


def test_a_contact_names_an_order_of_the_customer(world: World) -> None:
    """Somebody else's order is a conflict, no order is missing, and nothing is written."""
    world.stocked()
    world.take(order("WEB-1", line(), party="C-2"))
    for name, wanted, kind, says in (
        ("C-1", {"order": "WEB-1"}, "conflict", "order WEB-1 is not of customer C-1"),
        ("C-1", {"order": "WEB-9"}, "missing", "WEB-9"),
        ("C-9", {}, "missing", "registered customers only"),
    ):
        with pytest.raises(Refused, match=says) as caught:
            contacted(world, name, **wanted)
        assert caught.value.kind == kind

    assert world.types("customer-C-1") == ["customer.registered"]
    assert world.types("customer-C-9") == []


def test_a_contact_stands_at_its_time(world: World) -> None:
    """The page gives the time of the clock, in order."""
    world.stocked()
    world.run(at(5))
    contacted(world)
    world.run(at(5) + timedelta(hours=2))
    contacted(world)

    assert [row["contacted_at"] for row in page(world)["contacts"]] == ["2026-01-05T00:00:00Z", "2026-01-05T02:00:00Z"]


def test_papers_that_stand_so_already_have_an_answer_of_their_own(world: World) -> None:
    """A new wish that changes nothing says so, with the position at which it saw the customer, and writes nothing; the same wish again says so too."""
    world.stocked()
    first = register_customer(world.app, ANN, customer("C-9"))
    world.take(order("WEB-1", line()))
    own = replace(ANN, command_id=str(uuid4()))
    told = [register_customer(world.app, own, customer("C-9")) for _ in range(2)]
    register_customer(world.app, ANN, customer("C-9", pays="invoice"))
    told.append(register_customer(world.app, own, customer("C-9")))

    assert [(one.position, one.unchanged, one.repeated) for one in told] == [
        (first.position, True, False), (first.position, True, True), (first.position, True, True),
    ]  # fmt: skip
    assert world.types("customer-C-9") == ["customer.registered"] * 2
    assert not first.unchanged
