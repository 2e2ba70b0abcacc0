"""The price list: what is sold and how its versions differ, one that is not loaded tried on the orders that came, a rise announced."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.deeds import ELSEWHERE, carried
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, refusal_of, router
from o2c.views.reading import day_of, time_of

pages = router()
STREAM = "catalogue-main"
VERSIONS = 50
"""So many of the last versions are listed; any other is compared by its number."""
ROWS_MAX = 500


@pages.get("/catalogue")
def prices(page: Asked, offering: str = "", done: str = "") -> Response:
    """What is sold, at which prices, and the versions of the list."""
    return shown(page, offering=offering, done=done)


@pages.get("/catalogue/diff")
def diff(page: Asked, a: Annotated[int, Query(ge=0)], b: Annotated[int, Query(ge=0)] = 0) -> Response:
    """What differs between two versions; `b` 0 is the one of now."""
    return page.shown("catalogue_diff.html", rows=page.ask("catalogue.diff", a, b), a=a, b=b)


@pages.post("/catalogue/dry-run")
def dry_run(page: Asked, form: Sent) -> Response:
    """Try a price list that is not loaded on the orders that came. A file counts before what stands in the field."""
    text = form["file"] or form["offerings"]
    written = Form({**form.values, "offerings": [text]})
    try:
        if not text:
            raise Refused("say which price list: choose a file, or paste its text")
        times: dict[str, Any] = {name: time_of(form[name]) for name in ("since", "on") if form[name]}
        tried = page.ask("catalogue.dry-run", text, **times)
    except Refused as refused:
        if refused.kind in (*ELSEWHERE, "forbidden"):
            raise
        status, told = refusal_of(refused, page.request)
        return shown(page, status=status, refused=told, form=written)
    return shown(page, form=written, tried=tried)


@pages.post("/catalogue/rise")
def rise(page: Asked, form: Sent) -> Response:
    """Announce that services which run cost more from a day on."""

    def deed() -> None:
        page.do("catalogue.announce-rise", form["offering"], amount=form["amount"], from_day=day_of(form["from"]), wish=form["wish"])

    return carried(page, form, deed, partial(shown, page), "/console/catalogue", "announced")


def shown(
    page: Page,
    *,
    offering: str = "",
    status: int = 200,
    refused: str = "",
    done: str = "",
    form: Form = NOTHING,
    tried: Any = None,
) -> Response:
    """The page of the price list."""
    rows = page.ask("catalogue.list", offering=offering)
    versions = list(reversed(page.ask("streams.show", STREAM)))[:VERSIONS] if page.may("streams.show") else []
    offerings = sorted({row["offering"] for row in page.ask("catalogue.list")})
    told = {"rows": rows, "versions": versions, "offerings": offerings, "offering": offering, "tried": tried, "rows_max": ROWS_MAX}
    return page.shown("catalogue.html", status=status, refused=refused, done=done, form=form, **told)
