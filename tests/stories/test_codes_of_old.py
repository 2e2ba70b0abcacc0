"""An operator's reason codes that outlive the program that they were written for."""

import uuid
from pathlib import Path

from o2c.checks.diagnose import run_checks
from o2c.fallout.events import CodesLoaded
from o2c.files.loading import command_of, load_codes, written
from o2c.kernel.decision import just
from o2c.kernel.partner import Failed
from o2c.kernel.reasons import STREAM as CODES
from tests.world import World, at, line, order

FITS = "reason codes fit the program"


def told_by_diagnose(world: World) -> str:
    """What is said of codes that do not fit; empty where nothing is wrong."""
    return next(check.detail if check.state == "failed" else "" for check in run_checks(world.app, quick=True) if check.name == FITS)


def test_codes_that_no_longer_fit_are_named_and_stop_nothing(dsn: str, tmp_path: Path) -> None:
    """A file of reason codes of an older program names a queue and a step that there are no more: orders go on under what fits, and it is said."""
    world = World(dsn, tmp_path)
    world.stocked().take(order("A", line()))
    text = 'version = "ours-0"\nvalid_from = "2021-01-01"\n[codes.NET-HLR]\nqueue = "faxes"\nseverity = 1\n[steps.telegraph]\nsilence = "NET-TMO"\n'
    loaded = world.app.load_one(CODES)
    event = CodesLoaded(version="ours-0", valid_from="2021-01-01", document=text)
    written(world.app, command_of(CODES, just(event), loaded, world.app.clock().now, str(uuid.uuid4()), "ann"))
    world.scripted.will("activation", *[Failed("UNAVAILABLE")] * 20)
    world.run(at(6))

    [fallout] = world.fallouts("A")
    assert (fallout["reason"], fallout["severity"], fallout["queue"], fallout["code_version"]) == ("NET-HLR", 1, "network", "ours-0")
    told = told_by_diagnose(world)
    assert "codes.NET-HLR of ours-0: NET-HLR: no queue is called faxes" in told
    assert "steps.telegraph of ours-0: no partner carries out a step called telegraph" in told
    assert "load-codes" in told
    (tmp_path / "codes.toml").write_text('version = "ours-1"\nvalid_from = "2021-01-01"\n[codes.NET-HLR]\nqueue = "network"\n')
    load_codes(world.app, tmp_path / "codes.toml")
    assert "NET-HLR" not in told_by_diagnose(world)
    world.close()
