"""The law of changed orders finds each compensation that is left out, within as many histories as every run of it draws."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.decision import NOTHING, Decision
from o2c.orders import revising
from o2c.plan import STEPS
from tests.as_placed import carried, ends_as_placed, ends_cancelled
from tests.changing import PHASES, Changing
from tests.given import Story
from tests.laws.test_amending import papers, shapes

HISTORIES_MAX = 500
Plant = Callable[[pytest.MonkeyPatch], None]


def _nothing(*told: Any) -> Decision:
    return NOTHING


def without(step: str, **ending: Any) -> Plant:
    """A step of which something is not taken back."""
    return lambda patch: patch.setitem(STEPS, step, replace(STEPS[step], ending=replace(STEPS[step].ending, **ending)))


def _kept_claim(patch: pytest.MonkeyPatch) -> None:
    """The clearing house drops a port, and the number stays claimed."""
    cancel = STEPS["porting-cancel"]
    patch.setitem(STEPS, cancel.name, replace(cancel, complete=lambda *told: replace(cancel.complete(*told), frees=())))


def _kept_guards(patch: pytest.MonkeyPatch) -> None:
    """What was claimed for a step stays claimed as the step is taken back."""
    own = revising._own_part
    patch.setattr(revising, "_own_part", lambda *told: replace(own(*told), frees=()))


def _placed(*items: Any) -> Story:
    return Story(*items).run()


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param(without("sim", undo=_nothing), id="the SIM is not given back"),
        pytest.param(without("number", undo=_nothing), id="the number is not released"),
        pytest.param(without("porting", recall=""), id="the port is not asked back"),
        pytest.param(without("esim", recall=""), id="the profile is not called off"),
        pytest.param(without("activation", recall=""), id="the line is not switched off"),
        pytest.param(without("charging", undo=_nothing), id="the charge is not stopped"),
        pytest.param(_kept_claim, id="the claim on the number stays"),
        pytest.param(_kept_guards, id="what was claimed for a step stays"),
    ],
)
def test_a_compensation_that_is_left_out_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the law: the same histories, of which one at least ends otherwise than placed so."""
    plant(monkeypatch)

    @hypothesis.given(
        of=st.one_of(st.tuples(papers(), st.lists(st.tuples(PHASES, papers()), min_size=1, max_size=3)), shapes()), cancelled=st.booleans()
    )
    @hypothesis.settings(max_examples=HISTORIES_MAX, derandomize=True, database=None, phases=(hypothesis.Phase.generate,), deadline=None)
    def law(of: Any, *, cancelled: bool) -> None:
        story = carried(Changing(*of[0]), of[1])
        if not (cancelled and ends_cancelled(story)):
            ends_as_placed(story, _placed)

    with pytest.raises(AssertionError):
        law()
