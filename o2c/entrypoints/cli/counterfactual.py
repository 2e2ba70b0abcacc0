"""What orders would have come to under other data, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from o2c.entrypoints.cli.output import Format, Output, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking
from o2c.entrypoints.cli.wishes import text_of
from o2c.views.counterfactual import counterfactual
from o2c.views.reading import time_of


def counterfactual_of_orders(
    policy: Annotated[
        Path,
        typer.Option(
            "--policy", metavar="FILE", help="Other reason codes and retries (TOML, as for load-codes), credit policy, plan data."
        ),
    ],
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Orders captured from here on: 2026-01-05.")],
    items: Annotated[bool, typer.Option("--items", help="Each order that comes out otherwise, or is unknown, too.")] = False,
    output: Output = Format.table,
) -> None:
    """Tell orders again under other codes, retries, credit policy or plan data: what would have stopped, and what was saved.

    Decided by the real rules over what partners answered to the same requests; nothing is written. An order is unknown from where something
    would have been asked that never was, or somebody would have had to decide; it counts as it was. What is saved is people's labour, by
    the rate card, and the revenue of the days. `-o jsonl` gives a line for each order that comes out otherwise or is unknown.

    Example: o2c counterfactual --policy codes.toml --since 2026-01-01 -o json
    """
    text = text_of(policy)
    with looking() as session:
        current(session)
        found = counterfactual(session.app, text, since=time_of(since))
        if output is Format.jsonl:
            show_rows(found.rows(), output)
        else:
            show_one({**found.row(), **({"items": found.rows()} if items else {})}, output)
