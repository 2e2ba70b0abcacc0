"""Who may what on the command line, and who was shown what is personal."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.entrypoints.cli.output import Format, Limit, Output, rows_wanted, show_rows
from o2c.entrypoints.cli.session import looking
from o2c.views.access import list_permissions, list_records
from o2c.views.reading import time_of

access = typer.Typer(no_args_is_help=True, help="Who may what, and who was shown what is personal.")
COLUMNS = ("recorded_at", "actor", "operation", "customer", "subjects", "kinds")


@access.command("permissions")
def access_permissions(output: Output = Format.table) -> None:
    """Show the table of permissions: for each operation what each role may.

    `yes` is also what is personal, where it is asked for and taken down; `masked` is nothing personal; `own` is what it began itself.
    Whoever has the machine may everything, and stands in no column.

    Example: o2c access permissions
    """
    show_rows(list_permissions(), output, limit=0)


@access.command("records")
def access_records(
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only about this customer.")] = "",
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Only what this person or service was shown.")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="From this time on, by the server's clock: 2026-11-01.")] = "",
    personal: Annotated[bool, typer.Option("--personal", help="Why, too, where that was said.")] = False,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List who was shown personal data: when, by which operation, of which customer, which kinds; the last first.

    Services, agents and auditors that come with a role are taken down before anything is shown; whoever has the machine is not.

    Example: o2c access records --customer C-1001 -o json
    """
    with looking() as session:
        begin = time_of(since) if since else None
        found = list_records(session.app, customer=customer, actor=by, since=begin, personal=personal, limit=rows_wanted(limit, output))
        show_rows(found, output, empty="nobody was shown anything personal", columns=(*COLUMNS, *(("why",) if personal else ())), limit=0)
