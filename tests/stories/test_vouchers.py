"""Vouchers from issue to invoice: named in orders' papers, reserved, redeemed or given back, within their budget."""

import json
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Correct
from o2c.desk.vouchers import issue_vouchers
from o2c.engine.app import Context
from o2c.entrypoints.python import OrderToCash
from o2c.kernel.partner import Accepted
from o2c.kernel.refusal import Refused
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from o2c.views.vouchers import show_vouchers
from tests.agreeing import disagreements
from tests.desk import Desk
from tests.shell import Shell
from tests.world import Document, World, at, line, order


def vouched(code: str, **more: Any) -> Document:
    """A line that names a code."""
    made = line(**more)
    made["product"]["productCharacteristic"].append({"name": "voucher", "value": code})
    return made


def guards(world: World) -> list[tuple[str, str]]:
    rows = world.app.reads.rows("SELECT key, holder FROM o2c.guard WHERE kind = 'voucher' ORDER BY key")
    return [(row["key"], row["holder"]) for row in rows]


def test_a_voucher_is_reserved_redeemed_and_billed(world: World) -> None:
    """Given two uses, the first order has one, the second has the other and gives it back, so that the third has it, and the fourth waits for its channel,
    which does without. The invoices of three months are what the oracle says, and the discount ends."""
    world.stocked(esims=4)
    issue_vouchers(world.app, Context("ann"), "SPRING", percent="50", months=2, uses_max=2, budget="100.00")
    world.take(order("WEB-1", vouched("SPRING")), order("WEB-2", vouched("SPRING", sim="physical"), party="C-2"))
    world.run(at(5, 9, 5))
    world.cancel("WEB-2")
    world.take(order("WEB-3", vouched("SPRING"), party="C-2", on=at(6, 9)))
    world.run(at(6, 12))
    world.take(order("WEB-4", vouched("SPRING"), party="C-3", on=at(6, 13)))
    world.run(at(6, 14))
    [fallout] = world.fallouts("WEB-4")
    assert fallout["reason"] == "DQ-VOUCHER"
    world.resolve("DQ-VOUCHER", Correct({"line.1.voucher": ""}))
    world.run(at(10, month=4))

    assert {name: world.state(name) for name in ("WEB-1", "WEB-2", "WEB-3", "WEB-4")} == {
        "WEB-1": "completed", "WEB-2": "cancelled", "WEB-3": "completed", "WEB-4": "completed",
    }  # fmt: skip
    holders = [f"order-{world.order(name).order_id}/" for name in ("WEB-1", "WEB-3")]
    assert [key for key, _ in guards(world)] == ["SPRING#1", "SPRING#2"]
    assert sorted(holder for _, holder in guards(world)) == sorted(holders)
    [shown] = show_vouchers(world.app, campaign="SPRING")
    [code] = shown["codes"]
    assert (code["reserved"], code["redeemed"], code["left"], shown["reserved_minor"]) == (0, 2, 0, 0)
    assert shown["redeemed_minor"] + (shown["left_minor"] or 0) == 10_000
    ends = [name for name in world.types("voucher-SPRING") if name in ("voucher.redeemed", "voucher.released")]
    assert (world.types("voucher-SPRING").count("voucher.reserved"), sorted(ends)) == (
        3,
        ["voucher.redeemed", "voucher.redeemed", "voucher.released"],
    )

    caught_up(world.app)
    told = [json.loads(json.dumps(event)) for name in ("WEB-1", "WEB-3", "WEB-4") for event in order_timeline(world.app, name)]
    assert disagreements(told) == []
    assert [leak.row() for leak in check_assurance(world.app)] == []
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    lines = world.app.reads.rows(
        "SELECT body ->> 'issued_on' AS day, line ->> 'discount' AS name FROM o2c.event, jsonb_array_elements(body -> 'lines') AS line"
        " WHERE type = 'invoice.issued' AND body ->> 'account' = 'BA-C-1' AND line ->> 'kind' = 'discount' ORDER BY position, 1"
    )
    assert {(row["day"], row["name"]) for row in lines} == {("2026-01-08", "SPRING"), ("2026-02-08", "SPRING")}


