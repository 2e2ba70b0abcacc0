"""A group orders for its sites: each line is charged to the account that pays, whose invoice says what is whose, under the group's own
purchase order."""

from collections.abc import Iterator

import pytest

from o2c.desk.accounts import place_account
from o2c.desk.act import Context, Refused
from o2c.desk.amending import Amendment, annotate_order
from o2c.desk.bulk_changes import change_products
from o2c.desk.invoices import issue_credit_note
from o2c.desk.revising import amend_order
from o2c.files import loading
from o2c.products.events import product_stream
from o2c.simulation.launch_data import SECOND_LINE
from o2c.views.accounts import show_tree
from o2c.views.credit_notes import preview_credit_note
from o2c.views.finding import find_orders
from o2c.views.invoice_papers import invoice_html, invoice_ubl, show_paper
from o2c.views.order_page import show_order
from o2c.views.products import list_products
from o2c.views.reading import caught_up
from o2c.views.sites import sites_of_order
from tests.conftest import database
from tests.console import Node, Seen, console
from tests.world import World, at, line, order

ANN = Context("ann")


@pytest.fixture(scope="module")
def world(server_dsn: str, opened_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A group with a cost centre and two sites, one of which pays itself; an order of a line for each."""
    with database(server_dsn, opened_once) as dsn:
        made = _ordered(World(dsn, tmp_path_factory.mktemp("business")))
        yield made
        made.close()


def _ordered(world: World) -> World:
    made = world.stocked(esims=10, numbers=10, pays="invoice")
    for account, level, parent, pays in (
        ("GROUP", "entity", "", "itself"), ("SALES", "cost-centre", "GROUP", "parent"), ("LEEDS", "site", "SALES", "parent"), ("HULL", "site", "SALES", "itself"),
    ):  # fmt: skip
        place_account(made.app, ANN, "C-1", account, level=level, parent=parent, pays=pays, contact=f"desk of {account}")  # type: ignore[arg-type] # by table
    lines = [{**line(str(n)), "billingAccount": {"id": account}} for n, account in enumerate(("LEEDS", "SALES", "HULL"), 1)]
    paper = {**order("GROUP-1", *lines), "billingAccount": {"id": "GROUP"}, "purchaseOrderNumber": "PO-77120"}
    made.take(paper)
    made.run(at(9, 12, month=1))
    caught_up(made.app)
    return made


def test_the_account_that_pays_has_the_charges(world: World) -> None:
    """Through two levels; a site that pays itself has its own."""
    rows = {row["account"]: (row["depth"], row["payer"], row["charges"]) for row in show_tree(world.app, "C-1")}

    assert rows == {"GROUP": (0, "GROUP", 0), "SALES": (1, "GROUP", 1), "HULL": (2, "HULL", 1), "LEEDS": (2, "GROUP", 1)}
    assert {row["contact"] for row in show_tree(world.app, "C-1", personal=True)} == {f"desk of {name}" for name in rows}


def test_one_invoice_of_the_group_is_the_sum_of_its_parts(world: World) -> None:
    """With the purchase order on it; the site that pays itself has an invoice of its own."""
    paper = show_paper(world.app, "GROUP-20260108")

    assert [part["cost_centre"] for part in paper["parts"]] == ["LEEDS", "SALES"]
    for name in ("net_minor", "tax_minor", "total_minor"):
        assert sum(part[name] for part in paper["parts"]) == paper[name]  # type: ignore[literal-required] # one of a part's
    assert {paper["purchase_order"], show_paper(world.app, "HULL-20260108")["purchase_order"]} == {"PO-77120"}
    assert world.invoice("GROUP-20260108").issued.customer == "C-1"  # type: ignore[union-attr] # it is issued


def test_the_console_has_one_view_of_the_bills_of_a_day(world: World) -> None:
    """Who pays with the parts of those below it, the site that pays itself, under which purchase orders, and the sum of both; from the
    hierarchy it is one click."""
    papers = [show_paper(world.app, name) for name in ("GROUP-20260108", "HULL-20260108")]
    with console(world, world.folder) as site, site.by("ann", "agent") as ann:
        tree = ann.opens("/console/customers/C-1/accounts")
        page, other = ann.opens("/console/customers/C-1/bills"), ann.opens("/console/customers/C-1/bills?on=2025-01-01")
        paper = ann.opens("/console/invoices/GROUP-20260108")

    assert "/console/customers/C-1/bills" in {node.attributes.get("href") for node in tree.root.all("a")}
    rows = [[cell.text for cell in row.all("td")] for row in page.root.all("tr")[1:]]
    assert [(row[0], row[3]) for row in rows] == [*((name, "PO-77120") for name in ("GROUP", "LEEDS", "SALES", "HULL")), ("In all", "")]
    whole = sum(paper["total_minor"] for paper in papers)
    assert (rows[-1][-1], rows[-1][2]) == (f"{whole / 100:.2f} GBP", "2 bills")
    assert other.status == 404
    assert "Purchase order PO-77120" in paper.text
    [whose] = [table for table in paper.root.all("table") if "Parts by account" in table.text]
    assert [row.all("td")[0].text for row in whose.all("tr")[1:]] == ["LEEDS", "SALES"]


def test_a_credit_note_is_split_as_its_invoice(world: World) -> None:
    """Before it is issued and after, on the paper and in the buyer's own field; and a whole one has the parts of the invoice."""
    name = "GROUP-20260108"
    paper = show_paper(world.app, name)
    foreseen = preview_credit_note(world.app, name, lines={"1": "1.00"})
    whose = paper["lines"][0]["cost_centre"]
    assert [(part["cost_centre"], part["net_minor"], part["tax_minor"]) for part in foreseen["parts"]] == [(whose, 100, 20)]
    whole = preview_credit_note(world.app, name)
    assert whole["parts"] == paper["parts"]

    issue_credit_note(world.app, ANN, name, reason="goodwill", comment="a bad week", lines={"1": "1.00"})
    [note] = show_paper(world.app, name)["notes"]
    assert note["purchase_order"] == "PO-77120"
    assert note["parts"] == foreseen["parts"]
    assert f"Of this, {whose}: net 1.00, VAT 0.20, total 1.20 GBP." in invoice_html(world.app, name, note=note["note"])["content"]
    assert f">{whose}<" in invoice_ubl(world.app, name, note=note["note"], personal=True)["content"]


def test_an_order_is_found_by_the_purchase_order_it_ever_had(world: World) -> None:
    """It may be said anew when it is over: the next bills name it."""
    annotate_order(world.app, ANN, "GROUP-1", Amendment(purchase_order="PO-77121"))

    for number in ("PO-77120", "PO-77121"):
        [found] = find_orders(world.app, world.folder, number, "purchase-order")
        assert found["external_id"] == "GROUP-1"
    state = world.app.load_one("account-GROUP").state
    assert state.purchase_orders == {world.order("GROUP-1").order_id: "PO-77121"}
    assert annotate_order(world.app, ANN, "GROUP-1", Amendment(purchase_order="PO-77121")).unchanged


def test_an_account_is_one_customers_alone(world: World) -> None:
    """What was placed nobody else is billed to, and nobody else places."""
    with pytest.raises(Refused, match="LEEDS is another customer's"):
        place_account(world.app, ANN, "C-2", "LEEDS", level="site", pays="itself")
    world.take({**order("OTHER", line(), party="C-2"), "billingAccount": {"id": "SALES"}}, name="other.jsonl")
    world.run(at(9, 13, month=1))

    assert [row["reason"] for row in world.fallouts("OTHER")] == ["DQ-PARTY"]


def test_sites_are_shown_with_the_slowest_on_top(world: World) -> None:
    """Lines wait for their own release day; a site says how many are done, what it waits for and its promise; whom to ask for is
    personal."""
    there = [{**line("1"), "billingAccount": {"id": "LEEDS"}}, {**line("2"), "billingAccount": {"id": "LEEDS"}}]
    later = {**line("3", place="9 Quay Street, Hullby, ZX9 9ZZ"), "billingAccount": {"id": "HULL"}, "requestedStartDate": "2026-01-20"}
    world.take({**order("SITES-1", *there, later, on=at(9, 14)), "billingAccount": {"id": "GROUP"}}, name="sites.jsonl")
    world.run(at(12, 12))

    late, done = sites_of_order(world.app, "SITES-1", personal=True)
    assert (late["account"], late["lines"], late["done"], late["waiting_for"], late["release_on"]) == (
        "HULL",
        1,
        0,
        "release 1",
        "2026-01-20",
    )
    assert (late["level"], late["contact"], late["address"]) == ("site", "desk of HULL", "9 Quay Street, Hullby, ZX9 9ZZ")
    assert late["promised"] == late["projected"] >= "2026-01-20"  # type: ignore[operator] # it is promised
    assert (done["account"], done["lines"], done["done"], done["waiting_for"]) == ("LEEDS", 2, 2, "")
    assert not {"address", "contact"} & sites_of_order(world.app, "SITES-1")[0].keys()
    world.run(at(21, 12))
    assert {row["done"] for row in sites_of_order(world.app, "SITES-1")} == {1, 2}


def test_many_products_are_changed_from_a_list(world: World) -> None:
    """Every row is an order of its own, done once however often the list is handed in; of one that is wrong it is said why, and the others
    go on."""
    paying = sorted(row["product"] for row in list_products(world.app, customers=["C-1"]) if row["account"] == "GROUP")
    first, second, *_ = paying
    rows = [
        {"product": first, "offering": SECOND_LINE.id, "effective": ""},
        {"product": "nobody:1", "offering": SECOND_LINE.id},
        {"product": second, "offering": "no-such"},
        {"product": second, "offering": SECOND_LINE.id},
        {"product": first, "offering": SECOND_LINE.id},
        {"product": "", "offering": SECOND_LINE.id},
    ]
    told = [
        "",
        "there is no product nobody:1",
        "there is no offering no-such",
        "row 3 changes the same product; say all that is to change in one",
    ]
    told += ["row 1 changes the same product; say all that is to change in one", "it names no product"]
    foreseen = change_products(world.app, ANN, "GROUP", rows, dry_run=True)
    assert ([row.why for row in foreseen.rows], foreseen.job) == (told, "")
    assert change_products(world.app, ANN, "HULL", rows[:1], dry_run=True).rows[0].why == f"product {first} is not of account HULL"

    odd = [{"product": first, "simType": "esim"}, {"product": second, "note": "a\0b"}]
    whys = [[row.why for row in change_products(world.app, ANN, "GROUP", odd, dry_run=dry).rows] for dry in (True, True)]
    assert whys[0] == whys[1]
    assert (whys[0][0], "cannot be read" in whys[0][1]) == ("", True)

    by = Context("ann", command_id="0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f")
    done = change_products(world.app, by, "GROUP", rows)
    assert (done.ordered, done.failed) == (1, 5)
    world.run(at(22, 12))
    assert change_products(world.app, by, "GROUP", rows) == done
    assert world.app.load_one(product_stream(first)).state.standing.offering == SECOND_LINE.id
    account = world.app.load_one("account-GROUP").state
    assert account.whose(f"{done.rows[0].order}/1") == account.whose(first.replace(":", "/"))
    with pytest.raises(Refused, match="1 to 5,000 rows"):
        change_products(world.app, ANN, "GROUP", [])


def test_a_list_is_handed_in_at_the_console(world: World) -> None:
    """What would become of each row is seen first and orders nothing; then each is an order; what failed is saved, corrected and handed in
    again."""
    path = "/console/accounts/GROUP/changes"
    paying = sorted(row["product"] for row in list_products(world.app, customers=["C-1"]) if row["account"] == "GROUP")
    text = f"product,offering\n{paying[-1]},{SECOND_LINE.id}\nnobody:1,{SECOND_LINE.id}\n"
    with console(world, world.folder) as site, site.by("ann", "agent") as ann, site.by("otto", "auditor") as otto:
        page = ann.opens(path)
        wrong = ann.sends(page, f"{path}/preview", {"list": "offering\nmore\n"})
        before = world.app.reads.last_position()
        seen = ann.sends(wrong, f"{path}/preview", {"list": text})
        assert world.app.reads.last_position() == before
        came, again = ann.sends(seen, path), ann.sends(seen, path)
        saved = ann.client.post(f"{path}/failed", data=came.form(f"{path}/failed"))
        handed_in = ann.sends(came, f"{path}/preview", {"list": saved.text})
        assert otto.opens(path).status == 403

    assert "no column named product" in wrong.alerts[0]
    assert "1 could be ordered, 1 would fail. Nothing was ordered." in seen.text
    assert "1 ordered, 1 failed" in came.text
    orders = [
        {node.attributes["href"] for node in each.root.all("a") if "/console/orders/" in node.attributes.get("href", "")}
        for each in (came, again)
    ]
    assert orders[0] == orders[1]
    assert len(orders[0]) == 1
    assert saved.text == f"row,product,offering,why\n2,nobody:1,{SECOND_LINE.id},there is no product nobody:1\n"
    assert "0 could be ordered, 1 would fail" in handed_in.text


def test_a_changed_order_is_billed_to_who_pays_for_the_account_that_it_names_now(world: World) -> None:
    """A cost centre that the order did not name: its line is charged to the group, which is pinned by the change and says whose it is; an
    account of another customer is refused."""
    place_account(world.app, ANN, "C-1", "YORK", level="site", parent="SALES", pays="parent")
    place_account(world.app, ANN, "C-2", "BA-C-2", level="entity", pays="itself")
    mine = {"billingAccount": {"id": "LEEDS"}, "requestedStartDate": "2026-02-02"}
    paper = {**order("MOVES-1", {**line("1"), **mine}, on=at(22, 13)), "billingAccount": {"id": "GROUP"}}
    world.take(paper, name="moves.jsonl")
    world.run(at(22, 14))
    with pytest.raises(Refused, match="no account of customer C-1"):
        amend_order(
            world.app, ANN, "MOVES-1", {"productOrderItem": [{**line("1"), **mine, "billingAccount": {"id": "BA-C-2"}}]}, merge=True
        )
    amend_order(world.app, ANN, "MOVES-1", {"productOrderItem": [{**line("1"), **mine, "billingAccount": {"id": "YORK"}}]}, merge=True)
    place_account(world.app, ANN, "C-1", "YORK", level="site", parent="SALES", pays="itself")
    world.run(at(3, 12, month=2))

    order_id = world.order("MOVES-1").order_id
    charged = world.app.reads.rows(
        "SELECT stream, body ->> 'cost_centre' AS whose FROM o2c.event WHERE type = 'account.charge-started' AND body ->> 'order' = %s",
        order_id,
    )
    assert charged == [{"stream": "account-GROUP", "whose": "YORK"}]


def test_an_order_of_many_lines_shows_those_first_that_are_not_over(world: World) -> None:
    """Twenty lines of which one site waits for its day: its lines stand there with their steps, of the others how many there are; from the
    list of sites it is one click to any."""
    sites = [f"DEPOT-{number}" for number in range(5)]
    for site_name in sites:
        place_account(world.app, ANN, "C-1", site_name, level="site", parent="SALES", pays="parent")
    lines = [{**line(str(number + 1)), "billingAccount": {"id": sites[number // 4]}} for number in range(20)]
    late = [{**each, "requestedStartDate": "2026-04-20"} for each in lines[8:12]]
    world.sims(esim=20)
    rows = [("msisdn", "class"), *((f"+4477009500{number:02}", "normal") for number in range(20))]
    loading.load_stock(world.app, world.runner, "numbers", world.written("more-numbers.csv", rows), None)
    world.take({**order("MANY-1", *lines[:8], *late, *lines[12:], on=at(4, month=2)), "billingAccount": {"id": "GROUP"}}, name="many.jsonl")
    world.run(at(9, month=2))
    caught_up(world.app)
    with console(world, world.folder) as site, site.by("ann", "agent") as ann:
        page, other = ann.opens("/console/orders/MANY-1"), ann.opens("/console/orders/MANY-1?item=17")

    assert [[row.all("td")[0].text for row in items_of(each)] for each in (page, other)] == [
        ["9", "10", "11", "12"],
        ["17", "18", "19", "20"],
    ]
    assert "20 items: 4 in progress, 16 completed" in page.text
    assert [item["item"] for item in show_order(world.app, "MANY-1")["items"]] == [str(number + 1) for number in range(20)]
    assert {"Item 9", "Item 17"} & {node.text for node in page.root.all("h3")} == {"Item 9"}
    assert "16 products: 16 active" in page.text


def items_of(page: Seen) -> list[Node]:
    """The rows of the items that are shown with their steps."""
    [table] = [table for table in page.root.all("table") if [node.text for node in table.all("caption")] == ["Items"]]
    return table.all("tr")[1:]
