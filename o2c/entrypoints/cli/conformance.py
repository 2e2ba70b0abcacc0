"""Whether what happened keeps to the rules that are declared, on the command line."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from o2c.checks.conformance import RULE_NAMES, check_conformance, list_transitions, rules_listed
from o2c.entrypoints.cli.options import completing
from o2c.entrypoints.cli.output import Format, Limit, Output, err, show_rows
from o2c.entrypoints.cli.session import looking

BROKEN = 5
RULE_COLUMNS = ("rule", "kind", "says")
BROKEN_COLUMNS = ("rule", "order", "event", "what", "delay_s")


class What(StrEnum):
    """What is told beside how rules are kept."""

    states = "states"


def conformance(
    what: Annotated[
        What | None,
        typer.Argument(metavar="[states]", help="`states`: every move that the state machines declare, and how often it was made."),
    ] = None,
    rule: Annotated[
        str, typer.Option(metavar="NAME", help="Only this rule, or this state machine.", autocompletion=completing(RULE_NAMES))
    ] = "",
    violations: Annotated[bool, typer.Option("--violations", help="List what broke the rules: each order, event and what it did.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules themselves, with the events they read and their sources.")] = False,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Hold the whole log against the declared rules: how things may move, and what must come before, after or in time of what.

    Exit 5 when a rule is broken. `orders` is at how many orders, or streams of other things, a rule looked; `violations` how many cases
    broke it, each counted once, by the event that first did; `first_event` the first of these. `delay_s` is the sum of the seconds by which
    a rule of time was missed.

    With `states`: every move that a state machine declares, and `seen`, how often the log has it; 0 for one that it never made. `state` is
    empty where a thing begins; `event` is empty for a move of an order or item that many events may bring, and none did.

    Example: o2c conformance -o jsonl
    Example: o2c conformance states --rule port-states -o json
    """
    if what is What.states:
        with looking() as session:
            show_rows([move.row() for move in list_transitions(session.app, machine=rule)], output, limit=limit)
        return
    if rules:
        show_rows([row for row in rules_listed() if rule in ("", row["rule"])], output, columns=RULE_COLUMNS, limit=limit)
        return
    with looking() as session:
        kept = check_conformance(session.app, rule=rule)
    broken = sorted((one for each in kept for one in each.broken), key=lambda one: one.position)
    if violations:
        show_rows([one.row() for one in broken], output, empty="no rule is broken", columns=BROKEN_COLUMNS, limit=limit)
    else:
        show_rows([each.row() for each in kept], output, limit=limit)
    if broken:
        err.print(f"{len(broken)} cases break {len({one.rule for one in broken})} of {len(kept)} rules; --violations lists them")
        raise typer.Exit(BROKEN)
