"""Where a demo keeps its store: in one of its own, which the next demo may move out of its way."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from o2c.kernel.refusal import Refused
from o2c.store import embedded

MARK = "demo"
"""The file that says of a home that its store is a demo's."""
BEFORE = ".before"


def made_room() -> Path | None:
    """Move the store of the last demo aside, in the place of the one before that, and give where it is now; None where there is none.

    A store that is no demo's is left alone. Raises Refused (conflict) when somebody uses the demo's, or something else stands where it
    goes.
    """
    home = Path(os.path.realpath(embedded.default_home()))
    if os.environ.get("O2C_DSN") or not (home / MARK).is_file():
        return None
    if not embedded.stopped(home):
        raise Refused(
            f"the store of the last demo in {home} is in use; end what uses it, or give the demo another O2C_HOME", kind="conflict"
        )
    aside = home.with_name(home.name + BEFORE)
    if aside.exists() and not (aside / MARK).is_file():
        raise Refused(
            f"{aside} is no store of a demo and stands where the last one would go; give the demo another O2C_HOME", kind="conflict"
        )
    shutil.rmtree(aside, ignore_errors=True)
    home.rename(aside)
    return aside


def mark(home: Path, told: str) -> None:
    """Say of a home that its store is a demo's, which may be thrown away."""
    if not os.environ.get("O2C_DSN"):
        (home / MARK).write_text(told, encoding="utf-8")
