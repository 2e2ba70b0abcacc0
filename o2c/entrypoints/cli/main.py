"""`o2c`: every command, and how each ends.

Exit codes: 0 done, 2 usage, 3 not found, 4 conflict, 5 verification failed, 6 done but some input refused, 70 a defect in o2c,
75 try later.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.metadata import version as installed
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from o2c.checks.diagnose import not_opened, run_checks
from o2c.desk.act import Refused
from o2c.desk.projections import FoldFailed
from o2c.entrypoints.cli import (
    analysts,
    cancel,
    catalogue,
    customers,
    events,
    fallout,
    history,
    numbers,
    partners,
    payments,
    projections,
    read,
    replay,
    run,
    setup,
    sims,
    store,
    telemetry,
)
from o2c.entrypoints.cli.help_pages import laid_out
from o2c.entrypoints.cli.logs import configure_logs
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import opened
from o2c.running.failing import NO_ANSWER, refused_by_server, why_no_answer
from o2c.running.store import newest_migration
from o2c.views import event_types as documents

EXIT = {"usage": 2, "missing": 3, "conflict": 4, "forbidden": 4, "unavailable": 75}
TRY_LATER = 75
FAILED = 5
DEFECT = 70

EPILOG = """\
Begin with
  o2c demo --orders 100           an invented launch, from order to cash
  o2c COMMAND --help              what a command does, with an example
  o2c --install-completion        let the shell complete commands and values

Exit codes
   0  done                         5  a check failed, or something differs
   2  wrong usage                  6  done, but some input was refused
   3  there is no such thing      70  a defect in o2c
   4  conflict: not as it stands  75  try again later

Environment
  O2C_HOME        the data folder, with a PostgreSQL of its own
  O2C_DSN         use this PostgreSQL instead: a connection string
  O2C_ACTOR       who acts, where --actor is left out
  O2C_LOOKUP_KEY  key to find customers by name or e-mail: 64 hex digits
  O2C_LOG_LEVEL   DEBUG, INFO (unless said otherwise), WARNING or ERROR
  O2C_DEBUG       set to 1, show where in the program a defect is

Data goes to standard output, everything else to standard error."""
PANELS = {
    "Set up": ("init", "load", "ingest", "simulate", "demo"),
    "Orders": ("orders", "catalogue", "customers", "fallout", "numbers", "sims"),
    "Money": ("payments",),
    "Look into it": ("status", "events", "metrics", "sql", "replay"),
    "Operate": ("run", "diagnose", "partners", "projections", "store", "docs"),
}
"""What stands under which heading of `o2c --help`."""

app = typer.Typer(
    name="o2c",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Order to cash for telecom operators: one log in which the order, its fallout, the promise and the invoice stand together.",
    epilog=EPILOG,
)
app.command("init")(setup.init)
app.add_typer(setup.load, name="load")
app.command("ingest")(setup.ingest)
app.command("run")(run.run)
app.command("status")(read.status)
app.add_typer(read.orders, name="orders")
read.orders.command("cancel")(cancel.orders_cancel)
app.add_typer(catalogue.catalogue, name="catalogue")
app.add_typer(customers.customers, name="customers")
app.add_typer(fallout.fallout, name="fallout")
app.add_typer(events.events, name="events")
events.events.command("export")(history.events_export)
events.events.command("import")(history.events_import)
app.add_typer(numbers.numbers, name="numbers")
app.add_typer(sims.sims, name="sims")
app.add_typer(payments.payments, name="payments")
app.add_typer(partners.partners, name="partners")
app.add_typer(projections.projections, name="projections")
app.command("replay")(replay.replay)
app.add_typer(store.store, name="store")
store.store.command("keep")(analysts.store_keep)
app.command("sql")(analysts.sql)
app.add_typer(read.metrics, name="metrics")
read.metrics.command("export")(telemetry.export)
read.metrics.command("serve")(telemetry.serve)
app.add_typer(setup.simulate, name="simulate")
app.command("demo")(run.demo)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"o2c {installed('o2c')}, newest migration {newest_migration()}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version of the program and of its schema.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """What stands before a command."""


@app.command("diagnose")
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
        found = [not_opened(refused)]
    show_rows([{"check": c.name, "state": c.state, "detail": c.detail} for c in found], output)
    if any(check.state == "failed" for check in found):
        raise typer.Exit(FAILED)


@app.command("docs")
def docs(check: Annotated[bool, typer.Option("--check", help="Only say what is out of date; exit 5 if anything is.")] = False) -> None:
    """Write the generated documents of a checkout of o2c, or check them; for its developers.

    Example: o2c docs --check
    """
    root = Path(__file__).resolve().parents[3]
    if not check:
        documents.write_docs(root)
        return
    stale = documents.check_docs(root)
    for line in stale:
        err.print(line)
    if stale:
        raise typer.Exit(FAILED)


laid_out(app, PANELS)


def main() -> None:
    """Run one command. An error is one line on stderr: what happened, to what, what to do."""
    try:
        configure_logs()
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except Refused as refused:
        code = _say(str(refused), EXIT[refused.kind])
    except NO_ANSWER as error:
        code = _say(why_no_answer(error), TRY_LATER)
    except FoldFailed as error:
        code = _say(f"{' '.join(str(error).split()).removesuffix('.')}; the table is unchanged", FAILED)
    except typer.Abort:
        code = _say("stopped; nothing acknowledged is lost", 130)
    except TyperException as error:
        message = " ".join(error.format_message().split())
        code = _say(message, 2) if message else 2
    except BrokenPipeError:
        code = _mute(0)
    except OSError as error:
        code = _mute(_say(f"cannot go on: {error.strerror or error}{_where(error)}; nothing acknowledged is lost, run again", TRY_LATER))
    except Exception as error:
        if os.environ.get("O2C_DEBUG"):
            raise
        code = _told_of(error)
    sys.exit(code if isinstance(code, int) else 0)


def _say(line: str, code: int) -> int:
    err.print(f"o2c: {line}")
    return code


def _told_of(error: Exception) -> int:
    """Whatever else went wrong: what the server refused, or a defect."""
    if refused := refused_by_server(error):
        return _say(str(refused), EXIT[refused.kind])
    return _say(f"a defect in o2c ({type(error).__name__}); nothing acknowledged is lost; run again with O2C_DEBUG=1 and report it", DEFECT)


def _where(error: OSError) -> str:
    return f" ({error.filename})" if error.filename else ""


def _mute(code: int) -> int:
    """What is left for a standard output that takes no more would be told once again, by Python and with a traceback."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


if __name__ == "__main__":
    main()
