"""One fallout: what it means, what it blocks, its papers and history, and a form for each thing that may be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.deeds import disclosing
from o2c.entrypoints.http.console.desk import known
from o2c.entrypoints.http.console.forms import ORIGINS, PARTIES, way_of
from o2c.entrypoints.http.console.frame import Asked, Page, Sent, done, refusal_of, router
from o2c.views.guidance import RESOLVING

pages = router()
FIRST = ("correct", "decide", "retry", "claim")
"""The actions that a person takes most, each open on the page from the start."""


@pages.post("/fallouts/{fallout}/act")
def act(page: Asked, form: Sent, fallout: str) -> Response:
    """Act on a fallout as a form says; what is refused is told on the page, over what the person wrote."""
    try:
        verb, way = way_of(form)
        written = page.do(verb, fallout, way, note=form["note"], wish=form["wish"], seen=form["seen"])
    except Refused as refused:
        if refused.kind in ("missing", "unavailable"):
            raise
        status, told = refusal_of(refused, page.request)
        return shown(page, fallout, status=status, refused=told, form=form)
    proposed = form["action"] == "force" and written.stream.startswith("fallout-")
    return done(f"/console/fallouts/{fallout}", "proposed; somebody else has to agree" if proposed else form["action"])


def shown(page: Page, fallout: str, *, personal: bool = False, why: str = "", **of_form: Any) -> Response:
    """A fallout with everything that a person needs to act."""
    row = page.ask("fallout.show", fallout, personal=personal, why=why)
    name = row["fallout"]
    ways = _by_action([way for way in row["ways"] if page.may("fallout.resolve" if way["action"] in RESOLVING else "fallout.work")])
    told = {"row": row, "personal": personal and isinstance(row["values"], list)}
    lines = [key for key in ways.get("correct", ()) if key.startswith("line.")]
    choices: dict[str, Any] = {
        "first": FIRST,
        "origins": ORIGINS,
        "parties": PARTIES,
        "meanings": _meanings(page),
        "ways": ways,
        "lines": lines,
    }
    seen = page.seen("fallout.show", name)
    return page.shown("fallout.html", seen=seen, history=_history(page, row), **of_form, **told, **choices, **known(page))


disclosing(pages, "/fallouts/{name}", shown)


def _by_action(ways: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The values of each action, in the order in which the page offers them: those taken most come first."""
    found: dict[str, list[str]] = {}
    for way in sorted(ways, key=lambda way: FIRST.index(way["action"]) if way["action"] in FIRST else len(FIRST)):
        found.setdefault(way["action"], []).append(way["value"])
    return found


def _meanings(page: Page) -> dict[str, str]:
    return {row["action"]: row["meaning"] for row in page.ask("fallout.actions")}


def _history(page: Page, row: Mapping[str, Any]) -> list[Any]:
    """The events of the fallout's own record, the last first; whoever sees no events sees the deeds alone."""
    if not page.may("streams.show"):
        return []
    return list(reversed(page.ask("streams.show", f"fallout-{row['fallout']}")))
