"""Whether what happened keeps to the declared rules: our own runs do, and what is planted in one is found, each of it and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.conformance import RULE_NAMES, check_conformance
from o2c.entrypoints.python import OrderToCash
from o2c.kernel.event import EVENT_TYPES
from o2c.kernel.refusal import Refused
from o2c.partners import faults
from o2c.partners.registry import simulated_partners
from o2c.simulation.launch import write_launch
from o2c.views.orders import list_orders
from o2c.views.reading import caught_up
from tests.histories import Told, append, captured, of_order
from tests.shell import Shell, one_line
from tests.world import World, at, line, order, ported

FAULTS: tuple[tuple[faults.Fault, float], ...] = (("none", 0.0), ("transient", 12.0), ("permanent", 3.0), ("unknown", 5.0))
"""One call in five fails, or is not answered."""


def rows(world: World) -> dict[str, dict[str, Any]]:
    return {kept.rule: kept.row() for kept in check_conformance(world.app)}


def test_a_launch_with_faults_keeps_every_rule(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever partners do, and whatever is cancelled on the way: no rule is broken, and those of a launch had something to look at."""
    monkeypatch.setattr(faults, "FAULT_PERCENTS", FAULTS)
    files = write_launch(tmp_path, count=60, seed=11)
    world = World(dsn, tmp_path, simulated_partners(11)).launched(files)
    world.take_file(files.orders)
    world.run(at(8))
    caught_up(world.app)
    for listed in list_orders(world.app, state="inProgress")[:4]:
        world.cancel(listed["external_id"])
    world.run(at(15, month=3))

    found = rows(world)
    assert list(found) == list(RULE_NAMES)
    assert [row for row in found.values() if row["violations"]] == []
    assert {name for name, row in found.items() if not row["orders"]} <= {
        "refusal-told-in-time",
        "not-billed-once-withdrawn",
        "warning-before-bar",
        # Nobody leaves so soon; tests/stories/test_ported_out.py asks it of a store that customers leave.
        "port-out-states",
        # Nor is anybody switched so; tests/stories/test_switching.py asks it of a store whose customer is.
        "switch-out-states",
        "switch-in-states",
        "suspension-states",
        # Nor is anything of a customer's changed or ended; tests/stories/test_switched_off.py asks it of a store where it is.
        "service-change-states",
        "product-off-states",
        "off-by-the-network",
        "off-with-its-base",
        # Nor does anybody try in vain or complain; tests/stories/test_journeys.py and test_complaints.py ask it of stores in which somebody does.
        "journey-states",
        "complaint-states",
        # Nor does anybody withdraw; tests/stories/test_withdrawals.py asks it of a store in which customers do.
        "withdrawal-states",
        # Nor did its first businesses pay late yet; tests/stories/test_late_interest.py asks it of one that does.
        "late-payment-after-overdue",
        # A launch sells no devices; tests/stories/test_instalments.py asks these of a store that does.
        "device-states",
        "device-in-one-hand",
        "goods-charged-after-delivery",
    }
    assert found["order-states"]["orders"] == files.order_count - 1
    world.close()


@pytest.fixture
def lived(dsn: str, tmp_path: Path) -> World:
    """Three orders that came to their end, one of which brought its number and one of which is debited, and their first bills."""
    world = World(dsn, tmp_path).stocked(pays="direct-debit")
    world.take(order("A", line()), order("B", ported(), party="C-2"), order("C", line(), party="C-3"))
    return world.run(at(20))


def planted(world: World) -> list[Told]:
    """Five faults, one of a kind, as facts that no rule was asked about."""
    ended, other = world.order("A"), world.order("C")
    msisdn = world.outcome("A", "1", "number")["msisdn"]
    [invoice] = world.app.reads.rows("SELECT stream FROM o2c.event WHERE type = 'invoice.issued' AND customer_id = 'C-1'")
    taken = {"msisdn": msisdn, "order": other.order_id, "item": "1"}
    paid = {"amount_minor": 100, "method": "direct-debit", "credit_minor": 0, "attempt": 1, "item": ""}
    early = 10 * 24 * 60
    return [
        captured(7),
        of_order(7, "activation.requested", 4),
        of_order(7, "service.activated", 5),
        Told(f"number-{msisdn}", "number.taken", taken, other.order_id, "C-3", early),
        Told(invoice["stream"], "payment.received", paid, None, "C-1", early),
        Told("collection-BA-C-1", "collections.barred", {"level": "soft", "notices": [], "lines": []}, None, "C-1", early),
        Told(f"order-{ended.order_id}", "promise.revised", dict(EVENT_TYPES["promise.revised"].example), ended.order_id, "C-1", early),
    ]


