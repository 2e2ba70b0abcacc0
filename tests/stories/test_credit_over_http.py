"""An order whose credit bureau is a real server in trouble: one order is one search, for every search is recorded at the customer."""

from pathlib import Path

import pytest

from o2c.kernel.partner import Answer, Request
from o2c.partners.credit_bureau import CreditBureau
from o2c.partners.http import Endpoint
from tests.bureau import TOKEN, Says, open_bureau
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
