"""`o2c`: every command, and how each ends.

Exit codes: 0 done, 2 usage, 3 not found, 4 conflict, 5 verification failed, 6 done but some input refused, 70 a defect in o2c,
75 try later.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import psycopg
import structlog
import typer
from eventsourcing.persistence import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout
from typer.exceptions import TyperException

from o2c.entrypoints import docs as documents
from o2c.entrypoints.checks import run_checks
from o2c.entrypoints.cli import fallout, projections, read, run, setup
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import opened
from o2c.kernel.refusal import Refused
from o2c.store.embedded import ServerUnavailable
from projections.fold import FoldFailed

EXIT = {"usage": 2, "missing": 3, "conflict": 4, "unavailable": 75}
TRY_LATER = 75
FAILED = 5
DEFECT = 70

app = typer.Typer(
    name="o2c",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Order to cash for telecom operators: one log in which the order, its fallout, the promise and the invoice stand together.",
    epilog="Exit codes: 0 done, 2 usage, 3 not found, 4 conflict, 5 verification failed, 6 some input refused, 70 a defect in o2c, 75 try later. "
    "O2C_HOME is the data folder; O2C_DSN another PostgreSQL.",
)
app.command("init")(setup.init)
app.add_typer(setup.load, name="load")
app.command("ingest")(setup.ingest)
app.command("run")(run.run)
app.command("status")(read.status)
app.add_typer(read.orders, name="orders")
app.add_typer(fallout.fallout, name="fallout")
app.add_typer(projections.projections, name="projections")
app.add_typer(read.metrics, name="metrics")
app.add_typer(setup.simulate, name="simulate")
app.command("demo")(run.demo)


@app.command()
def diagnose(
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the pass over the whole log.")] = False, output: Output = Format.table
) -> None:
    """Check the store against its own log and say what is wrong, or what could not be checked; exit 5 when something is wrong.

    Example: o2c diagnose
    """
    with opened() as session:
        found = list(run_checks(session.app, quick=quick))
        show_rows([{"check": c.name, "state": c.state, "detail": c.detail} for c in found], output)
    if any(check.state == "failed" for check in found):
        raise typer.Exit(FAILED)


@app.command()
def docs(check: Annotated[bool, typer.Option("--check", help="Only say what is out of date; exit 5 if anything is.")] = False) -> None:
    """Write the generated documents of a checkout, or check them.

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


def main() -> None:
    """Run one command. An error is one line on stderr: what happened, to what, what to do."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    try:
        code = app(standalone_mode=False)
    except Refused as refused:
        code = _say(str(refused), EXIT[refused.kind])
    except (psycopg.OperationalError, OperationalError, InterfaceError, PoolTimeout) as error:
        code = _say(f"the database is not available ({type(error).__name__}); see that the server runs and try again", TRY_LATER)
    except ServerUnavailable as error:
        code = _say(_line(error), TRY_LATER)
    except FoldFailed as error:
        code = _say(f"{_line(error)}; the table is unchanged", FAILED)
    except typer.Abort:
        code = _say("stopped; nothing acknowledged is lost", 130)
    except TyperException as error:
        message = " ".join(error.format_message().split())
        code = _say(message, 2) if message else 2
    except BrokenPipeError:
        code = 0
    except Exception as error:
        if os.environ.get("O2C_DEBUG"):
            raise
        code = _say(
            f"a defect in o2c ({type(error).__name__}); nothing acknowledged is lost; run again with O2C_DEBUG=1 and report it", DEFECT
        )
    sys.exit(code if isinstance(code, int) else 0)


def _say(line: str, code: int) -> int:
    err.print(f"o2c: {line}")
    return code


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()).removesuffix(".")


if __name__ == "__main__":
    main()
