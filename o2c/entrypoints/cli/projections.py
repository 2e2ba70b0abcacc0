"""Projections on the command line: how they stand, built anew, checked against the log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from o2c.desk import projections as projection_desk
from o2c.desk.act import Context
from o2c.entrypoints.cli.differences import differing, rebuilding, refuse_unwritable, write_differences
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.running.crew import TETHER, work
from o2c.running.keeping import follower, followers
from o2c.views.projections import Checked, chosen, list_deeds, list_parked, list_skipped, list_statuses, verify
from o2c.views.reading import row_of

projections = typer.Typer(no_args_is_help=True, help="Tables folded from the log: how far they are, build them anew, check them.")
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Which ones; all when left out.")]
Doer = Annotated[str, typer.Option("--actor", metavar="NAME", envvar="O2C_ACTOR", help="Who acts; stands in the projections' history.")]
WHY = "Why; stands in `o2c projections history`: nothing personal."
Reason = Annotated[str, typer.Option(metavar="TEXT", help=WHY)]
Differs = 5
SHOWN_MAX = 10


@projections.command("status")
def projections_status(output: Output = Format.table) -> None:
    """Show how far each projection has read, what is parked, and whether it needs a rebuild.

    The lag counts committed events, `lag_s` is the age of the oldest. `blocker` is a transaction that keeps every reader from them: end it;
    `rebuilt_by` is who rebuilds it now. A state `of another log` is that of tables whose last event this log does not have: it was
    restored, or copied.

    Example: o2c projections status -o json
    """
    with looking() as session:
        known = list_statuses(session.app, session.home)
        for one in known:
            if one.other_log:
                err.print(
                    f"{one.name}: folded from another log than this ({one.other_log}); `o2c projections rebuild {one.name}` starts it anew"
                )
        rows = [
            {
                "name": s.name,
                "state": s.state,
                "position": str(s.position),
                "lag_events": s.lag_events,
                "lag_s": round(s.lag_s, 3),
                "parked": s.parked,
                "shape": s.shape_version,
                "blocker": s.blocker,
                "rebuilt_by": s.rebuilt_by,
            }
            for s in known
        ]
        show_rows(rows, output)


@projections.command("work")
def projections_work(
    names: Names = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Worker processes that share the projections.")] = 1,
    share: Annotated[int, typer.Option(hidden=True, help="How many a worker of a crew takes at first.")] = 0,
    tethered: Annotated[
        bool, typer.Option(TETHER, hidden=True, help="End with standard input: how a worker notices its parent's end.")
    ] = False,
) -> None:
    """Keep projections up to date until told to stop (SIGTERM, Ctrl-C).

    Start it on as many machines as you like: each projection is followed by one worker at a time, and another takes over from one that dies
    or stalls. Without any, reading commands bring the projections up to date themselves.

    Example: o2c projections work --workers 2
    """
    with opened() as session:
        if workers > 1:
            crew = followers(session, names, workers)
            code, moved = crew.run(), crew.attended
        else:
            alone = follower(session, names, share=share or None)
            work(alone, None, tethered=tethered)
            code, moved = 0, alone.attended
    if tethered:
        print(moved)
    else:
        err.print(f"moved on {moved} times")
    raise typer.Exit(code)


@projections.command("rebuild")
def projections_rebuild(
    actor: Doer,
    names: Names = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=WHY)] = "",
    diff: Annotated[
        Path | None, typer.Option("--diff", metavar="FILE", help="Write the rows that differ there, one JSON object a line.")
    ] = None,
    output: Output = Format.table,
) -> None:
    """Build projections anew from the log.

    They are folded into fresh tables, which are then swapped in: readers never see an empty one. Tells how many rows came out differently,
    and in which columns; --diff and -o json show the first thousand of them. What was replaced is kept: `o2c projections rollback` puts it
    back. Ended at any moment, it leaves everything as it was.

    Example: o2c projections rebuild orders --actor ann --diff changed.jsonl
    """
    with opened() as session:
        chosen(session.home, names)  # a name that is none makes no file
        if diff:
            refuse_unwritable(diff)  # better refused now than after the work
        with rebuilding() as told:
            built = projection_desk.rebuild(session.app, session.home, Context(actor), names, reason=reason, progress=told)
        if diff:
            write_differences(diff, built)
        show_rows([differing(one, rows=output is not Format.table) for one in built], output)


@projections.command("rollback")
def projections_rollback(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which one.")], actor: Doer, reason: Reason, output: Output = Format.table
) -> None:
    """Put back in place what the last rebuild of a projection replaced.

    It takes milliseconds; the next catch-up goes on from where the old tables stood. A second time goes forward again.

    Example: o2c projections rollback orders --actor ann --reason "the new states confuse the desk"
    """
    with opened() as session:
        back = projection_desk.rollback(session.app, session.home, Context(actor), name, reason=reason)
        show_rows([{"name": back.name, "position": str(back.position), "shape": back.shape_version}], output)


@projections.command("history")
def projections_history(names: Names = None, output: Output = Format.table) -> None:
    """Show who rebuilt, rolled back, retried, skipped or mended what, and why, the first first.

    `position` is where the tables stood then; of a skip, the event that was set aside. What the program did by itself has the actor o2c.

    Example: o2c projections history orders -o jsonl
    """
    with looking() as session:
        done = list_deeds(session.app, session.home, names)
        show_rows([row_of(one) for one in done], output, empty="nothing was done to them yet")


@projections.command("verify")
def projections_verify(
    names: Names = None,
    sample: Annotated[int, typer.Option(metavar="N", min=0, help="Only N groups at random.")] = 0,
    recent: Annotated[int, typer.Option(metavar="N", min=0, help="Only groups touched by the last N events.")] = 0,
    repair: Annotated[bool, typer.Option("--repair", help="Make what differs what the log says, group by group; needs --actor.")] = False,
    actor: Doer = "",
    output: Output = Format.table,
) -> None:
    """Check projections against the log: fold it again and compare documents and rows.

    With --sample or --recent only those groups are folded, from their own events. --repair mends single groups while everything goes on.
    Exit 5 when anything differs and was not mended; `o2c projections rebuild` mends all of a projection.

    Example: o2c projections verify orders --recent 10000 --repair --actor ann
    """
    with looking() as session:
        app, home = session.app, session.home
        if repair:
            checked = projection_desk.repair(app, home, Context(actor), names, sample=sample, recent=recent)
        else:
            checked = verify(app, home, names, sample=sample, recent=recent)
        found = [_told(one) for one in checked]
        show_rows(found, output)
    if any(row["differing"] > row["mended"] for row in found):
        raise typer.Exit(Differs)


def _told(checked: Checked) -> dict[str, Any]:
    """What a check found as a row; what was mended and what is left is said beside it."""
    for difference in checked.mended:
        err.print(f"{checked.name}: {difference.key} differed from what the log says and was mended")
    for difference in checked.left[:SHOWN_MAX]:
        cure = f"`o2c projections verify {checked.name} --repair` or `o2c projections rebuild {checked.name}` mends it"
        err.print(f"{checked.name}: {difference.key} differs from what the log says; {cure}")
    counts = {"differing": len(checked.differing), "mended": len(checked.mended)}
    return {"name": checked.name, "groups": checked.groups, "rows": checked.rows, **counts}


@projections.command("parked")
def projections_parked(
    names: Names = None,
    skipped: Annotated[bool, typer.Option("--skipped", help="Instead, the events that were set aside for good.")] = False,
    output: Output = Format.table,
) -> None:
    """List groups that stand still before an event their fold could not take, the longest first.

    `behind` counts the events that wait in order behind it. Errors say where in the fold it failed and never what the event holds.

    Example: o2c projections parked orders -o json
    """
    with looking() as session:
        found = list_skipped(session.app, session.home, names) if skipped else list_parked(session.app, session.home, names)
        show_rows([row_of(one) for one in found], output, empty="no event was skipped" if skipped else "nothing is parked")


@projections.command("retry")
def projections_retry(
    actor: Doer,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Which projection; all when left out.")] = "",
    group: Annotated[str, typer.Argument(metavar="[GROUP]", help="Which group; all when left out.")] = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help=WHY)] = "",
) -> None:
    """Let parked groups take their events again, in order, after the fold was mended.

    Exit 5 when any still waits.

    Example: o2c projections retry orders --actor ann
    """
    with opened() as session:
        waiting = projection_desk.retry(session.app, session.home, Context(actor), name, group, reason=reason)
    err.print(f"{waiting} groups still wait; see `o2c projections parked`" if waiting else "nothing is parked any more")
    if waiting:
        raise typer.Exit(Differs)


@projections.command("skip")
def projections_skip(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which projection.")],
    group: Annotated[str, typer.Argument(metavar="GROUP", help="Which group, as `o2c projections parked` shows it.")],
    actor: Doer,
    reason: Reason,
    position: Annotated[
        int | None, typer.Option(metavar="N", help="The event you mean; makes a repeat safe: refused when another one is the first.")
    ] = None,
) -> None:
    """Set the first parked event of a group aside for good and fold on with those behind it.

    No way of running the fold takes it again: not a rebuild, not a check, not a look back. The log keeps it.

    Example: o2c projections skip orders 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --actor ann --reason "plan was written twice"
    """
    with opened() as session:
        goes_on = projection_desk.skip(session.app, session.home, Context(actor), name, group, reason=reason, position=position)
    err.print(f"{group} goes on" if goes_on else f"{group} stands still again before a later event; see `o2c projections parked`")
