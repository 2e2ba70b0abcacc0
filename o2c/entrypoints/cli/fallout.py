"""The fallout queue on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

import typer

from o2c.entrypoints.cli.options import complete_queue, complete_reason, completing
from o2c.entrypoints.cli.output import Format, Limit, Output, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking
from o2c.entrypoints.cli.tables import duration
from o2c.entrypoints.cli.wishes import one_of
from o2c.views.codes import list_actions, list_codes
from o2c.views.fallout_groups import list_groups
from o2c.views.fallouts import SORTS, STATES, Sort, list_fallouts
from o2c.views.jobs import show_job
from o2c.views.orders import find_order
from o2c.views.reading import amount_text, time_of

fallout = typer.Typer(no_args_is_help=True, help="Steps that could not go on by themselves: look through them, act on them.")
CODE_COLUMNS = ("kind", "code", "queue", "severity", "retry", "waiting_for", "meaning")
GROUP_COLUMNS = (
    "group",
    "reason",
    "partner_code",
    "step",
    "offering",
    "count",
    "open",
    "trend_7d",
    "held_up",
    "hours_lost",
    "last_at",
    "sample",
)
COLUMNS = ("fallout", "external_id", "customer", "reason", "age", "next", "blocks", "queue", "waiting_for", "stands", "owner")
Id = Annotated[str, typer.Argument(metavar="FALLOUT", help="The fallout's id, or its first 8 letters, as `o2c fallout list` shows it.")]


@fallout.command("list")
def fallout_list(
    queue: Annotated[str, typer.Option(metavar="QUEUE", help="Only this queue: porting.", autocompletion=complete_queue)] = "",
    reason: Annotated[str, typer.Option(metavar="CODE", help="Only this reason code: NP-CODE.", autocompletion=complete_reason)] = "",
    order: Annotated[str, typer.Option(metavar="ORDER", help="Only of this order: its id or external id.")] = "",
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only of this customer.")] = "",
    sort: Annotated[str, typer.Option(metavar="KEY", help=f"By {', '.join(SORTS)}.", autocompletion=completing(SORTS))] = "rank",
    group: Annotated[str, typer.Option(metavar="GROUP", help="Only of this group, as `o2c fallout groups` names it.")] = "",
    owner: Annotated[str, typer.Option(metavar="NAME", help="Only what this person has, or this team and nobody in it.")] = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help=f"Only those that stand so: {', '.join(STATES)}.", autocompletion=completing(STATES))
    ] = "",
    age_days: Annotated[int, typer.Option(metavar="N", help="Only those that are there since so many days at least.")] = 0,
    due_by: Annotated[str, typer.Option(metavar="TIME", help="Only those whose next date is no later.")] = "",
    rank_max: Annotated[int | None, typer.Option(metavar="N", help="Only those of a rank no higher.")] = None,
    after: Annotated[str, typer.Option(metavar="PLACE", help="Go on behind the `place` of the last row, by rank.")] = "",
    limit: Limit = None,
    all_: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    output: Output = Format.table,
) -> None:
    """List open fallouts with whose order each is, how old, what it blocks, and what to do next; by rank.

    A narrow terminal shows fewer columns, `-o json` all there is to know. One that somebody acted on stays in the list until its step went
    on, and says in whose hand it is.

    Example: o2c fallout list --queue porting -o jsonl
    Example: o2c fallout list --sort customer --limit 20
    Example: o2c fallout list --state open --limit 20
    """
    one_of("--sort", sort, SORTS)
    with looking() as session:
        current(session)
        found = list_fallouts(
            session.app,
            queue=queue,
            reason=reason,
            order=find_order(session.app, order)[1].order_id if order else "",
            customer=customer,
            group=group,
            owner=owner,
            state=state,
            age_days=age_days,
            due_by=time_of(due_by) if due_by else None,
            rank_max=rank_max,
            after=after,
            everything=all_,
            sort=cast("Sort", sort),
            limit=rows_wanted(limit, output),
        )
        show_rows(found, output, empty="the queue is empty", columns=(*COLUMNS, *(("closed_at",) if all_ else ())), limit=0, less=_aged)


def _aged(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as a table says it: the order's name, or the invoice's where it is of no order."""
    return {**row, "age": duration(row["age_s"]), "stands": row["state"], "external_id": row["external_id"] or row["invoice"]}


@fallout.command("groups")
def fallout_groups(
    queue: Annotated[str, typer.Option(metavar="QUEUE", help="Only this queue: porting.", autocompletion=complete_queue)] = "",
    reason: Annotated[str, typer.Option(metavar="CODE", help="Only this reason code: NP-CODE.", autocompletion=complete_reason)] = "",
    open_: Annotated[bool, typer.Option("--open", help="Only groups with open ones.")] = False,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List groups of like fallouts: one step, reason, partner's code, offering and plan version; most open ones first.

    With how many there were and are, the last seven days, the money held up and the hours lost. `o2c fallout bulk` works one as a whole.

    Example: o2c fallout groups --open -o jsonl
    """
    with looking() as session:
        current(session)
        found = list_groups(session.app, queue=queue, reason=reason, open_only=open_, limit=rows_wanted(limit, output))
        show_rows(found, output, empty="there are no fallouts", columns=GROUP_COLUMNS, limit=0, less=_told_of_group)


def _told_of_group(row: Mapping[str, Any]) -> dict[str, Any]:
    """The group as a table says it: the trend as a row of numbers, money with its currency."""
    held = amount_text(row["revenue_minor"], row["currency"]) if row["currency"] else ""
    return {**row, "trend_7d": " ".join(map(str, row["trend_7d"])), "held_up": held}


@fallout.command("codes")
def fallout_codes(output: Output = Format.table) -> None:
    """List the reason codes in force, and the partners' codes that are mapped to none of them.

    Example: o2c fallout codes -o jsonl
    """
    with looking() as session:
        current(session)
        show_rows(list_codes(session.app), output, empty="there are no codes", columns=CODE_COLUMNS)


@fallout.command("actions")
def fallout_actions(output: Output = Format.table) -> None:
    """List what may be done about a fallout, by how it stands, with the events that follow. Anything else is refused.

    Example: o2c fallout actions -o json
    """
    show_rows(list_actions(), output, empty="", columns=("action", "state", "needs", "meaning"))


@fallout.command("show")
def fallout_show(
    fallout_id: Id,
    personal: Annotated[bool, typer.Option("--personal", help="The values that may be corrected, and the notes, too.")] = False,
    output: Output = Format.table,
) -> None:
    """Show one fallout with what a person needs to act on it.

    What its code means, whose order it is, what it blocks, and the ways to act that it has, each as the very command. Of an order that came
    again with other content, both papers and what differs.

    Example: o2c fallout show 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1
    Example: o2c fallout show 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --personal
    """
    from o2c.views.fallout_page import show_fallout  # it asks the rules which actions there are, and the queue does not

    with looking() as session:
        current(session)
        shown = dict(show_fallout(session.app, fallout_id, personal=personal))
        if output is Format.table:
            shown.pop("ways")  # for programs; a person reads the commands
        show_one(shown, output)


@fallout.command("job")
def fallout_job(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job, as `o2c fallout bulk` names it.")],
    output: Output = Format.table,
) -> None:
    """Show what became of each fallout of a job, and how it stands now.

    Example: o2c fallout job 7b0e9d5c-41f2-5d0a-8c3e-2f6a1b9c0d4e -o jsonl
    """
    with looking() as session:
        current(session)
        show_rows(show_job(session.app, job), output)
