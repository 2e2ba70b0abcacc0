"""Products in life at the console: a pack is bought, prepaid money goes back, and a fixed service goes to another provider by what the hub says."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from o2c.desk.prepaid import top_up
from o2c.desk.products import port_out, porting_code
from o2c.engine.app import Context
from o2c.files import loading
from o2c.simulation.launch_data import COPPER
from o2c.views.prepaid import show_prepaid
from o2c.views.reading import caught_up
from o2c.views.usage import show_allowances
from tests.console import console
from tests.lives_of_products import product
from tests.metered import BY, MONTHLY, account_of, choice, included, metered, number_of, pack, usage
from tests.world import ADDRESS, World, at, item, order

TWELFTH = datetime(2026, 1, 12, 9, tzinfo=UTC)
SOLD = (MONTHLY, usage("Data", "data", "MB", "0.01"), included("1 GB", "data", "GB", "1"))
PREPAID = (MONTHLY, usage("Messages", "sms", "message", "0.05", choice("prepaid", "true")))


def test_a_pack_is_bought_on_the_page_of_the_account(dsn: str, tmp_path: Path) -> None:
    """Its units can be used at once; what is no pack is told over what was written."""
    world = metered(dsn, tmp_path, *SOLD)
    more = pack("data-pack", included("1 GB more", "data", "GB", "1", priority=200), "5.00")
    loading.load_catalogue(world.app, world.written("packs.json", json.dumps([more])))
    world.run(TWELFTH)
    caught_up(world.app)
    path = f"/console/accounts/{account_of(world)}"
    with console(world, tmp_path) as site, site.by("ann", "agent") as ann:
        page = ann.opens(path)
        wrong = ann.sends(page, f"{path}/pack", {"offering": "no-such-pack"})
        bought = ann.sends(wrong, f"{path}/pack", {"offering": "data-pack"})

    assert len(wrong.alerts) == 1
    assert wrong.form(f"{path}/pack")["offering"] == "no-such-pack"
    assert "Done: pack bought" in bought.text
    assert "1 GB more" in bought.text
    assert len(show_allowances(world.app, account_of(world))) == 2
    world.close()


def test_prepaid_money_goes_back_once_the_line_is_gone(dsn: str, tmp_path: Path) -> None:
    """Refused in a line while it serves; then it is owed, and the page says by when; there is nothing to ask for any more."""
    world = metered(dsn, tmp_path, *PREPAID).run(TWELFTH)
    top_up(world.app, BY, account_of(world), amount="10.00", reference="PAY-7781")
    caught_up(world.app)
    path = f"/console/holdings/{account_of(world)}"
    with console(world, tmp_path) as site, site.by("ann", "agent") as ann:
        early = ann.sends(ann.opens(path), f"{path}/give-back")
        code = porting_code(world.app, BY, product(world, "ONE").product).code
        port_out(world.app, Context("clearing"), number_of(world), operator="Other Mobile", reference="PRT-901", code=code)
        world.run(TWELFTH + timedelta(days=2))
        caught_up(world.app)
        given = ann.sends(ann.opens(path), f"{path}/give-back")

    assert "is served still" in early.alerts[0]
    assert "Done: what is left goes back" in given.text
    assert "10.00 GBP goes back, asked for on 14 Jan 2026, by 28 Jan 2026" in given.text
    assert "Give it back" not in given.buttons()
    assert show_prepaid(world.app, account_of(world))["balance_minor"] == 0
    world.close()


def test_a_fixed_service_goes_by_what_the_hub_says(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody fits another address; matched, the page has the reference and what leaving costs; ordered for a day, the product is ending. An auditor has no such page."""
    monkeypatch.setenv("O2C_LOOKUP_KEY", "0" * 64)
    world = World(dsn, tmp_path).stocked(customers=1)
    world.take(order("FIRST", item(COPPER, "1", place=ADDRESS, commitmentMonths="12")))
    world.run(at(28))
    path, asked = "/console/switching", {"gaining": "Other Fibre", "request": "OTS-1", "name": "Tamsel Holmquay", "address": ADDRESS}
    with console(world, tmp_path) as site, site.by("ann", "agent") as ann, site.by("otto", "auditor") as otto:
        page = ann.opens(path)
        nobody = ann.sends(page, f"{path}/match", {**asked, "address": "9 Other Road, Testford, ZX1 1AA"})
        matched = ann.sends(nobody, f"{path}/match", {**asked, "wish": ""})
        [reference] = [node.text for bar in matched.root.all("div", role="status") for node in bar.all("strong")]
        told = {"product": product(world, "FIRST").product, "reference": reference, "message": "order", "on": "2026-02-09"}
        undated = ann.sends(matched, f"{path}/message", {**told, "on": ""})
        ordered = ann.sends(undated, f"{path}/message", told)
        assert otto.opens(path).status == 403

    assert "NO-MATCH" in nobody.alerts[0]
    assert "Ending before the term costs" in matched.text
    assert len(undated.alerts) == 1
    assert "Done: taken down" in ordered.text
    assert product(world, "FIRST").status == "pendingTerminate"
    world.close()
