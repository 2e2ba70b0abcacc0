"""A term that ends: its customer is told in the days of the market, once, and of the best prices each year after; a check holds every term to it."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.views.products import product_notices
from tests.lives_of_products import in_service, product
from tests.world import World, at

AFTER = datetime(2027, 1, 20, tzinfo=UTC)
CHECK = "every term that ended was told of in time"


def found(world: World) -> tuple[str, str]:
    [check] = [each for each in run_checks(world.app) if each.name == CHECK]
    return check.state, check.detail


def test_a_customer_is_told_before_the_term_ends(dsn: str, tmp_path: Path) -> None:
    """Of the end and the best offers, once, at the contact that stands; in a year of the best prices; and no check finds anything."""
    world = in_service(World(dsn, tmp_path).stocked())
    world.run(AFTER)

    given, next_ = product_notices(world.app, product(world, "FIRST").product)
    assert (given["about"], given["state"], given["told_on"], given["ends_on"]) == ("end-of-contract", "given", "2026-12-06", "2027-01-05")
    assert (given["price_after_minor"], bool(given["offers"]), given["exit_minor"] or 0) > (0, False, 0)
    assert (next_["about"], next_["state"], next_["due_at"][:10]) == ("best-price", "awaited", "2027-12-06")
    assert found(world) == ("ok", "1 terms ended, 0 of them of customers who need not be told")
    assert [violation.row() for kept in check_conformance(world.app) for violation in kept.broken] == []


def test_a_term_of_which_nobody_was_told_is_found(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: where the notice was never asked for, the check names the product and the term."""
    monkeypatch.setattr("o2c.products.state.next_notice", lambda state, market: None)
    world = in_service(World(dsn, tmp_path).stocked())
    world.run(AFTER)

    state, detail = found(world)
    assert state == "failed"
    assert f"product-{product(world, 'FIRST').product} to 2027-01-05: no notice was asked for" in detail


def test_a_product_of_before_the_rule_is_told_of(dsn: str, tmp_path: Path) -> None:
    """Nothing happened to it since: whoever begins to run the store asks for its notice, once, and it goes out in the days of the market."""
    world = in_service(World(dsn, tmp_path).stocked())
    stream = f"product-{product(world, 'FIRST').product}"
    with psycopg.connect(world.dsn) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("UPDATE o2c.event SET body = (body::jsonb - 'notices')::json, schema_version = 1 WHERE type = 'product.started'")
        conn.execute("DELETE FROM o2c.event WHERE type = 'end-notice.awaited'")
        conn.execute("DELETE FROM o2c.agenda WHERE stream = %s", (stream,))
        conn.execute("UPDATE o2c.head SET state = NULL, version = version - 1 WHERE stream = %s", (stream,))
        conn.execute("DELETE FROM o2c.policy_checkpoint WHERE policy = 'ask-for-the-notices-of-products-of-before'")
    again = World(world.dsn, world.folder)
    assert again.types(stream)[-1] == "product.started"

    again.run(at(20))
    assert again.run(at(21)).types(stream).count("end-notice.awaited") == 1

    again.run(AFTER)
    assert [each["told_on"] for each in product_notices(again.app, stream.removeprefix("product-")) if each["state"] == "given"] == [
        "2026-12-06"
    ]
    assert found(again)[0] == "ok"
