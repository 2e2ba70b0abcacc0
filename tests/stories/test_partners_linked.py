"""Which partner is real and which is simulated is the store's configuration: changed at the desk or by a service, and shown to both."""

from typing import Any

import pytest

from o2c import Context, OrderToCash
from o2c.kernel.refusal import Refused
from o2c.views.partners import PARTNER_NAMES
from tests.desk import Desk, actors
from tests.world import World

URL = "https://bureau.example/v1"
LINK = ("--url", URL, "--credential", "BUREAU_TOKEN")


def bureau(rows: Any) -> dict[str, Any]:
    [found] = [row for row in rows if row["partner"] == "credit-bureau"]
    return dict(found)


def test_a_partner_is_linked_and_simulated_again(world: World, desk: Desk) -> None:
    """The list says how it is reached, and simulated again it says no more; the log says who did it, once for each change."""
    assert [row["partner"] for row in desk.sees("partners", "list")] == sorted(PARTNER_NAMES)

    desk.types("partners", "link", "credit-bureau", *LINK, "--timeout", "2.5", "--calls-max", "3")
    desk.types("partners", "link", "credit-bureau", *LINK, "--timeout", "2.5", "--calls-max", "3")
    linked = bureau(desk.sees("partners", "list"))
    said = desk.types("partners", "simulate", "credit-bureau")

    assert linked == {
        "partner": "credit-bureau", "kind": "real", "client": True, "url": URL, "credential": "BUREAU_TOKEN", "timeout_s": 2.5, "calls_max": 3,
    }  # fmt: skip
    assert "workers take it up when they are started" in said
    assert (bureau(desk.sees("partners", "list"))["kind"], bureau(desk.sees("partners", "list"))["url"]) == ("simulated", None)
    assert actors(world, "partner-credit-bureau", "partner.linked") == ["ann"]
    assert actors(world, "partner-credit-bureau", "partner.simulated") == ["ann"]


def test_a_service_does_the_same(world: World, desk: Desk) -> None:
    """What one face did the other shows."""
    with OrderToCash(world.dsn) as o2c:
        o2c.link_partner("credit-bureau", Context("ops"), url=URL, credential="BUREAU_TOKEN")
        assert o2c.partners() == desk.sees("partners", "list")
        assert bureau(o2c.partners())["kind"] == "real"
        desk.types("partners", "simulate", "credit-bureau")
        assert bureau(o2c.partners())["kind"] == "simulated"
        o2c.link_partner("credit-bureau", Context("ops"), url=URL, credential="BUREAU_TOKEN")
        o2c.simulate_partner("credit-bureau", Context("ops"))
        assert bureau(o2c.partners())["kind"] == "simulated"


@pytest.mark.parametrize(
    ("words", "kind", "says"),
    [
        pytest.param(("link", "oracle", *LINK), "missing", "there is no partner oracle", id="no such partner"),
        pytest.param(("simulate", "oracle"), "missing", "there is no partner oracle", id="none to simulate"),
        pytest.param(("link", "courier", *LINK), "missing", "has no client over the network", id="no client"),
        pytest.param(("link", "credit-bureau", *LINK, "--calls-max", "0"), "usage", "calls at a time", id="a limit out of bounds"),
        pytest.param(
            ("link", "credit-bureau", *LINK, "--timeout", "1e308"), "usage", "a time-out up to 30 s", id="a time-out without bound"
        ),
        pytest.param(
            ("link", "credit-bureau", *LINK, "--timeout", "nan"), "usage", "a time-out up to 30 s", id="a time-out that is no number"
        ),
        pytest.param(("link", "credit-bureau", "--url", "bureau", "--credential", "T"), "usage", "http", id="no address"),
    ],
)
def test_what_cannot_be_linked_is_refused(world: World, desk: Desk, words: tuple[str, ...], kind: str, says: str) -> None:
    """In one line, and nothing is changed."""
    with pytest.raises(Refused, match=says) as refused:
        desk.types("partners", *words)

    assert refused.value.kind == kind
    assert {row["kind"] for row in desk.sees("partners", "list")} == {"simulated"}
