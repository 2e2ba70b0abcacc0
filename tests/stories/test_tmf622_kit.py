"""The conformance kit's way through TMF622, on a store that has nothing and on one where much has been: it looks at the whole history."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk.act import Context
from o2c.kernel.partner import RefusedBy
from tests.kit import steps
from tests.service import Visitor, serving
from tests.stories.test_tmf622 import STRANGE
from tests.tmf import EXAMPLES, example
from tests.world import World, at, line, order, ported

SECONDS_MOST = 5.0
"""So long a request may take on a machine that does ten other things; on one that does not, it takes some hundredths."""


@pytest.fixture(params=["empty", "lived"])
def kept(request: pytest.FixtureRequest, dsn: str, tmp_path: Path) -> Iterator[Visitor]:
    """A service that takes everybody for the same person, as `o2c serve --actor` does: the kit sends no credential."""
    world = World(dsn, tmp_path)
    if request.param == "lived":
        world.stocked()
        world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
        world.take(order("DONE", line(quantity=2)), order("PORT", ported(), party="C-2"), order("GONE", line(sim="physical")), *STRANGE,
                   *(example(name) for name in EXAMPLES if name.startswith("CreateProductOrder")))  # fmt: skip
        world.run(at(5, 9, 30))
        world.cancel("GONE")
        world.run(at(6))
    with serving(world, tmp_path, who=lambda _: Context("kit")) as made:
        yield made
    world.close()


@pytest.mark.parametrize("version", [4, 5])
def test_every_step_of_the_kit_is_answered_rightly(kept: Visitor, version: int) -> None:
    """And the second time as the first: what it posted then is part of the history now."""
    for _ in range(2):
        slow = {name: seconds for name, seconds in steps(kept.client, version) if seconds > SECONDS_MOST}
        assert slow == {}
