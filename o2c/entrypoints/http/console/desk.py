"""The queue of the fallout desk: by rank with filters in the address, by groups, and what is done about several that somebody chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast, get_args
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.fallout import Claim, Release, Retry, Way
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, done, refusal_of, router
from o2c.entrypoints.http.console.rendering import query
from o2c.views.fallouts import STATES, Sort, aged

ROWS = 50
ROWS_MAX = 1_000
CHOSEN_MAX = 200
TOGETHER: dict[str, Way] = {"claim": Claim(), "release": Release(), "retry": Retry()}
"""What can be done about several chosen fallouts at once without saying more."""
FILTERS = ("queue", "reason", "order", "customer", "group", "owner", "state", "age_days")
pages = router()


@dataclass
class Filters:
    """Which fallouts: what stands in the address of the page, so that a reload or a friend sees the same."""

    queue: str = ""
    reason: str = ""
    order: str = ""
    customer: str = ""
    group: str = ""
    owner: str = ""
    state: str = ""
    age_days: str = ""
    everything: bool = False
    sort: Sort = "rank"
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = ROWS

    @property
    def narrowing(self) -> dict[str, str]:
        """The filters that say something, without sort and size."""
        return {name: getattr(self, name) for name in FILTERS if getattr(self, name)}

    @property
    def said(self) -> dict[str, str]:
        """All that says something but the size, as a saved view has it."""
        return {
            **self.narrowing,
            **({"everything": "1"} if self.everything else {}),
            **({"sort": self.sort} if self.sort != "rank" else {}),
        }


Filtered = Annotated[Filters, Depends()]


@pages.get("/fallouts")
def queue(page: Asked, filters: Filtered, done: str = "") -> Response:
    """Open fallouts by rank."""
    return _queue(page, filters, done=done)


@pages.post("/views/save")
def save(page: Asked, form: Sent) -> Response:
    """Save the filters of the queue under a name of one's own."""
    return _kept(page, form, "fallout.save-view", "saved")


@pages.post("/views/forget")
def forget(page: Asked, form: Sent) -> Response:
    """Forget a view."""
    return _kept(page, form, "fallout.forget-view", "forgotten")


def _kept(page: Page, form: Form, verb: str, what: str) -> Response:
    """Do something about a saved view, and go back to the queue as it was filtered; what is refused is told there."""
    filters = Filters(everything=bool(form["of.everything"]), sort=_sort(form["of.sort"]))
    for name in FILTERS:
        setattr(filters, name, form[f"of.{name}"])
    options: dict[str, Any] = (
        {**filters.narrowing, "age_days": aged(filters.age_days or "0"), "everything": filters.everything, "sort": filters.sort}
        if what == "saved"
        else {}
    )
    try:
        page.do(verb, form["name"], wish=form["wish"], **options)
    except Refused as refused:
        if refused.kind in ("forbidden", "unavailable"):
            raise
        status, told = refusal_of(refused, page.request)
        return _queue(page, filters, status=status, refused=told)
    return done(f"/console/fallouts{query(filters.said)}", what)


def _sort(text: str) -> Sort:
    return cast("Sort", text) if text in get_args(Sort) else "rank"


def _queue(page: Page, filters: Filters, *, status: int = 200, done: str = "", refused: str = "") -> Response:
    may = page.may("fallout.saved-views", "fallout.save-view")
    saved = page.ask("fallout.saved-views", owner=page.context.actor) if may else []
    kept = [{**row, "address": query(row["filters"]), "here": row["filters"] == filters.said} for row in saved]
    return page.shown("fallouts.html", status=status, **listed(page, filters), saved=kept, said=filters.said, done=done, refused=refused)


def listed(page: Page, filters: Filters) -> dict[str, Any]:
    """The rows that filters find, and what else can be filtered by."""
    told = {**vars(filters), "age_days": aged(filters.age_days or "0")}
    if filters.order:
        told["order"] = page.ask("orders.show", filters.order)["order"]
    rows = page.ask("fallout.list", **told)
    return {
        "rows": rows,
        "filters": vars(filters),
        "narrowed": bool(filters.narrowing),
        "sorts": get_args(Sort),
        "states": STATES,
        **known(page),
    }


def known(page: Page) -> dict[str, Any]:
    """The queues and reasons that there are, so that nobody has to type what the system knows."""
    codes = [row for row in page.ask("fallout.codes") if row["kind"] == "code"]
    return {"queues": sorted({row["queue"] for row in codes}), "reasons": sorted(row["code"] for row in codes)}


@pages.get("/groups")
def groups(page: Asked, queue: str = "", reason: str = "", *, everything: bool = False) -> Response:
    """Groups of like fallouts, those with most open ones first."""
    rows = page.ask("fallout.groups", queue=queue, reason=reason, open_only=not everything, limit=ROWS_MAX)
    return page.shown("groups.html", rows=rows, filters={"queue": queue, "reason": reason, "everything": everything}, **known(page))


@pages.post("/fallouts/chosen")
def about_chosen(page: Asked, form: Sent) -> Response:
    """Do the same about each fallout that was chosen, one by one: what cannot be is told, and keeps no other from being done."""
    chosen, way = form.all("fallout"), TOGETHER.get(form["action"])
    if way is None or not chosen or len(chosen) > CHOSEN_MAX:
        raise Refused(
            f"choose 1 to {CHOSEN_MAX} fallouts, and one of {', '.join(TOGETHER)}; to act on all that fit, use the preview of all"
        )
    verb = "fallout.resolve" if isinstance(way, Retry) else "fallout.work"
    rows = []
    for fallout in chosen:
        try:
            page.do(verb, fallout, way, note=form["note"], wish=f"{form['wish']} {fallout}")
            rows.append({"fallout": fallout, "why": ""})
        except Refused as refused:
            if refused.kind in ("forbidden", "unavailable"):
                raise
            rows.append({"fallout": fallout, "why": str(refused)})
    back = f"?{urlencode(parse_qsl(form['back'].removeprefix('?')))}"
    failed = sum(bool(row["why"]) for row in rows)
    return page.shown("report.html", rows=rows, failed=failed, action=form["action"], back=back)
