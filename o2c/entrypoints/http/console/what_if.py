"""What orders would have come to under another policy, and what a fix would make of open fallouts: tried here, put in force elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.desk import known
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, refusal_of, router
from o2c.views.reading import time_of

pages = router()
ROWS_MAX = 500
"""So many rows are shown; what there are in all stands over them, and `-o jsonl` on the command line has them all."""
NOTHING: Mapping[str, Any] = {}


@pages.get("/what-if")
def asked(page: Asked, reason: str = "", group: str = "") -> Response:
    """The forms for a policy and for a fix."""
    return _shown(page, Form({"reason": [reason], "group": [group]}))


@pages.post("/what-if/policy")
def policy(page: Asked, form: Sent) -> Response:
    """The orders captured from a day on, told again under a policy."""
    return _tried(page, form, "policy", lambda text: page.ask("counterfactual", text, since=time_of(form["since"])))


@pages.post("/what-if/fix")
def fix(page: Asked, form: Sent) -> Response:
    """The open fallouts of a group, or with a reason, decided again under a fix."""
    return _tried(page, form, "fix", lambda text: page.ask("fallout.prove", text, group=form["group"], reason=form["reason"]))


def _tried(page: Page, form: Form, what: str, asked: Callable[[str], Any]) -> Response:
    """What comes of a text; one that cannot be tried is told over what the person wrote. A file counts before what stands in the field."""
    text = form["file"] or form[what]
    written = Form({**form.values, what: [text]})
    try:
        told = asked(text)
    except Refused as refused:
        if refused.kind in ("forbidden", "unavailable"):
            raise
        status, why = refusal_of(refused, page.request)
        return _shown(page, written, status=status, refused=why)
    rows = told.rows()
    return _shown(page, written, came={what: {"told": told.row(), "rows": rows[:ROWS_MAX], "count": len(rows)}})


def _shown(page: Page, form: Form, *, status: int = 200, refused: str = "", came: Mapping[str, Any] = NOTHING) -> Response:
    if not page.may("counterfactual"):
        raise Refused(f"{page.context.actor} may not try policies; ask an analyst or a supervisor", kind="forbidden")
    found = {"policy": None, "fix": None, **came, "refused": refused, "since": form["since"] or _begin(page)}
    return page.shown("what_if.html", status=status, form=form, **found, **known(page))


def _begin(page: Page) -> str:
    """The first day of the log, so that all orders count unless somebody says otherwise."""
    flow = page.ask("metrics.flow")
    return str(flow[0]["day"]) if flow else ""
