"""The same about every fallout that filters find: what would become of each is shown first, then it is one job with a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query as At
from fastapi.responses import RedirectResponse, Response

from o2c.desk.act import Refused
from o2c.desk.bulk import Query
from o2c.entrypoints.http.console.desk import Filtered, known
from o2c.entrypoints.http.console.forms import way_of
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, refusal_of, router
from o2c.views.fallouts import aged

pages = router()
NAMES = ("queue", "reason", "order", "customer", "group", "owner", "state", "age_days")
ACTIONS = ("retry", "snooze", "resume", "escalate", "assign", "release", "note", "correct", "decide", "fail-item", "skip", "replace")
"""What can be done about many at once; a claim is for one person's hands, and to force takes a second look at each."""


@pages.get("/bulk")
def choose(page: Asked, filters: Filtered) -> Response:
    """What to do about all that fit."""
    return shown(page, filters.narrowing)


@pages.post("/bulk")
def preview(page: Asked, form: Sent) -> Response:
    """What would become of each as it stands. Nothing is written."""
    return _previewed(page, form)


def _previewed(page: Page, form: Form, *, status: int = 200, refused: str = "") -> Response:
    query = {name: form[f"of.{name}"] for name in NAMES if form[f"of.{name}"]}
    try:
        _, way = way_of(form)
        foreseen = page.do("fallout.bulk", Query.of(query), way, note=form["note"], dry_run=True)
    except Refused as error:
        if error.kind in ("forbidden", "unavailable"):
            raise
        status, refused = refusal_of(error, page.request)
        return shown(page, query, status=status, refused=refused, form=form)
    return shown(page, query, status=status, refused=refused, form=form, foreseen=foreseen)


@pages.post("/bulk/run")
def run(page: Asked, form: Sent) -> Response:
    """Do it as one job about those of the preview; where others fit by now, the preview of these is shown. Sent again, it goes on where it
    was."""
    query = {name: form[f"of.{name}"] for name in NAMES if form[f"of.{name}"]}
    _, way = way_of(form)
    try:
        job = page.do("fallout.bulk", Query.of(query), way, note=form["note"], wish=form["wish"], mark=form["mark"])
    except Refused as error:
        if error.kind != "conflict":
            raise
        status, told = refusal_of(error, page.request)
        return _previewed(page, form, status=status, refused=told)
    return RedirectResponse(f"/console/jobs/{job.job}?new_since={job.new_since}", status_code=303)


@pages.get("/jobs/{job}")
def report(page: Asked, job: str, new_since: Annotated[int, At(ge=0)] = 0) -> Response:
    """What became of each fallout of a job, as far as it is; `new_since` fit as well when it was over, and were not touched."""
    rows = page.ask("fallout.job", job)
    counts = {result: sum(row["result"] == result for row in rows) for result in ("done", "failed", "stopped", "waiting")}
    return page.shown("job.html", rows=rows, counts=counts, job=job, new_since=new_since)


def shown(
    page: Page, query: Mapping[str, str], *, status: int = 200, refused: str = "", form: Form | None = None, foreseen: Any = None
) -> Response:
    """The page of what is to be done about all that fit."""
    if not page.may("fallout.bulk"):
        raise Refused(f"{page.context.actor} may not act on many fallouts at once; ask a supervisor", kind="forbidden")
    if not query:
        raise Refused("say which fallouts: open the queue, filter it, and come from there")
    wanted = {**query, "order": page.ask("orders.show", query["order"])["order"]} if "order" in query else query
    found = page.ask("fallout.list", **{**wanted, "age_days": aged(query.get("age_days", "0"))}, limit=1)
    matched = len(found) + found.more
    said = form or Form({})
    return page.shown(
        "bulk.html", status=status, query=dict(query), matched=matched, actions=ACTIONS, form=said, foreseen=foreseen, refused=refused,
        kept=[(name, said[name]) for name in said.values if name not in ("token", "wish", "mark") and said[name]], **known(page),
    )  # fmt: skip
