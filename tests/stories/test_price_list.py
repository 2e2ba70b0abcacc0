"""The price list as a person and a program see it, and a price list that is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from o2c.catalogue.events import OfferingPrice, OfferingPublished
from o2c.views.shown import OfferedPrice, OfferingShown
from tests.shell import Shell, one_line
from tests.world import World

YEAR: dict[str, Any] = {
    "id": "year", "priceType": "recurring", "recurringChargePeriod": "year", "price": {"dutyFreeAmount": {"unit": "GBP", "value": "1234.50"}},
}  # fmt: skip
SALE = {**YEAR, "id": "sale", "validFor": {"startDateTime": "2026-03-01T00:00:00Z", "endDateTime": "2026-04-01T00:00:00Z"}}
CARE = {"id": "care", "lifecycleStatus": "Launched", "isSellable": False, "productSpecification": {"id": "spec-add-on"}}
ROW = {
    "offering": "care", "version": "1.0", "market": "GB", "state": "Launched", "sold": "in a bundle only", "on_sale": "always",
    "price": "recurring", "amount_minor": 123_450, "currency": "GBP", "charged": "a year", "tax_group": "standard",
    "for_orders": "from 2026-03-01 until 2026-04-01",
}  # fmt: skip


@pytest.fixture
def priced(dsn: str, tmp_path: Path) -> Shell:
    """The command line on a store with the launch's price list and one more offering."""
    world = World(dsn, tmp_path).stocked()
    shell = Shell(dsn, tmp_path / "home")
    assert (
        shell.run("load", "catalogue", str(world.written("care.json", json.dumps([{**CARE, "productOfferingPrice": [SALE]}])))).returncode
        == 0
    )
    world.close()
    return shell


def test_a_person_reads_amounts_periods_and_validity_in_words(priced: Shell) -> None:
    """1234.50 GBP a year, for orders from a day until another."""
    told = " ".join(priced.run("catalogue", "list", "--offering", "care").stdout.split())
    assert "care recurring 1234.50 GBP a year from 2026-03-01 until" in told
    whole = priced.run("catalogue", "list").stdout
    assert "a month" in whole
    assert "once" in whole


def test_a_program_reads_minor_units(priced: Shell) -> None:
    """JSON has whole pence, and the same words beside them."""
    assert priced.data("catalogue", "list", "--offering", "care", "-o", "json") == [ROW]


def test_what_an_offering_needs_stands_beside_how_it_is_sold(priced: Shell) -> None:
    """A seller sees what must be in the order with it."""
    [row] = priced.data("catalogue", "list", "--offering", "roam-pass", "-o", "json")
    assert row["sold"] == "alone or in a bundle, beside lark-line or lark-second"


def test_an_offering_that_was_never_published_is_missing(priced: Shell) -> None:
    """Exit 3 and one line."""
    gone = priced.run("catalogue", "list", "--offering", "moon")
    assert gone.returncode == 3
    assert "no offering moon" in one_line(gone)


def test_one_price_that_is_not_understood_refuses_the_list(priced: Shell, tmp_path: Path) -> None:
    """Nothing of the file is published, whatever else of it is right; the line names offering, price and field."""
    paper = [{**CARE, "id": "other", "productOfferingPrice": [YEAR]}, {**CARE, "productOfferingPrice": [{**YEAR, "priceType": "penalty"}]}]
    (tmp_path / "bad.json").write_text(json.dumps(paper), encoding="utf-8")
    refused = priced.run("load", "catalogue", str(tmp_path / "bad.json"))
    assert refused.returncode == 2
    assert "offering care, price year: productOfferingPrice.priceType 'penalty' is not supported" in one_line(refused)
    assert priced.run("catalogue", "list", "--offering", "other").returncode == 3


@pytest.mark.parametrize(("stored", "shown"), [(OfferingPublished, OfferingShown), (OfferingPrice, OfferedPrice)])
def test_an_offering_is_described_with_all_that_it_was_published_with(stored: Any, shown: Any) -> None:
    """The list of offerings gives them as they stand in the log: a field that one gets is one of what is shown, too."""
    assert shown.__annotations__.keys() == stored.model_fields.keys()
