"""What leaks from order to bill, on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.checks.assurance import ASSURANCE_RULES, UNBILLED_DAYS, assurance_rules_listed, check_assurance
from o2c.entrypoints.cli.options import completing
from o2c.entrypoints.cli.output import Format, Limit, Output, err, show_rows
from o2c.entrypoints.cli.session import looking

LEAKS = 5
COLUMNS = ("rule", "order", "item", "account", "amount_minor", "currency", "since")


def assurance(
    rule: Annotated[str, typer.Option(metavar="NAME", help="Only this rule.", autocompletion=completing(ASSURANCE_RULES))] = "",
    days: Annotated[int, typer.Option(metavar="N", help="How long a service may be on before it must be billed.")] = UNBILLED_DAYS,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules, with the metrics they count into.")] = False,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Find what leaks from order to bill: what fulfilment and billing say of a service differs.

    A row for each: the amount at stake in minor units, since when, and the events of both sides (`events_a` fulfilment, `events_b` billing;
    a table leaves them out). Exit 5 when something leaks.

    Example: o2c assurance --rules
    """
    if rules:
        show_rows(assurance_rules_listed(), output, limit=limit)
        return
    with looking() as session:
        found = check_assurance(session.app, rule=rule, days=days)
    show_rows([leak.row() for leak in found], output, empty="nothing leaks", columns=COLUMNS, limit=limit)
    if found:
        err.print(f"{len(found)} leaks by {len({leak.rule for leak in found})} rules; -o jsonl has the events of both sides")
        raise typer.Exit(LEAKS)
