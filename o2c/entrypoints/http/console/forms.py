"""What a form says about a fallout, as the desk takes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from o2c.desk.act import Refused
from o2c.desk.fallout import (
    Assign,
    ChangeOrigin,
    Claim,
    Correct,
    Decide,
    Escalate,
    Fail,
    FailOrder,
    Force,
    LinkTicket,
    Note,
    Park,
    Release,
    Reopen,
    Replace,
    RequestInformation,
    Resolution,
    Resume,
    Retry,
    Settle,
    Skip,
    Snooze,
    Wait,
    Way,
)
from o2c.entrypoints.http.console.frame import Form
from o2c.views.reading import time_of

_OF_BROWSER = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
CHANGE = "change."
"""The fields of a correction begin so; behind it stands the key that is corrected."""


def until_of(form: Form) -> datetime | None:
    """The time of a field, which is told in UTC; None where nothing is said."""
    text = form["until"]
    # A browser sends what its field for times holds: without seconds, and without a zone.
    return time_of(f"{text}:00Z" if _OF_BROWSER.fullmatch(text) else text) if text else None


def whole_of(form: Form, name: str) -> int:
    """A whole number of a field; 0 where nothing is said. Raises Refused (usage)."""
    text = form[name] or "0"
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise Refused(f"{text[:20]} is no whole number; write one")
    return int(text)


def _snooze(form: Form) -> Way:
    until = until_of(form)
    if until is None:
        raise Refused("say until when it is left alone")
    return Snooze(until)


def _claim(form: Form) -> Way:
    minutes = form["minutes"] or "30"
    if not minutes.isdecimal() or len(minutes) > 4:
        raise Refused(f"{minutes} is no number of minutes; say 1 to 720")
    return Claim(int(minutes))


def _correct(form: Form) -> Way:
    """The values of a form, and one of an order's line that is named by hand."""
    changes = form.beginning(CHANGE)
    if form["line"] and form["value"]:
        changes[form["line"]] = form["value"]
    if not changes:
        raise Refused("nothing was corrected; write at least one value, or retry as it is")
    return Correct(changes)


def _decide(form: Form) -> Way:
    if form["value"] not in ("approve", "decline"):
        raise Refused("say approve or decline")
    return Decide(form["value"] == "approve")


WAYS: Mapping[str, Callable[[Form], Way]] = {
    "retry": lambda form: Retry(),
    "correct": _correct,
    "decide": _decide,
    "park": lambda form: Park(),
    "force": lambda form: Force(),
    "skip": lambda form: Skip(),
    "replace": lambda form: Replace(),
    "fail-item": lambda form: Fail(),
    "fail-order": lambda form: FailOrder(),
    "claim": _claim,
    "assign": lambda form: Assign(form["to"], form["queue"]),
    "release": lambda form: Release(),
    "snooze": _snooze,
    "wait": lambda form: Wait(cast("Any", form["for"]), until_of(form)),
    "request-information": lambda form: RequestInformation(cast("Any", form["for"]), until_of(form)),
    "resume": lambda form: Resume(),
    "reopen": lambda form: Reopen(),
    "settle": lambda form: Settle(),
    "escalate": lambda form: Escalate(),
    "note": lambda form: Note(),
    "link-ticket": lambda form: LinkTicket(form["ticket"], form["system"] or "tickets"),
    "change-origin": lambda form: ChangeOrigin(cast("Any", form["origin"])),
}
"""By action what a form says."""
ORIGINS = ("direct", "upstream", "partner", "customer", "reference-data")
PARTIES = ("customer", "partner", "regulator", "channel")


def way_of(form: Form) -> tuple[str, Way]:
    """The verb that a form asks for, and the way to act. Raises Refused (usage) for an action or a value that is none."""
    made = WAYS.get(form["action"])
    if made is None:
        raise Refused(f"there is no action {form['action']}; choose one that the page offers")
    way = made(form)
    return ("fallout.resolve" if isinstance(way, Resolution) else "fallout.work"), way
