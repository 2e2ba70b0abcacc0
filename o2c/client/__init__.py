"""A client of the service for programs in Python: every verb and view, sync or async, tried again safely.

    with Client("http://127.0.0.1:8622", "o2c_...") as o2c:
        captured = o2c.orders.capture(paper)
        page = o2c.orders.show(captured.body["order"], min_position=captured.position)
        o2c.orders.cancel(captured.body["order"], note="the customer rang", if_match=page.etag)

It needs httpx and nothing else of this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from o2c.client.calls import Answer, Problem
    from o2c.client.clients import AsyncClient, Client

__all__ = ["Answer", "AsyncClient", "Client", "Problem"]


def __getattr__(name: str) -> Any:
    """Only when it is asked for: whoever looks for the packages of o2c needs no HTTP."""
    if name not in __all__:
        raise AttributeError(f"o2c.client has no {name}")
    return getattr(import_module("o2c.client.clients" if name.endswith("Client") else "o2c.client.calls"), name)
