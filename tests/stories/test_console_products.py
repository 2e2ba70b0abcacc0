"""The console's pages about what customers have in service and had: a list whose filters stand in the address, and one product with its history."""

from datetime import timedelta

import pytest

from o2c.views.products import STATUSES, list_products, product_history
from o2c.views.shown import ProductShown
from tests.console import Console, console_of_world, rich_world
from tests.world import World, order

PATH = "/console/products"


def every(world: World) -> list[ProductShown]:
    return list(list_products(world.app, statuses=STATUSES, limit=1000))


def one_ends(world: World) -> None:
    now, leaves = world.app.clock().now, every(world)[0]
    end = {"id": "1", "action": "delete", "quantity": 1, "product": {"id": leaves["product"]}}
    world.take(order("END", end, party=leaves["customer"], on=now), name="end.jsonl")
    world.run(now + timedelta(days=40))


world = rich_world(one_ends)
"""A store with products of several customers, one of which at least ended."""
site = console_of_world


def rows_of(site: Console, query: str, role: str = "agent") -> list[str]:
    """The products that a page leads to, in its order."""
    with site.by("ann", role) as ann:
        page = ann.opens(f"{PATH}{query}")
        assert page.status == 200
        links = (node.attributes["href"] for node in page.root.all("a", **{"class": "open"}))
        return [str(link).removeprefix(f"{PATH}/").replace("%3A", ":") for link in links]


def test_the_list_is_what_its_address_says(site: Console, world: World) -> None:
    """In service, unless a status or any is wanted; of a customer, an offering, an order; what is further is told and shown on asking."""
    known = every(world)
    serving = [row["product"] for row in known if row["status"] != "terminated"]
    customer, offering, order = known[0]["customer"], known[0]["offering"], known[0]["order"]

    assert rows_of(site, "") == serving[:50]
    assert rows_of(site, "?status=any&limit=500") == [row["product"] for row in known]
    assert len({row["status"] for row in known}) > 1
    for status in STATUSES:
        assert rows_of(site, f"?status={status}") == [row["product"] for row in known if row["status"] == status]
    assert rows_of(site, f"?status=any&customer={customer}") == [row["product"] for row in known if row["customer"] == customer]
    assert rows_of(site, f"?status=any&offering={offering}") == [row["product"] for row in known if row["offering"] == offering]
    assert rows_of(site, f"?status=any&order={order}") == [row["product"] for row in known if row["order"] == order]
    assert rows_of(site, "?limit=1") == serving[:1]
    assert rows_of(site, "?customer=nobody") == []
    with site.by("ann", "agent") as ann:
        assert ann.opens(f"{PATH}?status=lost").status == 422
        assert "any status" in ann.opens(f"{PATH}?customer=nobody").text


def test_a_product_tells_what_it_is_and_what_happened_to_it(site: Console, world: World) -> None:
    """Every event of its history, and where to read on."""
    for row in every(world):
        with site.by("ann", "agent") as ann:
            page = ann.opens(f"{PATH}/{row['product'].replace(':', '%3A')}")
        history = product_history(world.app, row["product"])
        assert page.status == 200
        assert len(list(page.root.all("td", **{"data-label": "What"}))) == len(history)
        links = {str(node.attributes.get("href")) for node in page.root.all("a")}
        assert {f"/console/customers/{row['customer']}", f"/console/orders/{row['order']}"} <= links
        assert row["offering"] in page.text


@pytest.mark.parametrize(("role", "listed", "one"), [
    ("agent", 200, 200), ("supervisor", 200, 200), ("analyst", 200, 200), ("auditor", 200, 200), ("privacy-officer", 200, 200), ("service", 200, 403), ("admin", 403, 403),
])  # fmt: skip
def test_pages_open_for_whom_the_table_allows_them(site: Console, world: World, role: str, listed: int, one: int) -> None:
    """A service sees its own in the list, without a link that would refuse it; an analyst sees no number."""
    row = next(each for each in every(world) if each["msisdn"])
    with site.by("kim", role) as kim:
        assert (kim.opens(PATH).status, kim.opens(f"{PATH}/{row['product']}").status) == (listed, one)
        assert kim.opens(f"{PATH}/none:1").status == (404 if one == 200 else one)
        shown = kim.opens(f"{PATH}/{row['product']}").text
    assert (str(row["msisdn"]) in shown) == (one == 200 and role != "analyst")


def test_pages_of_the_customer_and_of_the_order_lead_to_the_product(site: Console, world: World) -> None:
    """And the customer's to those that ended."""
    row = next(each for each in every(world) if each["status"] == "active")
    link = f"{PATH}/{row['product'].replace(':', '%3A')}"
    with site.by("ann", "agent") as ann:
        for path in (f"/console/customers/{row['customer']}", f"/console/orders/{row['order']}"):
            assert link in {node.attributes.get("href") for node in ann.opens(path).root.all("a")}, path
        ended = {str(node.attributes.get("href")) for node in ann.opens(f"/console/customers/{row['customer']}").root.all("a")}
        assert f"{PATH}?customer={row['customer']}&status=any" in ended


def test_the_code_to_take_a_number_away_is_given_on_the_page(site: Console, world: World) -> None:
    """With what leaving costs and what is open; asked again it is the same one; it stands in no address and in no list of what happened."""
    row = next(each for each in every(world) if each["status"] == "active" and each["msisdn"])
    path = f"{PATH}/{row['product'].replace(':', '%3A')}"
    with site.by("ann", "agent") as ann:
        page = ann.opens(path)
        given = ann.sends(page, f"{path}/porting-code")
        again = ann.sends(given, f"{path}/porting-code")
        later = ann.opens(path)

    [code] = [node.text for bar in given.root.all("div", role="status") for node in bar.all("strong")]
    assert f"The code for {row['msisdn']} is {code}, good through" in given.text
    assert "on the account" in given.text
    assert code in again.text
    assert code not in later.text
    assert code not in str(given.answer.url)
    assert "Give the porting code" in later.buttons()


def test_only_who_may_gives_a_code_and_only_for_what_serves(site: Console, world: World) -> None:
    """An auditor has no button; neither has a product that ended."""
    serves = next(each for each in every(world) if each["status"] == "active" and each["msisdn"])
    ended = next(each for each in every(world) if each["status"] == "terminated")
    with site.by("otto", "auditor") as otto, site.by("ann", "agent") as ann:
        assert "Give the porting code" not in otto.opens(f"{PATH}/{serves['product']}").buttons()
        assert "Give the porting code" not in ann.opens(f"{PATH}/{ended['product']}").buttons()
