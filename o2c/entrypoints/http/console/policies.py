"""What is done about journeys: the policy in force, its versions, and putting another one in force."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi.responses import Response

from o2c.entrypoints.http.console.deeds import carried
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, router
from o2c.entrypoints.http.console.sources import following, source_of

pages = router()


@pages.get("/journey-policy")
def policy(page: Asked, done: str = "") -> Response:
    """The policy for journeys."""
    return shown(page, done=done)


@pages.post("/journey-policy")
def load(page: Asked, form: Sent) -> Response:
    """Put the policy of the form in force; a file counts before what stands in the field."""
    text = form["file"] or form["definitions"]
    written = Form({**form.values, "definitions": [text]})
    deed = partial(page.do, "journeys.load-policy", definitions=text, wish=form["wish"], seen=form["seen"])
    return carried(page, written, deed, partial(shown, page), "/console/journey-policy", "in force")


def shown(page: Page, *, form: Form = NOTHING, **of_form: Any) -> Response:
    """The page of the policy, with its text under the name of a version of its own, to be changed."""
    row = page.ask("journeys.policy")
    history = page.ask("streams.show", "journeys-main")[::-1] if page.may("streams.show") else []
    source, seen = form["definitions"] or source_of(_document(row)), page.seen("journeys.policy")
    return page.shown("policy.html", row=row, history=history, seen=seen, source=source, form=form, **of_form)


def _document(row: dict[str, Any]) -> dict[str, Any]:
    """The policy in force as its file has it, as the next version."""
    return {
        "version": following(row["version"]),
        "lost_after_days": row["lost_after_days"],
        "follows_within_days": row["follows_within_days"],
        "outreach": {
            "after_minutes": row["reach_after_minutes"],
            "within_days": row["reach_within_days"],
            "tries_max": row["tries_max"],
            "budget_minor": row["budget_minor"],
        },
        "apart": [{name: value for name, value in rule.items() if value} for rule in row["apart"]],
    }
