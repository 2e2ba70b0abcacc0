"""What an auditor needs: one order's file to print and to save, and who was shown what is personal."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, Page, Sent, router

pages = router()


@pages.get("/audit")
def records(page: Asked, customer: str = "", actor: str = "", limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 100) -> Response:
    """Who was shown personal data, of whom, by which operation and in which role, the last first."""
    return _records(page, customer, actor, limit)


@pages.post("/audit/reasons")
def with_reasons(page: Asked, form: Sent) -> Response:
    """The same with what each was looked at for. That may name somebody, so that this is on record as well."""
    try:
        limit = min(max(int(form["limit"] or 100), 1), ROWS_MAX)
    except ValueError:
        raise Refused("say how many rows as a number") from None
    return _records(page, form["customer"], form["actor"], limit, personal=True, why=form["why"])


def _records(page: Page, customer: str, actor: str, limit: int, *, personal: bool = False, why: str = "") -> Response:
    rows = page.ask("access.records", customer=customer, actor=actor, limit=limit, personal=personal, why=why)
    filters = {"customer": customer, "actor": actor, "limit": limit}
    return page.shown("records.html", rows=rows, filters=filters, personal=personal)


@pages.get("/audit/orders/{name}")
def file(page: Asked, name: str) -> Response:
    """An order's file: how it stands and every event of it, on one page that prints."""
    told = _file(page, name)
    mark = sha256(_saved(told)).hexdigest()
    return page.shown("file.html", name=name, order=told["order"], events=told["events"], mark=mark)


@pages.get("/audit/orders/{name}/file.json")
def saved(page: Asked, name: str) -> Response:
    """The same file as JSON, to keep; its SHA-256 stands on the page."""
    content = _saved(_file(page, name))
    headers = {"Content-Disposition": 'attachment; filename="order.json"', "X-Content-SHA256": sha256(content).hexdigest()}
    return Response(content, media_type="application/json", headers=headers)


def _file(page: Page, name: str) -> dict[str, object]:
    if not page.may("access.records"):
        raise Refused(f"{page.context.actor} may not take an order's file; its page shows what happened", kind="forbidden")
    return {"order": page.ask("orders.show", name), "events": list(page.ask("orders.timeline", name, whole=True))}


def _saved(told: dict[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode()
