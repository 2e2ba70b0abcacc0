"""Trying a fix on fallouts before it is put in force, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from o2c.desk.act import Context
from o2c.desk.proving import apply_fix
from o2c.entrypoints.cli.options import Actor, CommandId, complete_reason
from o2c.entrypoints.cli.output import Format, Output, err, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.entrypoints.cli.wishes import named, text_of
from o2c.views.proving import prove


def fallout_prove(
    fix: Annotated[Path, typer.Option("--fix", metavar="FILE", help="The fix, TOML: reason codes, steps, retries, corrections.")],
    group: Annotated[str, typer.Option(metavar="GROUP", help="The open fallouts of this group, as `o2c fallout list` names it.")] = "",
    reason: Annotated[str, typer.Option(metavar="CODE", help="The open fallouts with this code.", autocompletion=complete_reason)] = "",
    items: Annotated[bool, typer.Option("--items", help="Each fallout, too.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Then load its codes, and correct or try again those that resolve.")] = False,
    note: Annotated[str, typer.Option(metavar="TEXT", help="With --apply: why; kept as a personal note.")] = "",
    actor: Actor = "",
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Try a fix on open fallouts before it is put in force: which would resolve, which fall out again, of which nobody knows.

    Their steps are decided again by the real rules over what partners answered; nothing is written. What a partner was never asked is unknown.
    The file is that of `o2c fallout load-codes`, with [correct] for KEY = "VALUE" of every fallout and [orders.ORDER] for those of one order. With
    --apply exactly those that resolve are done, as a job that goes on under the same --command-id when it was cut short, and that `o2c fallout job`
    tells of; fallouts that come later are left alone. `-o jsonl` gives a line for each fallout.

    Example: o2c fallout prove --reason NP-CODE --fix fix.toml -o json
    Example: o2c fallout prove --reason NP-CODE --fix fix.toml --items
    """
    text = text_of(fix)
    if apply:
        own = command_id or str(uuid4())
        if not command_id and output is Format.table:
            err.print(f"if this is cut short, it goes on with --command-id {own}")
        with opened() as session:
            applied = apply_fix(session.app, Context(named(actor), command_id=own), text, group=group, reason=reason, note=note)
        _show(applied.row(), applied.rows(), items, output)
        return
    with looking() as session:
        current(session)
        proof = prove(session.app, text, group=group, reason=reason)
        _show(proof.row(), proof.rows(), items, output)


def _show(row: dict[str, Any], rows: list[dict[str, Any]], items: bool, output: Format) -> None:
    if output is Format.jsonl:
        show_rows(rows, output)
    else:
        show_one({**row, **({"items": rows} if items else {})}, output)
