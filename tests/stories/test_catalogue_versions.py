"""Versions of the price list side by side, and one that is not loaded yet tried on the orders that came."""

import json
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.vouchers import issue_vouchers
from o2c.engine.app import Context
from o2c.files import loading
from o2c.simulation.launch_data import LINE, catalogue
from tests.lives_of_products import change
from tests.shell import Shell, one_line
from tests.stories.test_vouchers import vouched
from tests.world import World, at, line, order

Document = dict[str, Any]


def changed(minor: str, **changes: Any) -> Document:
    """The line of the launch at another recurring price."""
    [document] = [each for each in catalogue() if each["id"] == LINE.id]
    prices = [
        {**each, "price": {"dutyFreeAmount": {"unit": "GBP", "value": minor}}} if each["priceType"] == "recurring" else each
        for each in document["productOfferingPrice"]
    ]
    return {**document, "productOfferingPrice": prices, **changes}


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """Two orders in service, one of which was corrected before it was planned."""
    world = World(dsn, tmp_path).stocked()
    world.take(order("WEB-1", line()), order("WEB-2", line(term="24"), party="C-2"))
    world.run(at(8))
    return world


@pytest.fixture
def shell(world: World, dsn: str, tmp_path: Path) -> Shell:
    """The command line on that store."""
    world.close()
    return Shell(dsn, tmp_path / "home")


def tried(shell: Shell, tmp_path: Path, *documents: Document, options: tuple[str, ...] = ("--since", "2026-01-01")) -> Any:
    (tmp_path / "new.json").write_text(json.dumps(documents))
    return shell.data("catalogue", "dry-run", str(tmp_path / "new.json"), *options, "-o", "json")


def test_a_dearer_list_says_what_would_have_been_priced_otherwise(shell: Shell, tmp_path: Path) -> None:
    """Both orders cost 5.00 a month more; the store's own list is as it was, and so is what changes nothing."""
    before = shell.data("catalogue", "list", "-o", "json")
    told = tried(shell, tmp_path, changed("99.00", version="2.0", lifecycleStatus="Draft"))
    assert (told["orders"], told["priced_otherwise"], told["fall_out"]) == (2, 2, 0)
    [month] = [each for each in told["sums"] if each["charged"] == "a month"]
    assert (month["after_minor"], month["difference_minor"]) == (19_800, 19_800 - month["before_minor"])
    assert {each["external_id"]: each["after"]["a month"] for each in told["items"]} == {"WEB-1": 9900, "WEB-2": 9900}
    table = shell.run("catalogue", "dry-run", str(tmp_path / "new.json"), "--since", "2026-01-01").stdout
    assert table.count("99.00 GBP a month") == 2
    assert shell.data("catalogue", "list", "-o", "json") == before
    same = tried(shell, tmp_path, *catalogue())
    assert (same["offerings_changed"], same["priced_otherwise"], same["items"]) == (0, 0, [])


def test_a_term_that_is_sold_no_more_says_what_would_have_fallen_out(shell: Shell, tmp_path: Path) -> None:
    """The order of 24 months has no such value any more, told in the words of the fallout; the other one is as it was."""
    paper = changed("1.00")
    paper["productOfferingPrice"] = [
        each for document in catalogue() if document["id"] == LINE.id for each in document["productOfferingPrice"]
    ]
    for use in paper["prodSpecCharValueUse"]:
        use["productSpecCharacteristicValue"] = [each for each in use["productSpecCharacteristicValue"] if str(each["value"]) != "24"]
    told = tried(shell, tmp_path, paper)
    assert [(each["external_id"], each["came_out"]) for each in told["items"]] == [("WEB-2", "falls out")]
    assert told["items"][0]["why"] == "DQ-OFFER: commitmentMonths of item 1 is not among the offering's values"


def test_a_list_of_a_day_to_come_is_tried_as_it_will_stand(shell: Shell, tmp_path: Path) -> None:
    """Its validity begins in March, after the orders: none falls out for that, unless it is asked for as it stands before."""
    paper = changed("99.00", validFor={"startDateTime": "2026-03-01T00:00:00Z"})
    assert (tried(shell, tmp_path, paper)["priced_otherwise"], tried(shell, tmp_path, paper)["fall_out"]) == (2, 0)
    early = tried(shell, tmp_path, paper, options=("--since", "2026-01-01", "--on", "2026-02-01"))
    assert (early["priced_otherwise"], early["fall_out"]) == (0, 2)


def test_a_month_of_orders_is_looked_at_unless_another_time_is_said(shell: Shell, tmp_path: Path) -> None:
    """No order came after the sixth."""
    late = tried(shell, tmp_path, changed("99.00"), options=("--since", "2026-01-06"))
    assert (late["orders"], late["items"]) == (0, [])
    assert tried(shell, tmp_path, changed("99.00"), options=())["orders"] == 2


@pytest.mark.parametrize("text", ["{}", "[]", "[1]", "no", '[{"id": "x", "id": "y"}]'])
def test_a_file_that_is_no_price_list_is_refused(shell: Shell, tmp_path: Path, text: str) -> None:
    """Exit 2 and one line."""
    (tmp_path / "bad.json").write_text(text)
    refused = shell.run("catalogue", "dry-run", str(tmp_path / "bad.json"))
    assert (refused.returncode, "no list of TMF620 offerings" in one_line(refused)) == (2, True)


