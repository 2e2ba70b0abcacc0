"""`o2c`: every command, and how each ends.

Exit codes: 0 done, 2 usage, 3 not found, 4 conflict, 5 verification failed, 6 done but some input refused, 70 a defect in o2c,
75 try later.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import Any

import typer
from typer.exceptions import TyperException

from o2c.entrypoints.cli.commands import PANELS, app_for, app_of
from o2c.entrypoints.cli.output import err

EXIT = {"usage": 2, "missing": 3, "conflict": 4, "forbidden": 4, "unauthenticated": 4, "unavailable": 75}
TRY_LATER = 75
FAILED = 5
DEFECT = 70


def __getattr__(name: str) -> Any:
    """`app` is the command line with every command in full, made when somebody asks for it."""
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = app_of({each for names in PANELS.values() for each in names})
    return globals()["app"]


def main() -> None:
    """Run one command. An error is one line on stderr: what happened, to what, what to do."""
    words = sys.argv[1:]
    try:
        if words and not words[0].startswith("-"):
            from o2c.entrypoints.cli.logs import configure_logs

            configure_logs()
        # Imports make many objects and hardly any garbage, and these stay until the end: the collector looked at them during the start, in
        # every full pass after it and once more at the end, together a fifth of a short command.
        gc.disable()
        app = app_for(words)
        gc.freeze()
        gc.enable()
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except typer.Abort:
        code = _say("stopped; nothing acknowledged is lost", 130)
    except TyperException as error:
        message = " ".join(error.format_message().replace("Value error, ", "").split())
        code = _say(message, 2) if message else 2
    except BrokenPipeError:
        code = _mute(0)
    except Exception as error:
        code = _told_of(error)
        if code == DEFECT and os.environ.get("O2C_DEBUG"):
            raise
    sys.exit(code if isinstance(code, int) else 0)


def _say(line: str, code: int) -> int:
    err.print(f"o2c: {line}")
    return code


def _told_of(error: Exception) -> int:
    """What went wrong, in a line: a refusal, a server that does not answer or refuses, a machine that cannot, or a defect."""
    # Only now: a command that ends well, or asks for help alone, needs none of this.
    from o2c.desk.act import Refused
    from o2c.desk.projections import FoldFailed
    from o2c.running.failing import NO_ANSWER, refused_by_server, why_no_answer

    refused = error if isinstance(error, Refused) else None
    if refused is None and isinstance(error, NO_ANSWER):
        return _say(why_no_answer(error), TRY_LATER)
    if isinstance(error, FoldFailed):
        return _say(f"{' '.join(str(error).split()).removesuffix('.')}; the table is unchanged", FAILED)
    if isinstance(error, OSError):
        return _mute(_say(f"cannot go on: {error.strerror or error}{_where(error)}; nothing acknowledged is lost, run again", TRY_LATER))
    if refused := refused or refused_by_server(error):
        return _say(str(refused), EXIT[refused.kind])
    if os.environ.get("O2C_DEBUG"):
        return DEFECT
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
