"""An operator's own zones and time bands: loaded as data, in force from a day, and named by what was placed and rated by them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from o2c.files.usage import load_zones
from o2c.kernel.refusal import Refused
from o2c.views.usage import list_usage
from o2c.views.zones import list_zones
from tests.metered import BY, load, metered, number_of, rated, record, usage_lines
from tests.world import World

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
ZONES = """version = "ours-1"
valid_from = "2026-01-21"
market = "GB"
other_zone = "world"
[[zones]]
name = "national"
prefixes = ["44"]
[[zones]]
name = "mobile"
prefixes = ["442079460"]
"""


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    return metered(dsn, tmp_path)


def test_a_record_is_placed_by_the_version_of_its_day(world: World) -> None:
    """Numbers of London are mobiles by the operator's file, from its day on: a longer beginning than the market has tells them apart."""
    assert load_zones(world.app, world.written("zones.toml", ZONES), context=BY).version == "ours-1"
    me, called = number_of(world), {"destination": "+442079460000"}
    load(world, record("1", me, start="2026-01-20T23:59:59Z", **called), record("2", me, start="2026-01-21T00:00:00Z", **called))
    load(world, record("3", me, start="2026-01-21T00:00:00Z", destination="+442079461000"))
    assert [(row["zone"], row["placed_by"]) for row in list_usage(world.app)] == [
        ("national", ""),
        ("mobile", "ours-1"),
        ("national", "ours-1"),
    ]
    world.run(MARCH)
    assert usage_lines(world) == [("2026-02-08", 20), ("2026-02-08", 20)]
    assert [body["zonings"] for body in rated(world)] == [[], ["ours-1"]]


def test_what_was_placed_stays(world: World) -> None:
    """A version that is loaded later changes no record that is somebody's; one that waits is placed when it is."""
    called = {"destination": "+442079460000", "start": "2026-01-22T10:00:00Z"}
    load(world, record("1", number_of(world), **called))
    load_zones(world.app, world.written("zones.toml", ZONES), context=BY)
    load_zones(world.app, world.written("zones.toml", ZONES), context=BY)
    assert [row["placed_by"] for row in list_usage(world.app)] == [""]
    load(world, record("2", number_of(world), **called))
    assert [(row["zone"], row["placed_by"]) for row in list_usage(world.app)] == [("national", ""), ("mobile", "ours-1")]


def test_zones_that_prices_name_must_be_there(world: World) -> None:
    """The price list has a price for calls to mobiles."""
    gone = ZONES.replace('"mobile"', '"handy"')
    with pytest.raises(Refused, match="prices name 'mobile'"):
        load_zones(world.app, world.written("zones.toml", gone), context=BY)
    assert {row["version"] for row in list_zones(world.app)} == {""}


def test_zones_are_listed_by_version(world: World) -> None:
    """The market's own, and the operator's over them: which are in force goes by the day."""
    load_zones(world.app, world.written("zones.toml", ZONES), context=BY)
    rows = [row for row in list_zones(world.app, market="GB") if row["name"] == "mobile"]
    assert [(row["version"], row["in_force"], row["prefixes"]) for row in rows] == [("", True, ["447"]), ("ours-1", False, ["442079460"])]
    world.run(datetime(2026, 1, 22, tzinfo=UTC))
    assert [row["version"] for row in list_zones(world.app, market="GB") if row["in_force"] and row["name"] == "mobile"] == ["ours-1"]
    with pytest.raises(Refused, match="no market XX"):
        list_zones(world.app, market="XX")
