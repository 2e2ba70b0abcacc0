"""An order whose credit bureau is a real server in trouble: one order is one search, for every search is recorded at the customer."""

from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from o2c.kernel.partner import Answer, Request
from o2c.partners.credit_bureau import CreditBureau
from o2c.partners.http import Endpoint
from o2c.running.session import Session
from tests.bureau import TOKEN, Says, open_bureau
from tests.desk import Desk
from tests.world import World, at, line, order

VARIABLE = "O2C_TEST_BUREAU_TOKEN"


@pytest.mark.parametrize("trouble", [Says(500), Says(503), Says(429, headers={"Retry-After": "3600"})], ids=["500", "503", "429"])
def test_a_search_that_cannot_be_asked_about_is_not_made_again(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Says
) -> None:
    """The answer was lost on the way and the first query fails; once the bureau answers again the order goes on with the search it has."""
    monkeypatch.setenv(VARIABLE, TOKEN)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    world = World(dsn, tmp_path)
    world.stocked()
    with open_bureau() as bureau:
        endpoint = Endpoint(bureau.base, VARIABLE)
        client = CreditBureau(endpoint)

        def lost(request: Request) -> Answer:
            bureau.trouble = Says(ends="reset", done=True)
            return client.submit(request)

        def failing(request: Request) -> Answer:
            bureau.trouble = trouble
            return client.query(request)

        def again(request: Request) -> Answer:
            bureau.trouble = None
            return client.query(request) if world.scripted.heard[-1][0] == "query" else client.submit(request)

        world.scripted.will("credit", lost, failing, again)
        world.take(order("WEB-1", line()))
        world.run(at(6))
        endpoint.close()

    assert world.state("WEB-1") == "completed"
    assert len(bureau.searches) == 1


def lived(world: World, home: Path, external_id: str, until: datetime) -> str:
    """How an order of a customer of its own is after a run with the partners that the store's configuration names, as every command has them."""
    world.take(order(external_id, line(), party=external_id.replace("WEB", "C")))
    with closing(Session(world.app, home)) as session:
        session.runner().run(until)
    return world.state(external_id)


def test_whom_the_store_asks_is_its_configuration(world: World, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated, the bureau's server hears nothing; linked, it is asked once for each order; while it is down the order falls out and waits."""
    monkeypatch.setenv(VARIABLE, TOKEN)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    world.stocked(customers=4)
    with open_bureau() as bureau:
        link = ("partners", "link", "credit-bureau", "--url", bureau.base, "--credential", VARIABLE, "--timeout", "1")
        lived(world, tmp_path, "WEB-1", at(6))
        unheard = len(bureau.asked)

        desk.types(*link)
        lived(world, tmp_path, "WEB-2", at(7))
        searches = len(bureau.searches)
        bureau.trouble = Says(503)
        lived(world, tmp_path, "WEB-3", at(8))
        desk.types("partners", "simulate", "credit-bureau")
        heard = len(bureau.asked)
        lived(world, tmp_path, "WEB-4", at(20))

    assert (unheard, searches, len(bureau.searches), len(bureau.asked)) == (0, 1, 1, heard)
    assert bureau.bodies[0]["commitment_minor"] > 0
    assert [row["reason"] for row in world.fallouts("WEB-3") if row["step"] == "credit"] == ["CR-TIMEOUT"]
    assert "credit.approved" in world.told("WEB-2")
