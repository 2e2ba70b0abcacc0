"""A store's faults are its own data: planned when it is made or later, kept in its log, met by its simulators, shown to who asks."""

import json
from pathlib import Path
from typing import Any

import pytest

from o2c import Context, OrderToCash
from o2c.kernel.refusal import Refused
from o2c.partners.registry import links
from o2c.views.partners import partner_states
from tests.asking import asked
from tests.desk import Desk, actors
from tests.world import World, at

TOML = """[[fault]]
partner = "network"
kind = "outage"
percent = 100
from = 2026-01-05T10:00:00Z
to = 2026-01-05T12:00:00Z

[[fault]]
partner = "*"
kind = "transient"
percent = 2.5
"""
ROWS = [
    {
        "partner": "network",
        "kind": "outage",
        "percent": "100",
        "from": "2026-01-05T10:00:00Z",
        "to": "2026-01-05T12:00:00Z",
        "planned": True,
    },
    {"partner": "network", "kind": "transient", "percent": "2.5", "from": None, "to": None, "planned": True},
]


def planned(rows: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in rows if row["planned"]]


def test_a_store_is_made_with_its_faults(dsn: str, tmp_path: Path) -> None:
    """They stand in its log, and its simulators meet them; a second file takes the place of the first."""
    desk, plan = Desk(dsn, tmp_path), tmp_path / "faults.toml"
    plan.write_text(TOML)

    desk.types("init", "--clock", "simulated", "--faults", str(plan))

    assert [row for row in planned(desk.sees("partners", "faults")) if row["partner"] == "network"] == ROWS
    world = World(dsn, tmp_path)
    assert actors(world, "partner-network", "partner.faults-planned") == ["ann"]
    network = links(partner_states(world.app), seed=7)["network"].client
    assert not any(type(network.submit(asked("activation", n, at=at(5, 11)))).__name__ == "Answered" for n in range(50))
    assert any(type(network.submit(asked("activation", n, at=at(5, 12)))).__name__ == "Answered" for n in range(50))

    plan.write_text(json.dumps([{"partner": "courier", "kind": "permanent", "percent": "1"}]))
    plan = plan.rename(tmp_path / "faults.json")
    desk.types("partners", "plan-faults", str(plan))
    desk.types("partners", "plan-faults", str(plan))
    assert [row["partner"] for row in planned(desk.sees("partners", "faults"))] == ["courier"]
    assert actors(world, "partner-courier", "partner.faults-planned") == ["ann", "ann"]
    world.close()


def test_a_service_does_the_same(world: World, desk: Desk) -> None:
    """What one face planned the other shows."""
    with OrderToCash(world.dsn) as o2c:
        done = o2c.plan_faults(
            [{"partner": "network", "kind": "outage", "percent": 100, "from": at(5, 10), "to": at(5, 12)}], Context("ops")
        )
        assert len([one for one in done if not one.unchanged]) == 1
        assert o2c.faults() == desk.sees("partners", "faults")
        assert planned(o2c.faults()) == ROWS[:1]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        pytest.param("faults.json", '[{"partner": "network", "kind": "outage", "percent": 300}]', "from 0 to 100", id="nonsense"),
        pytest.param("faults.json", '{"partner": "network"}', "is no plan of faults", id="another shape"),
        pytest.param("faults.toml", "[[fault]\n", "is no TOML", id="no TOML"),
    ],
)
def test_nonsense_makes_no_store(dsn: str, tmp_path: Path, name: str, content: str, says: str) -> None:
    """A plan that cannot be is refused before there is a store, in one line."""
    desk, plan = Desk(dsn, tmp_path), tmp_path / name
    plan.write_text(content)

    with pytest.raises(Refused, match=says) as refused:
        desk.types("init", "--clock", "simulated", "--faults", str(plan))

    assert "\n" not in str(refused.value)
    desk.types("init", "--clock", "simulated")
    assert planned(desk.sees("partners", "faults")) == []


def test_what_is_usual_is_shown_beside(world: World, desk: Desk) -> None:
    """In a store without a plan: what work in the field meets, and nothing where a partner answers from its books."""
    rows = desk.sees("partners", "faults")

    assert {row["kind"]: row["percent"] for row in rows if row["partner"] == "network"} == {
        "transient": "1.5", "permanent": "0.3", "unknown": "0.5",
    }  # fmt: skip
    assert "credit-bureau" not in {row["partner"] for row in rows}
