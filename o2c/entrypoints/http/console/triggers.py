"""What is done when something happens: the triggers in force, one with its versions, what they set off, and trying them on what
happened."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi.responses import Response

from o2c.entrypoints.http.console.deeds import carried, foreseen
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.reading import time_of

pages = router()
FIRINGS = 25
"""So many of the events that set off a trigger are shown, the last ones."""


@pages.get("/triggers")
def every(page: Asked, done: str = "", retired: bool = False) -> Response:
    """Every trigger in force, and what they set off last."""
    return shown(page, done=done, retired=retired)


@pages.post("/triggers/preview")
def preview(page: Asked, form: Sent) -> Response:
    """What triggers would have matched of what happened: those of the form, or those in force. Nothing is done or written."""
    return foreseen(page, form, partial(_tried, page, form), partial(shown, page), as_name="matched")


@pages.post("/triggers")
def set_(page: Asked, form: Sent) -> Response:
    """Put the triggers of the form in force."""
    deed = partial(page.do, "triggers.set", definitions=form["definitions"], wish=form["wish"])
    return carried(page, form, deed, partial(shown, page), "/console/triggers", "in force")


@pages.post("/triggers/{trigger}/preview")
def preview_one(page: Asked, form: Sent, trigger: str) -> Response:
    """What one trigger would have matched."""
    return foreseen(page, form, partial(_tried, page, form, trigger), partial(one_shown, page, trigger), as_name="matched")


@pages.post("/triggers/{trigger}/retire")
def retire(page: Asked, form: Sent, trigger: str) -> Response:
    """Let a trigger do nothing more."""
    deed = partial(page.do, "triggers.retire", trigger, wish=form["wish"])
    return carried(page, form, deed, partial(one_shown, page, trigger), f"/console/triggers/{quoted(trigger)}", "retired")


@pages.get("/triggers/{trigger}")
def one(page: Asked, trigger: str, done: str = "") -> Response:
    """One trigger, and what it set off."""
    return one_shown(page, trigger, done=done)


def _tried(page: Page, form: Form, trigger: str = "") -> Any:
    since = time_of(form["since"]) if form["since"] else None
    return page.ask("triggers.dry-run", "" if trigger else form["definitions"], since=since, trigger=trigger)


def shown(
    page: Page, *, status: int = 200, refused: str = "", done: str = "", form: Form = NOTHING, matched: Any = None, retired: bool = False
) -> Response:
    """The page of all triggers; `matched` is what those of the form would have matched."""
    rows, firings = page.ask("triggers.list", retired=retired), page.ask("triggers.firings", limit=FIRINGS)
    told = {"rows": rows, "firings": firings, "matched": matched, "retired": retired}
    return page.shown("triggers.html", status=status, refused=refused, done=done, form=form, **told)


def one_shown(
    page: Page, trigger: str, *, status: int = 200, refused: str = "", done: str = "", form: Form = NOTHING, matched: Any = None
) -> Response:
    """The page of a trigger. Raises Refused (missing)."""
    row, firings = page.ask("triggers.show", trigger), page.ask("triggers.firings", trigger=trigger, limit=FIRINGS)
    told = {"row": row, "firings": firings, "matched": matched}
    return page.shown("trigger.html", status=status, refused=refused, done=done, form=form, **told)
