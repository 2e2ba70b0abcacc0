"""The TM Forum interfaces that the service has."""

from __future__ import annotations

from fastapi import APIRouter

from o2c.entrypoints.http.tmf.cancelling import cancelling
from o2c.entrypoints.http.tmf.events import events
from o2c.entrypoints.http.tmf.hubs import hubs
from o2c.entrypoints.http.tmf.ordering import ordering
from o2c.entrypoints.http.tmf.readable import READABLE
from o2c.entrypoints.http.tmf.resources import reading


def tmf() -> list[APIRouter]:
    """All of them."""
    return [*(make(version) for version in (4, 5) for make in (hubs, ordering, cancelling)), reading(READABLE), events()]
