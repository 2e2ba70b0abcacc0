"""What whole tasks in a real browser begin with: a store, the console on it, and Chromium without a screen."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, sync_playwright
from psycopg.conninfo import conninfo_to_dict

from o2c.desk.act import Context
from o2c.desk.payments import record
from o2c.desk.quota import reserve
from o2c.desk.refunds import request_refund
from o2c.kernel.partner import Failed, RefusedBy
from o2c.views.invoices import list_invoices
from o2c.views.reading import caught_up
from tests.conftest import database
from tests.console import Console, console
from tests.rich import USER, lived_through
from tests.world import World, at, line, order, ported

CHROMIUM = os.environ.get("O2C_CHROMIUM") or next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
NEEDED = bool(os.environ.get("O2C_BROWSER_NEEDED"))
"""Set where a run without a browser proves nothing, such as in CI."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage", "--disable-extensions"]
LOUDLY = (
    "THERE IS NO CHROMIUM HERE: no page was opened in a real browser. Install Debian's package `chromium`, or name one in O2C_CHROMIUM."
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where there is no browser these tests are skipped, and the summary of the run says so in capitals; where one is needed they fail for it."""
    if not CHROMIUM and not NEEDED:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=LOUDLY))


class Read(NamedTuple):
    """A store that nobody changes, and its console."""

    world: World
    site: Console


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the run."""
    if not CHROMIUM:
        pytest.fail(LOUDLY)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture(scope="session")
def _lived_once(server_dsn: str, opened_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with orders that completed, fell out, wait and were worked on, over some days; each test has a copy."""
    with database(server_dsn, opened_once) as dsn:
        made = World(dsn, tmp_path_factory.mktemp("browsed")).stocked(esims=8, customers=6, numbers=12)
        made.scripted.will("esim-download", Failed("PERMANENT"))
        made.take(order("WEB-1", line()))
        made.run(at(6))
        made.take(
            order("WEB-2", ported(code=""), party="C-2"), order("WEB-3", ported(code="", msisdn="+447700900124"), party="C-3"),
            order("WEB-4", line(), party="C-4"), order("WEB-5", line(), party="C-5", channel="shop"), name="b.jsonl",
        )  # fmt: skip
        made.run(at(8, 12))
        caught_up(made.app)
        made.close()
        yield str(conninfo_to_dict(dsn)["dbname"])


def paid_back(world: World) -> None:
    """150.00 too much came: of it one refund was refused, one waits for a second person; a session holds units."""
    paid = next(row for row in list_invoices(world.app, accounts=["BA-C-1"]) if row["state"] == "paid")
    record(world.app, Context("root"), paid["invoice"], amount="150.00", reference="TFR-150", sure=True)
    world.scripted.will("refund", RefusedBy("ACCOUNT-CLOSED"))
    for amount in ("20.00", "110.00"):
        request_refund(world.app, Context("ann"), "BA-C-1", amount=amount)
    world.run(at(16, 10, month=3))
    reserve(world.app, Context("pcf"), f"BA-{USER}", session="pcf-9", kind="sms", quantity=10)
    caught_up(world.app)


@pytest.fixture(scope="session")
def _paid_once(server_dsn: str, opened_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with debts, credit notes, usage, closed books (`tests/rich.py`) and refunds; each who reads or acts has a copy."""
    with database(server_dsn, opened_once) as dsn:
        made = lived_through(dsn, tmp_path_factory.mktemp("paid"))
        paid_back(made)
        made.close()
        yield str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture(scope="session")
def money(server_dsn: str, _paid_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Such a store and its console, for all who only read."""
    with database(server_dsn, _paid_once) as dsn:
        made = World(dsn, tmp_path_factory.mktemp("money"))
        with console(made, made.folder) as site:
            yield Read(made, site)
        made.close()


@pytest.fixture(scope="module")
def shop(server_dsn: str, _paid_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The console of such a store for the tasks of one file, each of which does something else in it."""
    with database(server_dsn, _paid_once) as dsn:
        made = World(dsn, tmp_path_factory.mktemp("keys"))
        with console(made, made.folder) as site:
            yield site
        made.close()


@pytest.fixture
def world(server_dsn: str, _lived_once: str, tmp_path: Path) -> Iterator[World]:
    """A store of a test's own, to do something in."""
    with database(server_dsn, _lived_once) as dsn:
        made = World(dsn, tmp_path)
        yield made
        made.close()


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Console]:
    """The console of that store."""
    with console(world, tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def read(server_dsn: str, _lived_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """A store and its console for all who only read."""
    with database(server_dsn, _lived_once) as dsn:
        made = World(dsn, tmp_path_factory.mktemp("read"))
        with console(made, made.folder) as site:
            yield Read(made, site)
        made.close()
