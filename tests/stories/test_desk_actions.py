"""What a person at the desk does, typed as commands: an order that waits goes on, a deposit is taken."""

import uuid

import pytest

from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from tests.desk import Desk, actors
from tests.world import World, at, line, order, ported


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

    said = desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--currency", "GBP", "--reference", "TFR-1")
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
