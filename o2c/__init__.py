"""An event-sourced order-to-cash engine for telecom operators.

A backend service begins with `from o2c import OrderToCash, Context`; see docs/python.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from o2c.app import Context, Written
    from o2c.entrypoints.backend import OrderToCash
    from o2c.entrypoints.following import EventRecord, Mark, OtherLog
    from o2c.entrypoints.reception import Captured
    from o2c.kernel.refusal import Refused

__all__ = ["Captured", "Context", "EventRecord", "Mark", "OrderToCash", "OtherLog", "Refused", "Written"]

_HOME = {
    "Captured": "o2c.entrypoints.reception",
    "Context": "o2c.app",
    "EventRecord": "o2c.entrypoints.following",
    "Mark": "o2c.entrypoints.following",
    "OrderToCash": "o2c.entrypoints.backend",
    "OtherLog": "o2c.entrypoints.following",
    "Refused": "o2c.kernel.refusal",
    "Written": "o2c.app",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for (PEP 562): whoever needs the kernel alone gets no database driver with it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
