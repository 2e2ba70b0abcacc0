"""What a trigger does: a closed set of effects, each by what exists already. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from o2c.triggers.conditions import Part

Words = Annotated[StrictStr, Field(min_length=1, max_length=400)]
Severity = Annotated[StrictInt, Field(ge=1, le=5)]


class Text(Part):
    """What a customer reads, in one language."""

    subject: Words
    text: Annotated[StrictStr, Field(min_length=1, max_length=4_000)]


class Notify(Part):
    """The customer is told, in these words by language, as of any milestone: once, by his medium, outside his quiet hours."""

    do: Literal["notify"]
    words: Annotated[dict[StrictStr, Text], Field(min_length=1, max_length=20)]


class Alarm(Part):
    """Whoever watches is told: the firing says so with its `severity`, 1 the worst, and so does the log of the program."""

    do: Literal["alarm"]
    severity: Severity
    text: Words


class Task(Part):
    """Somebody is to do something: it stands in a queue of the fallout desk until it is done or dropped there."""

    do: Literal["task"]
    queue: StrictStr
    severity: Severity = 3
    text: Words


class Webhook(Part):
    """A hook is told, which takes `trigger.fired`."""

    do: Literal["webhook"]
    hook: StrictStr


class Hold(Part):
    """The order is suspended for so many days, or until a person resumes it before: nothing new of it begins, and what partners have goes
    on."""

    do: Literal["hold"]
    days: Annotated[StrictInt, Field(ge=1, le=90)] = 14
    text: Words


Effect = Annotated[Notify | Alarm | Task | Webhook | Hold, Field(discriminator="do")]

LEADS_TO: Mapping[str, tuple[str, ...]] = {
    "notify": ("trigger.fired", "trigger.withheld", "message.*"),
    "alarm": ("trigger.fired", "trigger.withheld"),
    "task": ("trigger.fired", "trigger.withheld", "trigger.task-*"),
    "webhook": ("trigger.fired", "trigger.withheld"),
    "hold": ("trigger.fired", "trigger.withheld", "order.suspended", "promise.revised"),
}
"""By effect, the events that come of it by themselves, as patterns: a trigger on one of them would go on without end."""
NEEDS: Mapping[str, Literal["", "customer", "order"]] = {"notify": "customer", "alarm": "", "task": "", "webhook": "", "hold": "order"}
"""By effect, whom the event must be about for it."""
