"""Stock: how much there is of everything, and one device, which is posted for: its number is somebody's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.devices import CAUSES, REASONS
from o2c.entrypoints.http.console.deeds import ELSEWHERE
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, refusal_of, router

pages = router()
Kind = Literal["", "device", "sim", "number"]
FREE = ("available", "golden")
"""States in which somebody can have a piece; they stand first."""


@pages.get("/stock")
def levels(page: Asked, kind: Kind = "") -> Response:
    """How many pieces there are of each class, by state."""
    return shown(page, kind)


def shown(page: Page, kind: str = "", *, status: int = 200, refused: str = "", form: Form = NOTHING) -> Response:
    """The page of the stock."""
    kinds = [each for each in get_args(Kind) if each]
    tables = _tables(page.ask("stock.levels", kind=kind))
    return page.shown("stock.html", status=status, tables=tables, kinds=kinds, kind=kind, refused=refused, form=form)


@pages.post("/devices")
def find(page: Asked, form: Sent) -> Response:
    """A device by its IMEI."""
    try:
        return device(page, form["imei"])
    except Refused as refused:
        if refused.kind not in ("missing", "usage"):
            raise
        status, told = refusal_of(refused, page.request)
        return shown(page, "device", status=status, refused=told, form=form)


@pages.post("/devices/block")
def block(page: Asked, form: Sent) -> Response:
    """Mark a device as lost, stolen or not returned."""
    return _told(page, form, "devices.block", form["cause"], "blocked")


@pages.post("/devices/unblock")
def unblock(page: Asked, form: Sent) -> Response:
    """Take the mark off a device."""
    return _told(page, form, "devices.unblock", form["reason"], "unblocked")


def _told(page: Page, form: Form, verb: str, why: str, done: str) -> Response:
    """Do something about a device. It is told on this very page: a page of its own would have the number in its address."""
    try:
        page.do(verb, form["imei"], why, wish=form["wish"])
    except Refused as refused:
        if refused.kind in ELSEWHERE:
            raise
        status, told = refusal_of(refused, page.request)
        return device(page, form["imei"], status=status, refused=told)
    return device(page, form["imei"], done=done)


def device(page: Page, imei: str, *, status: int = 200, refused: str = "", done: str = "") -> Response:
    """The page of a device. Raises Refused: missing, usage (no IMEI)."""
    row = page.ask("devices.show", imei)
    return page.shown("device.html", status=status, row=row, causes=CAUSES, reasons=REASONS, refused=refused, done=done)


def _tables(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """By kind of stock its states and, by class, how many there are in each."""
    kinds: dict[str, dict[str, dict[str, int]]] = {}
    for row in rows:
        kinds.setdefault(row["kind"], {}).setdefault(row["class"], {})[row["state"]] = row["count"]
    return [{"kind": kind, "states": _states(classes), "classes": classes} for kind, classes in kinds.items()]


def _states(classes: dict[str, dict[str, int]]) -> list[str]:
    return sorted({state for counts in classes.values() for state in counts}, key=lambda state: (state not in FREE, state))
