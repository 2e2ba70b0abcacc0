"""The table of actions is the one list of what can be done about a fallout: each is a way of the desk and an option wherever somebody acts."""

from typing import Any, get_args

import pytest
import typer

from o2c.desk.fallout import Way
from o2c.entrypoints.cli import bulk, resolving
from o2c.entrypoints.cli.ways import HANDLING, NO_WAY, OPTIONS, RESOLVING, option_of
from o2c.entrypoints.http.console.forms import WAYS as FORMS
from o2c.fallout.actions import ACTIONS
from o2c.fallout.rates import packaged
from o2c.views import guidance

WAYS = {way.action for way in get_args(Way)}


def offered(command: Any) -> set[str]:
    """The options of a command, without their dashes in front."""
    app = typer.Typer()
    app.command()(command)
    return {name.removeprefix("--") for parameter in typer.main.get_command(app).params for name in parameter.opts}


def test_every_action_is_a_way_of_the_desk() -> None:
    """But for those that say where else they are done; and there is no way that is not in the table."""
    assert ACTIONS.keys() == WAYS | NO_WAY.keys()
    assert not WAYS & NO_WAY.keys()


def test_every_way_is_an_option_and_has_its_price() -> None:
    """On the command line each stands once; what it costs a person stands on the rate card."""
    assert OPTIONS.keys() == WAYS == {*RESOLVING, *HANDLING}
    assert len({option_of(action) for action in WAYS}) == len(WAYS)
    assert packaged().newest.minutes.keys() == ACTIONS.keys()


def test_the_console_has_a_form_for_every_way() -> None:
    """What its page offers, out of the same table, a form of it says."""
    assert FORMS.keys() == WAYS


def test_the_page_of_a_fallout_knows_what_resolves_it() -> None:
    """What resolves is offered where its step allows it, what handles where its record does: both by the desk's own two kinds."""
    assert {*RESOLVING, *NO_WAY} == guidance.RESOLVING


@pytest.mark.parametrize(
    ("command", "actions"),
    [
        pytest.param(bulk.fallout_bulk, WAYS, id="bulk"),
        pytest.param(resolving.fallout_resolve, set(RESOLVING), id="resolve"),
        pytest.param(resolving.fallout_work, set(HANDLING), id="work"),
    ],
)
def test_no_command_that_acts_lacks_an_action(command: Any, actions: set[str]) -> None:
    """Many at once can be acted on in every way in which one can be; and no command offers what is none of its own."""
    every = {option_of(action) for action in WAYS}
    assert offered(command) & every == {option_of(action) for action in actions}
