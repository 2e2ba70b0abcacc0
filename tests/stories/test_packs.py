"""A customer whose data run out buys a pack: it serves at once, sessions get it, and one bill has it; assurance, diagnose and the books agree.

Source: openmeter #3293 (one-off packs on an entitlement that a subscription owns).
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.diagnose import run_checks
from o2c.desk.allowances import buy_pack
from o2c.desk.limits import set_limit
from o2c.desk.quota import commit, reserve
from o2c.files import loading
from o2c.kernel.refusal import Refused
from o2c.views.ledger import trial_balance
from o2c.views.reading import caught_up
from o2c.views.usage import show_allowances, show_limits
from tests.desk import Desk
from tests.metered import BY, MONTHLY, account_of, included, metered, number_of, pack, usage
from tests.world import World

PRICES = (MONTHLY, usage("Data", "data", "MB", "0.01"), included("1 GB", "data", "GB", "1"))
MORE = pack("data-pack", included("1 GB more", "data", "GB", "1", priority=200), "5.00")
PACKS = "SELECT body ->> 'issued_on' AS day, (line ->> 'net_minor')::int AS net FROM o2c.event, jsonb_array_elements(body -> 'lines') line WHERE type = 'invoice.issued' AND line ->> 'kind' = 'pack'"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line with a gigabyte a month, and a pack on sale; it is 20 January."""
    made = metered(dsn, tmp_path, *PRICES)
    loading.load_catalogue(made.app, made.written("packs.json", json.dumps([MORE])))
    return made.run(datetime(2026, 1, 20, 15, tzinfo=UTC))


def session(world: World, name: str, megabytes: int) -> int:
    """A session that asks for so much and uses what it gets, in megabytes."""
    got = reserve(world.app, BY, number_of(world), session=name, kind="data", quantity=megabytes * 10**6)["granted"]
    if got:
        commit(world.app, BY, account_of(world), session=name, used=got, request=1)
    return got // 10**6


def left(world: World) -> dict[str, str]:
    return {row["allowance"]: f"{row['left']} {row['unit']} before {row['ends']}" for row in show_allowances(world.app, account_of(world))}


def test_a_pack_serves_at_once_and_is_on_one_bill(world: World, dsn: str, tmp_path: Path) -> None:
    """The limit lets nothing be charged: all of the plan's is used, the pack is refused; once the limit is lifted it is sold, sessions get its units after the plan's, and bills have it once."""
    account, desk = account_of(world), Desk(dsn, tmp_path)
    set_limit(world.app, BY, account, amount="0")
    assert (session(world, "s-1", 1200), session(world, "s-2", 100)) == (1000, 0)
    with pytest.raises(Refused, match=r"beyond its limit of 0\.00"):
        buy_pack(world.app, BY, account, offering="data-pack")
    set_limit(world.app, BY, account, amount="5.00")
    world.run(datetime(2026, 1, 20, 16, tzinfo=UTC))

    said = desk.types("allowances", "buy", account, "--offering", "data-pack", "--command-id", "7b0e9d5c-41f2-5d0a-8c3e-2f6a1b9c0d4e")
    assert f"{account} has 1 GB of 1 GB more P1, to be used before 2026-02-08" in said
    desk.types("allowances", "buy", account, "--offering", "data-pack", "--command-id", "7b0e9d5c-41f2-5d0a-8c3e-2f6a1b9c0d4e")
    assert left(world) == {"1 GB": "0 GB before 2026-02-08", "1 GB more P1": "1 GB before 2026-02-08"}
    assert (session(world, "s-3", 600), session(world, "s-4", 600)) == (600, 400)
    assert next((row["kind"], row["spent_minor"]) for row in show_limits(world.app, account)) == ("bill", 500)

    world.run(datetime(2026, 3, 9, tzinfo=UTC))
    assert [(row["day"], row["net"]) for row in world.app.reads.rows(PACKS)] == [("2026-02-08", 500)]
    assert left(world) == {"1 GB": "1 GB before 2026-04-08"}
    caught_up(world.app)
    assert [check.detail for check in run_checks(world.app) if check.state == "failed"] == []
    assert [leak.rule for leak in check_assurance(world.app)] == []
    told = trial_balance(world.app, on=date(2026, 3, 9))
    assert told["balanced"]
