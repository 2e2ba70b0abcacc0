"""Between asking a partner and writing down what came of it the process may die at any statement: the work is done once all the same."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from o2c.kernel.partner import Answer, Partner, Request
from tests.depth import depth
from tests.faults.dying import Countdown, Mortal, Scene, as_soon_as_released, killed_at
from tests.world import RecordingPartner, World, at, line, order, ported

pytestmark = pytest.mark.once

POINTS_MAX = 400
POINTS_MIN = 20
TRIED_MAX = 20
"""So many deaths are tried from the first at which something was done; between that and its being written down lie a few."""
Log = dict[str, list[tuple[Any, ...]]]
Asks = Callable[[RecordingPartner, Request], Answer]


@dataclass(frozen=True)
class Stretch:
    """A piece of a story: what is ordered, a time just before the partner is asked, and the time when all is said."""

    ordered: dict[str, Any]
    before: datetime
    until: datetime
    withholding: bool = False


ACTIVATION = Stretch(order("WEB-1", line()), at(5, 9, 3), at(5, 9, 15))
WITHHELD = replace(ACTIVATION, until=at(5, 9, 30), withholding=True)
CUTOVER = Stretch(order("WEB-1", ported()), at(6, 8, 59), at(6, 9, 15))
PAYMENT = Stretch(order("WEB-1", line()), at(8, 7), at(9, 10))


@dataclass
class Stage:
    """A store just before its stretch, set again for every death."""

    stretch: Stretch
    scene: Scene
    folder: Path
    makes: Callable[..., RecordingPartner] = RecordingPartner

    def partner(self, name: str) -> RecordingPartner:
        return self.makes(self.folder / name, withholding=self.stretch.withholding)

    def run(self, outside: Partner) -> Log:
        """Run the stretch to its end; the log it leaves."""
        world = World(self.scene.dsn, self.folder, outside)
        world.run(self.stretch.until)
        log = world.log()
        world.close()
        return log

    def deaths(self, stride: int = 1, begin: int = 1) -> Iterator[tuple[int, RecordingPartner, Log]]:
        """(point, the partner, the log) after a death at the point and another process; until one needs no other."""
        for point in range(begin, POINTS_MAX, stride):
            outside = self.partner(f"point-{point}")
            alive = self._dies(point, outside)
            yield point, outside, as_soon_as_released(lambda outside=outside: self.run(outside))
            if alive:
                assert point > POINTS_MIN
                return
        raise AssertionError(f"still not at the end after {POINTS_MAX} points")

    def first_effect(self) -> int:
        """The first point at which a process that dies has had its partner do something: the later it dies the more was done, so it is halved for."""
        seen: dict[int, bool] = {}

        def done_by(point: int) -> bool:
            if point not in seen:
                outside = self.partner(f"looked-{point}")
                self._dies(point, outside)
                as_soon_as_released(lambda: World(self.scene.dsn, self.folder, outside).run(self.stretch.before).close())
                seen[point] = bool(outside.noted("effect"))
            return seen[point]

        high = next(point for point in (2**power for power in range(3, POINTS_MAX.bit_length())) if done_by(point))
        return bisect_left(range(high), True, key=done_by, lo=1)

    def _dies(self, point: int, outside: Partner) -> bool:
        """Let a process begin the stretch and die at a point; whether it came to the end alive."""
        self.scene.set_again()
        return not killed_at(point, lambda countdown: self._watched(countdown, outside))

    def _watched(self, countdown: Countdown, outside: Partner) -> None:
        world = World(self.scene.dsn, self.folder, Mortal(outside, countdown))
        countdown.watch_statements()
        world.run(self.stretch.until)


@pytest.fixture
def stage(dsn: str, tmp_path: Path) -> Callable[[Stretch], Stage]:
    def made(stretch: Stretch) -> Stage:
        world = World(dsn, tmp_path, RecordingPartner(tmp_path / "before")).stocked(esims=1, physical=0, numbers=2, customers=1)
        world.take(stretch.ordered)
        world.run(stretch.before).close()
        return Stage(stretch, Scene(dsn), tmp_path)

    return made


@pytest.mark.parametrize(
    ("stretch", "stride"),
    [
        pytest.param(ACTIVATION, depth(3, 1), id="activation"),
        pytest.param(WITHHELD, 3, id="activation-answer-withheld"),
        pytest.param(CUTOVER, 3, id="cutover"),
        pytest.param(PAYMENT, 3, id="payment"),
    ],
)
def test_a_death_anywhere_leaves_one_effect_and_the_same_log(stage: Callable[[Stretch], Stage], stretch: Stretch, stride: int) -> None:
    """Whatever the statement, the next process goes on to the log that would have been, and the partner did its work once."""
    given = stage(stretch)
    calm = given.partner("calm")
    wanted = given.run(calm)
    effects = calm.noted("effect")
    assert 0 < len(effects) == len(set(effects))
    for point, outside, log in given.deaths(stride):
        assert log == wanted, f"another log after a death at point {point}"
        assert outside.noted("effect") == effects, f"not one effect a request after a death at point {point}"


def test_a_withheld_answer_is_asked_for_and_nothing_is_sent_again(stage: Callable[[Stretch], Stage]) -> None:
    """A partner that did the work and kept silent is queried; only a death before its silence was noted sends the same key again."""
    given = stage(WITHHELD)
    for _, outside, log in given.deaths(7):
        [key] = {key for key in outside.noted("submit") if "/activation/" in key}
        asked = [line_ for line_ in outside.book.read_text().splitlines() if "/activation/" in line_]
        assert asked[-1] == f"query {key}"
        assert asked.index(f"query {key}") > max(n for n, line_ in enumerate(asked) if line_ == f"submit {key}")
        [of_order] = [[event[0] for event in events] for stream, events in log.items() if stream.startswith("order-")]
        assert of_order[of_order.index("activation.requested") :] == [
            "activation.requested", "partner.silent", "service.activated", "esim-download.requested", "partner.silent", "esim.downloaded", "charging.requested", "charging.started", "item.taken-into-use", "order.completed",
        ]  # fmt: skip


def forgetful(ask: Asks) -> Asks:
    """A partner that knows no key again."""
    turns = iter(range(POINTS_MAX))

    def asked(self: RecordingPartner, request: Request) -> Answer:
        return ask(self, replace(request, key=f"{request.key} turn {next(turns)} {self.book.stat().st_size}"))

    return asked


def test_the_harness_sees_a_key_that_is_not_stable(stage: Callable[[Stretch], Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: were the key another one at every call, some deaths would have the same work done twice."""
    given = stage(ACTIVATION)
    monkeypatch.setattr(RecordingPartner, "submit", forgetful(RecordingPartner.submit))
    calm = given.partner("calm")
    given.run(calm)
    deaths = islice(given.deaths(begin=given.first_effect()), TRIED_MAX)
    assert any(len(outside.noted("effect")) > len(calm.noted("effect")) for _, outside, _ in deaths)
