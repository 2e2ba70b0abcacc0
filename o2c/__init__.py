"""An event-sourced order-to-cash engine for telecom operators.

A backend service begins with `from o2c import OrderToCash, Context`; see docs/python.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FACE = "o2c.entrypoints.python"
__all__ = [
    "Captured",
    "Context",
    "Correct",
    "Decide",
    "EventRecord",
    "Fail",
    "FailOrder",
    "Force",
    "Mark",
    "OrderToCash",
    "OtherLog",
    "Park",
    "Refused",
    "Replace",
    "Retry",
    "Skip",
    "Written",
]


def __getattr__(name: str) -> Any:
    """Import the face when it is asked for (PEP 562): whoever needs the kernel alone gets no database driver with it.

    By name and not by an import statement: this package is the parent of every layer and depends on none. Type checkers read
    `__init__.pyi`.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FACE), name)


def __dir__() -> list[str]:
    return __all__
