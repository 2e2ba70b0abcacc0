"""What a person at the desk does, typed as commands: an order that waits goes on, a deposit is taken."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest

from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.views.status import cycle_times
from tests.desk import Desk, actors
from tests.world import NINE, World, at, line, order, ported


def test_a_port_code_is_corrected_and_the_order_goes_on(world: World, desk: Desk) -> None:
    """A line came without its code; the agent finds it in the queue, types the code, and the number is ported and the order completed."""
    world.take(order("WEB-1", ported(code="")))
    world.run(at(5, 10))
    fallout = desk.finds("NP-CODE")
    assert desk.sees("fallout", "show", fallout)["waiting_for"] == "customer"

    desk.types("fallout", "resolve", fallout, "--correct", "portInCode=ABC123456", "--reason", "read back by phone")
    world.run(at(20))

    assert world.state("WEB-1") == "completed"
    assert world.outcome("WEB-1", "1", "number-change")["msisdn"] == "+447700900123"
    assert desk.sees("fallout", "show", fallout)["state"] == "closed"
    assert actors(world, "order-" + world.order("WEB-1").order_id, "fallout.correction-applied") == ["ann"]


def test_a_referral_is_approved_and_the_order_completes(world: World, desk: Desk) -> None:
    """The bureau refers; the underwriter looks at it in the queue and approves; sent twice with one command id it counts once."""
    world.scripted.will("credit", RefusedBy("REFER"))
    world.take(order("WEB-1", line()))
    world.run(at(5, 10))
    fallout, command = desk.finds("CR-REFER"), str(uuid.uuid4())
    for _ in range(2):
        desk.types("fallout", "resolve", fallout, "--decide", "approve", "--reason", "payslips seen", "--command-id", command)

    world.run(at(6))

    assert world.state("WEB-1") == "completed"
    assert world.told("WEB-1").count("fallout.decided") == 1


def test_more_stock_wakes_who_waits(world: World, desk: Desk) -> None:
    """Five numbers for six lines: the sixth waits, more numbers are loaded, and it completes."""
    world.sims(esim=7)
    world.take(*(order(f"WEB-{n}", line()) for n in range(1, 7)))
    world.run(at(5, 10))
    [waiting] = desk.sees("fallout", "list", "--reason", "INV-NUM")
    file = world.written("more.csv", [("msisdn", "class"), ("+447700912222", "normal")])

    desk.types("load", "numbers", str(file))
    world.run(at(6))

    assert {world.state(f"WEB-{n}") for n in range(1, 7)} == {"completed"}
    assert desk.sees("fallout", "show", waiting["fallout"])["closed_by"] == "number.assigned"


def test_a_deposit_passes_the_gate(wanting: World, desk: Desk) -> None:
    """The queue says how much is wanted; the deposit approves the order, closes the fallout, and the log says who took it."""
    fallout = desk.finds("CR-DEPOSIT")
    assert desk.sees("fallout", "show", fallout)["detail"] == "a deposit of 100.00 GBP"

    said = desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--reference", "TFR-1")
    wanting.run(at(6))

    assert "the credit gate is passed" in said
    assert wanting.state("WEB-1") == "completed"
    assert wanting.order("WEB-1").record("", "credit").outcome["decided_by"] == "deposit"
    assert desk.sees("fallout", "show", fallout)["closed_by"] == "credit.approved"
    assert actors(wanting, "order-" + wanting.order("WEB-1").order_id, "deposit.received") == ["ann"]


def test_a_deposit_comes_in_instalments(wanting: World, desk: Desk) -> None:
    """Too little leaves the gate waiting and says what is missing; the same reference is the same money; the rest passes the gate."""
    first = ("payments", "deposit", "WEB-1", "--amount", "40.00", "--currency", "GBP", "--reference", "TFR 1")
    assert "60.00 GBP is still missing" in desk.types(*first)
    assert "60.00 GBP is still missing" in desk.types(*first[:-1], " TFR  1 ")
    assert wanting.run(at(6)).state("WEB-1") == "pending"

    desk.types("payments", "deposit", "WEB-1", "--amount", "60.00", "--currency", "GBP", "--reference", "TFR 2")
    desk.types("payments", "deposit", "WEB-1", "--amount", "60.00", "--currency", "GBP", "--reference", "TFR 2")

    assert wanting.run(at(7)).state("WEB-1") == "completed"
    assert wanting.told("WEB-1").count("deposit.received") == 2


REFUSED = (
    (("WEB-2", "--amount", "100.00", "--currency", "GBP"), "conflict", "waits for no deposit"),
    (("WEB-9", "--amount", "100.00", "--currency", "GBP"), "missing", "no order WEB-9"),
    (("WEB-1", "--amount", "100.00", "--currency", "EUR"), "usage", "wanted in GBP"),
    (("WEB-1", "--amount", "0", "--currency", "GBP"), "usage", "more than nothing"),
    (("WEB-1", "--amount", "-5", "--currency", "GBP"), "usage", "more than nothing"),
    (("WEB-1", "--amount", "1e2", "--currency", "GBP"), "usage", "write the amount as 23.99"),
    (("WEB-1", "--amount", "1.005", "--currency", "GBP"), "usage", "more decimal places"),
    (("WEB-1", "--amount", "much", "--currency", "GBP"), "usage", "is not a decimal amount"),
)


def test_what_is_no_deposit_is_refused(wanting: World, desk: Desk) -> None:
    """One line says why; nothing is written."""
    wanting.take(order("WEB-2", line()), name="second.jsonl")
    told = wanting.told("WEB-1")
    for words, kind, says in REFUSED:
        with pytest.raises(Refused, match=says) as refused:
            desk.types("payments", "deposit", *words, "--reference", "TFR-1")
        assert refused.value.kind == kind, words
    assert wanting.told("WEB-1") == told


def test_nothing_is_no_correction_of_an_item(world: World, desk: Desk) -> None:
    """An empty code is no code: the port would only be refused again."""
    world.take(order("WEB-1", ported(code="")))
    world.run(at(5, 10))
    with pytest.raises(Refused, match="nothing said for it") as refused:
        desk.types("fallout", "resolve", desk.finds("NP-CODE"), "--correct", "portInCode=", "--reason", "typed too fast")
    assert refused.value.kind == "usage"


def test_an_order_ahead_of_the_clock_ends_no_sooner_than_it_began(world: World, desk: Desk) -> None:
    """Taken in on the first of January, given on the fifth, cancelled at once: over when it was given, in no time."""
    world.take(order("WEB-1", line()))
    said = desk.types("orders", "cancel", "WEB-1", "--reason", "ordered twice")
    shown = desk.sees("orders", "show", "WEB-1")

    assert said.splitlines()[-1] == "order WEB-1 is cancelled"
    assert world.when("WEB-1", "order.cancelled") == NINE
    assert shown["closed_at"] == shown["captured_at"]
    assert min(row["p50_s"] for row in cycle_times(world.app)) == 0
    assert world.app.clock().now < NINE - timedelta(days=1)


def test_a_cancelled_order_tells_the_deposit_to_pay_back(wanting: World, desk: Desk) -> None:
    """Both instalments in one sum; the same again under its id; told once, with what was undone."""
    for amount, reference in (("40.00", "TFR-1"), ("20.00", "TFR-2")):
        desk.types("payments", "deposit", "WEB-1", "--amount", amount, "--reference", reference)
    wish = ("orders", "cancel", "WEB-1", "--reason", "ordered twice")
    again = (*wish, "--command-id", str(uuid.uuid4()))

    def undone(*words: str) -> Any:
        """The rows; what is said after them is of no interest."""
        return json.JSONDecoder().raw_decode(desk.types(*words, "-o", "json"))[0]

    told = undone(*again)

    assert told[-1] == {"item": "", "step": "credit", "undone": "deposit 60.00 GBP to pay back"}
    assert undone(*again) == told
    assert undone(*wish) == []
    assert "carries on" not in desk.types(*wish)


@pytest.mark.parametrize(
    ("code", "state"), [pytest.param("DECLINE", "rejected", id="rejected"), pytest.param("", "completed", id="completed")]
)
def test_only_what_was_delivered_has_services_to_end(world: World, desk: Desk, code: str, state: str) -> None:
    """Nobody is sent to end the services of an order that never had any."""
    world.scripted.will("credit", *([RefusedBy(code)] if code else []))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    assert world.state("WEB-1") == state
    with pytest.raises(Refused, match=f"is {state} and cannot be cancelled") as refused:
        desk.types("orders", "cancel", "WEB-1", "--reason", "ordered twice")
    assert ("end of its services" in str(refused.value)) is (state == "completed")
