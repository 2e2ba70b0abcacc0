"""Versions of the price list side by side, and one that is not loaded yet tried on the orders that came."""

import json
from pathlib import Path
from typing import Any

import pytest

from o2c.simulation.launch_data import LINE, catalogue
from tests.shell import Shell, one_line
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
