"""Checks: of a store against its own log, and of the generated documents of a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from o2c.checks.diagnose import not_opened, run_checks
from o2c.desk.act import Refused
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import opened
from o2c.views import event_types as documents

FAILED = 5


def diagnose(
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the pass over the whole log.")] = False, output: Output = Format.table
) -> None:
    """Check the store against its own log and say what is wrong, or what could not be checked.

    Exit 5 when something is wrong. What could not be checked is said, and is no failure.

    Example: o2c diagnose
    """
    try:
        with opened() as session:
            found = list(run_checks(session.app, quick=quick, home=session.home))
    except Refused as refused:
        if refused.kind == "forbidden":
            raise
        found = [not_opened(refused)]
    show_rows([{"check": c.name, "state": c.state, "detail": c.detail} for c in found], output)
    if any(check.state == "failed" for check in found):
        raise typer.Exit(FAILED)


def docs(check: Annotated[bool, typer.Option("--check", help="Only say what is out of date; exit 5 if anything is.")] = False) -> None:
    """Write the generated documents of a checkout of o2c, or check them; for its developers.

    Example: o2c docs --check
    """
    # Only now: no other command needs what the service is made of.
    from o2c.entrypoints.http.client_code import client_files

    root, made = Path(__file__).resolve().parents[3], client_files()
    if not check:
        documents.write_docs(root)
        for name, text in made.items():
            (root / name).write_text(text, encoding="utf-8")
        return
    stale = documents.check_docs(root)
    stale += [f"{name} is not what the list of operations makes of it; run `o2c docs`" for name in made if _text(root / name) != made[name]]
    for line in stale:
        err.print(line)
    if stale:
        raise typer.Exit(FAILED)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
