"""What one process of the service holds for all its requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from fastapi import FastAPI, Request

from o2c.desk.act import Context
from o2c.entrypoints.http.limits import Rates, of_strangers
from o2c.entrypoints.http.pulse import Pulse
from o2c.running.session import Session

Who = Callable[[str], Context]
"""From what stands in the header Authorization to who that is. Raises Refused (unauthenticated). It may ask the database, so a thread waits
for it."""
Remembered = Callable[[str], Context | None]
"""The same at once, from what the process remembers; None where it has to be looked up."""

CONNECTION_S = 10.0
"""So long a request waits for a connection to the database before its caller is told to come again."""


@dataclass(frozen=True, slots=True)
class Held:
    """The open store, who may come in, how often each came of late, `strangers` with a credential and `links` with a customer's link that
    is none, and how far the log is."""

    session: Session
    who: Who
    rates: Rates = field(default_factory=Rates)
    strangers: Rates = field(default_factory=of_strangers)
    links: Rates = field(default_factory=of_strangers)
    remembered: Remembered = lambda authorization: None
    pulse: Pulse = field(default_factory=Pulse)


def hold(service: FastAPI, held: Held) -> None:
    """Give a service what it holds."""
    held.session.connect_within(CONNECTION_S)
    service.state.held = held


def held_by(request: Request) -> Held:
    """What the service of a request holds."""
    return cast("Held", request.scope["app"].state.held)
