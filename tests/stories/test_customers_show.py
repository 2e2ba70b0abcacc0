"""The show of customers, small: some weeks of a few orders, in which what it counts again is what the product says."""

from argparse import Namespace
from contextlib import closing
from pathlib import Path

from o2c import plan
from o2c.engine.app import Engine
from o2c.simulation.launch import write_launch
from tests import customers_show as show
from tests.show import found
from tests.world import at


def test_three_weeks_of_customers(store_dsn: str, tmp_path: Path) -> None:
    """Journeys, promises, waiting, messages and silences are counted again from the log; and a journey that is left out is seen."""
    write_launch(tmp_path / "papers", count=30, seed=3)
    with closing(Engine(store_dsn, plan.KINDS)) as app:
        people = show.lived(app, tmp_path, tmp_path / "papers", Namespace(orders=30, faults=None, desks=2), until=at(26))
        log = found(store_dsn, tmp_path)
        told = [*show.promises_agree(app), *show.waiting_agrees(app, log), show.told_once(log, tmp_path), show.silences_agree(app, log)]
        told += list(show.triggers_agree(app, log))[:1]
        journeys = show.fates(log)
        listed = {row["journey"]: row["state"] for row in show.journeys_of(app)}

        assert {claim.name: claim.figures for claim in told if not claim.good} == {}
        assert listed == journeys != show.fates([record for record in log if record["type"] != "journey.ordered"])
        assert people.done["orders that follow a journey"] > 0