def test_what_differs_between_two_versions(shell: Shell, tmp_path: Path) -> None:
    """A price by its amounts, an offering by its fields; nothing between a version and itself; a version that there is not is missing."""
    last = len({each["offering"] for each in shell.data("catalogue", "list", "-o", "json", "--limit", "0")})
    (tmp_path / "new.json").write_text(json.dumps([changed("99.00", version="2.0")]))
    assert shell.run("load", "catalogue", str(tmp_path / "new.json")).returncode == 0
    rows = shell.data("catalogue", "diff", str(last), "-o", "json")
    assert [(each["offering"], each["what"], each["change"]) for each in rows] == [
        (LINE.id, "version", "changed"), (LINE.id, "recurring a month", "changed"),
    ]  # fmt: skip
    assert (rows[0]["was"], rows[0]["now"], rows[1]["after_minor"]) == ("1.0", "2.0", 9900)
    assert shell.data("catalogue", "diff", "1", "1", "-o", "json") == []
    assert {each["change"] for each in shell.data("catalogue", "diff", "0", "1", "-o", "json")} == {"added"}
    gone = shell.run("catalogue", "diff", "1", "999")
    assert (gone.returncode, "no version 999" in one_line(gone)) == (3, True)


def test_a_rise_is_billed_from_its_day(world: World, dsn: str, tmp_path: Path) -> None:
    """Announced on 8 January for 9 February: the bill of 8 February charges a day at the old price and the rest at the new one; too short a notice is refused."""
    world.close()
    shell = Shell(dsn, tmp_path / "home")
    typed = ("catalogue", "announce-rise", LINE.id, "--amount", "2.00", "--actor", "ann", "--from")
    assert "no notice of 30 days" in one_line(shell.run(*typed, "2026-01-20"))
    assert shell.run(*typed, "2026-02-09").returncode == 0
    assert "announced already" in shell.run(*typed, "2026-02-09").stderr
    assert shell.run("run", "--until", "2026-02-09T00:00:00Z").returncode == 0
    issued = [
        each for each in shell.data("events", "find", "--type", "invoice.issued", "-o", "json", "--limit", "0") if each["data"]["issued_on"] == "2026-02-08"
    ]  # fmt: skip
    for lines in (each["data"]["lines"] for each in issued):
        (old, new) = [line for line in lines if line["offering"] == LINE.id]
        assert [(line["from_day"], line["to_day"]) for line in (old, new)] == [("2026-02-08", "2026-02-09"), ("2026-02-09", "2026-03-08")]
        assert new["unit_price_minor"] == old["unit_price_minor"] + 200
    assert len(issued) == 2
    assert shell.data("assurance", "-o", "json") == []
    assert shell.run("ledger", "trial-balance").returncode == 0
    assert shell.run("run", "--until", "2026-03-09T00:00:00Z").returncode == 0
    assert [each for each in shell.data("diagnose", "-o", "json") if each["state"] == "failed"] == []


def asking_more() -> Document:
    """The line of the launch with one more characteristic that every order must choose."""
    paper = next(each for each in catalogue() if each["id"] == LINE.id)
    more = {"name": "colour", "minCardinality": 1, "productSpecCharacteristicValue": [{"value": "red"}, {"value": "blue"}]}
    return {**paper, "version": "2.0", "prodSpecCharValueUse": [*paper["prodSpecCharValueUse"], more]}


def test_what_is_wanted_of_new_orders_keeps_nobody_from_leaving(world: World, tmp_path: Path) -> None:
    """A list with another choice to make would have stopped the orders of lines, and not the one that ends a line; once it is loaded that is so."""
    world.take(order("END-1", change(world, "WEB-1", action="delete"), on=at(12)), name="end.jsonl")
    world.run(at(14))
    (tmp_path / "more.json").write_text(json.dumps([asking_more()]))
    shell = Shell(world.dsn, tmp_path / "home")
    told = tried(shell, tmp_path, asking_more())
    assert (told["orders"], sorted(each["external_id"] for each in told["items"])) == (3, ["WEB-1", "WEB-2"])
    loading.load_catalogue(world.app, tmp_path / "more.json")
    world.take(
        order("END-2", change(world, "WEB-2", action="delete"), party="C-2", on=at(15)),
        order("WEB-3", line(), on=at(15)),
        name="late.jsonl",
    )
    world.run(at(20))
    assert (world.state("END-2"), world.fallouts("END-2"), world.fallouts("WEB-3")[0]["reason"]) == ("completed", [], "DQ-OFFER")


def test_an_order_with_a_voucher_is_tried_with_what_it_was_promised(world: World, tmp_path: Path) -> None:
    """Its channel sent the price that the voucher left: it was right, and would be wrong by a dearer list."""
    issue_vouchers(world.app, Context("ann"), "SPRING", percent="20", months=3)
    now = next(each for each in catalogue() if each["id"] == LINE.id)["productOfferingPrice"][0]
    net = {"dutyFreeAmount": {"unit": "GBP", "value": f"{float(now['price']['dutyFreeAmount']['value']) * 0.8:.2f}"}}
    world.take(
        order("WEB-3", {**vouched("SPRING"), "itemPrice": [{"priceType": "recurring", "price": net}]}, party="C-3", on=at(9)),
        name="v.jsonl",
    )
    world.run(at(20))
    told = tried(Shell(world.dsn, tmp_path / "home"), tmp_path, changed("99.00", version="2.0"))
    assert world.fallouts("WEB-3") == []
    assert {each["external_id"]: (each["came_out"], each["why"][:8]) for each in told["items"]}["WEB-3"] == ("falls out", "DQ-PRICE")