FIVE = ["credit-before-activation", "number-in-one-hand", "notice-respected", "warning-before-bar", "nothing-after-the-end"]


def test_five_planted_violations_are_found_and_nothing_else(lived: World, tmp_path: Path) -> None:
    """Each by its rule, with the event that broke it; before they were planted, none."""
    assert [row for row in rows(lived).values() if row["violations"]] == []

    positions = append(lived.dsn, planted(lived))

    found = [violation for kept in check_conformance(lived.app) for violation in kept.broken]
    by_rule = {violation.rule: violation.position for violation in found}
    assert len(found) == 5
    assert by_rule == dict(zip(FIVE, positions[2:], strict=True))
    # Debited on the 15th at nine, noticed from the 22nd on: ten bank days after the bill of the 8th.
    assert round(rows(lived)["notice-respected"]["delay_s"]) == 7 * 86_400 - 9 * 3_600
    lived.close()


def test_the_command_line_tells_of_rules_and_of_what_broke_them(lived: World, tmp_path: Path) -> None:
    """Exit 0 while all are kept; then exit 5, the counts, and on demand every violation. No number stands in full."""
    shell = Shell(lived.dsn, tmp_path)
    good = shell.run("conformance", "-o", "jsonl")
    assert (good.returncode, len(good.stdout.splitlines())) == (0, len(RULE_NAMES))

    append(lived.dsn, planted(lived))

    bad = shell.run("conformance", "-o", "jsonl")
    told = [json.loads(text) for text in bad.stdout.splitlines()]
    assert bad.returncode == 5
    assert list(told[0]) == ["rule", "orders", "violations", "first_event", "delay_s"]
    assert sum(row["violations"] for row in told) == 5
    assert "5 cases break 5 of" in bad.stderr
    listed = [json.loads(text) for text in shell.run("conformance", "--violations", "-o", "jsonl").stdout.splitlines()]
    assert [row["rule"] for row in listed] == FIVE
    assert {row["event"] for row in listed} == {row["first_event"] for row in told if row["first_event"]}
    assert "+4477" not in json.dumps(listed)
    one = shell.run("conformance", "--rule", "order-states", "-o", "json")
    assert (one.returncode, [row["rule"] for row in json.loads(one.stdout)]) == (0, ["order-states"])
    moved = shell.run("conformance", "states", "--rule", "sim-states", "-o", "json")
    assert (moved.returncode, [(row["event"], row["seen"]) for row in json.loads(moved.stdout) if row["seen"]]) == (
        0,
        [("sim.received", 6), ("sim.taken", 3)],
    )
    none = shell.run("conformance", "states", "--rule", "warning-before-bar")
    assert (none.returncode, "has no states" in one_line(none)) == (3, True)
    lived.close()


def test_rules_can_be_read_and_a_rule_that_is_none_is_refused(lived: World, tmp_path: Path) -> None:
    """Each with what it says; a name that is nearly right is offered."""
    shell = Shell(lived.dsn, tmp_path)
    listed = json.loads(shell.run("conformance", "--rules", "-o", "json").stdout)

    assert [row["rule"] for row in listed] == list(RULE_NAMES)
    assert all(row["says"].endswith(".") and row["source"] and row["events"] and row["kind"] for row in listed)
    wrong = shell.run("conformance", "--rule", "order-state")
    assert (wrong.returncode, "did you mean order-states?" in one_line(wrong)) == (3, True)
    lived.close()


def test_a_service_asks_the_same(lived: World) -> None:
    """What broke a rule comes with it."""
    append(lived.dsn, planted(lived))

    with OrderToCash(lived.dsn) as o2c:
        [kept] = o2c.conformance(rule="number-in-one-hand")
        assert [violation.order for violation in kept.broken] == [lived.order("C").order_id]
        with pytest.raises(Refused, match="no rule is called"):
            o2c.conformance(rule="no such")
        assert {(move.event, move.seen) for move in o2c.transitions(machine="invoice-states") if move.seen} == {
            ("invoice.issued", 3), ("payment.received", 1),
        }  # fmt: skip
    lived.close()