def test_a_voucher_held_too_long_is_another_s(world: World) -> None:
    """Given one use, reserved for ten days, the order whose parcel is long on its way goes on without it, and the order of another customer has it. What the bills
    say is what the oracle says: the first pays the whole price, the second half of it."""
    world.stocked()
    world.scripted.will("delivery", lambda request: Accepted("PCL-1", at(20, 11)))
    issue_vouchers(world.app, Context("ann"), "SPRING", percent="50", months=2, budget="40.00", reserved_days=10)
    world.take(order("WEB-1", vouched("SPRING", sim="physical")))
    world.run(at(15, 8))
    assert world.state("WEB-1") == "inProgress"
    assert world.types("voucher-SPRING") == ["voucher.issued", "voucher.reserved"]
    world.run(at(15, 10))
    assert world.types("voucher-SPRING")[2:] == ["voucher.released"]
    world.take(order("WEB-2", vouched("SPRING"), party="C-2", on=at(15, 11)))
    world.run(at(10, month=4))

    assert [world.state(name) for name in ("WEB-1", "WEB-2")] == ["completed", "completed"]
    assert world.types("voucher-SPRING")[3:] == ["voucher.reserved", "voucher.redeemed"]
    priced = [event["data"] for event in order_timeline(world.app, "WEB-1") if event["type"] == "order.priced"]
    assert [each["recurring"][0]["reduced_minor"] > 0 for each in priced] == [True, False]
    caught_up(world.app)
    told = [json.loads(json.dumps(event)) for name in ("WEB-1", "WEB-2") for event in order_timeline(world.app, name)]
    assert disagreements(told) == []
    assert [leak.row() for leak in check_assurance(world.app)] == []
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    lines = world.app.reads.rows(
        "SELECT DISTINCT body ->> 'account' AS account FROM o2c.event, jsonb_array_elements(body -> 'lines') AS line"
        " WHERE type = 'invoice.issued' AND line ->> 'kind' = 'discount'"
    )
    assert [row["account"] for row in lines] == ["BA-C-2"]


def test_vouchers_are_issued_and_shown_on_every_face(shell: Shell, dsn: str) -> None:
    """On the command line and in Python the same; issued again it is as it was, with other terms it is refused."""
    asked = (
        "vouchers",
        "issue",
        "SPRING",
        "--percent",
        "20",
        "--months",
        "3",
        "--code",
        "SPRING-A1",
        "--code",
        "SPRING-B2",
        "--actor",
        "ann",
    )
    assert shell.run(*asked).returncode == 0
    again = shell.run(*asked)
    assert (again.returncode, "issued already" in again.stderr) == (0, True), again.stderr
    assert shell.run(*asked, "--uses", "2").returncode != 0
    assert shell.run(*asked, "--reserved-days", "10").returncode != 0
    rows = [json.loads(text) for text in shell.run("vouchers", "show", "SPRING", "-o", "jsonl").stdout.splitlines()]
    assert [(row["code"], row["takes_off"], row["left"], row["reserved_days"]) for row in rows] == [
        ("SPRING-A1", "20 % for 3 months", 1, 90),
        ("SPRING-B2", "20 % for 3 months", 1, 90),
    ]
    with OrderToCash(dsn) as o2c:
        [shown] = o2c.vouchers(campaign="SPRING-A1")
        assert (shown["discount"]["percent"], shown["left_minor"]) == ("20", None)
        o2c.issue_vouchers("ONCE", Context("ann"), amount="10.00", of="one-time")
        assert [each["campaign"] for each in o2c.vouchers()] == ["ONCE", "SPRING"]
        with pytest.raises(Refused, match="no vouchers of campaign NOSUCH"):
            o2c.vouchers(campaign="NOSUCH")
        wrong: tuple[dict[str, Any], ...] = (
            {"percent": "20", "amount": "1.00"},
            {},
            {"percent": "0"},
            {"percent": "x"},
            {"amount": "0"},
            {"amount": "cheap"},
            {"percent": "5", "months": -1},
        )
        for terms in wrong:
            with pytest.raises(Refused, match="campaign OTHER"):
                o2c.issue_vouchers("OTHER", Context("ann"), **terms)


def test_a_day_of_validity_begins_at_midnight_of_the_market(world: World) -> None:
    """A campaign from 1 July to 2 July in London, which is an hour before UTC: an order of 23:30 UTC of 30 June is within, one of 23:00 UTC of 1 July is not.
    In Amsterdam it begins two hours before; a time with its zone is what it says."""
    desk = Desk(world.dsn, world.folder)
    desk.types("vouchers", "issue", "JULY", "--percent", "20", "--months", "3", "--from", "2026-07-01", "--until", "2026-07-02")
    desk.types("vouchers", "issue", "JULI", "--percent", "20", "--months", "3", "--from", "2026-07-01", "--market", "NL")
    desk.types("vouchers", "issue", "EXACT", "--percent", "20", "--months", "3", "--from", "2026-07-01T00:00:00Z")
    shown = {each["campaign"]: (each["valid_from"], each["valid_to"]) for each in show_vouchers(world.app)}
    assert shown == {
        "JULY": ("2026-06-30T23:00:00Z", "2026-07-01T23:00:00Z"), "JULI": ("2026-06-30T22:00:00Z", ""), "EXACT": ("2026-07-01T00:00:00Z", ""),
    }  # fmt: skip
