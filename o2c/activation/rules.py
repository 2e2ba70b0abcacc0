"""When a service is on, and off again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.activation.events import ServiceActivated, ServiceDeactivated
from o2c.kernel.decision import Decision, just
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work

NEEDED = {"sim": ("iccid", "imsi"), "number": ("msisdn",), "qualification": ("line_id",)}
"""What each earlier step has to tell the network. A number that is brought in is not ours before its cut-over: the line starts on another."""


def service(work: Work) -> Mapping[str, Any]:
    """What the network needs: the SIM and number of a line, the line id of an access; an add-on names its offering."""
    known = {key: work.outcomes[step][key] for step, keys in NEEDED.items() for key in keys if key in work.outcomes.get(step, {})}
    return {"offering": work.subject.offering, **known}


def activated(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(ServiceActivated(item=work.item, attempt=work.attempt, starts_on=local_date(at, work.market.zone).isoformat()))


def deactivate(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    return just(ServiceDeactivated(item=work.item))


def switching_on(work: Work, at: datetime) -> str:
    """Hard point of no return of a service (order life cycle, section 4): asked for and not known to have failed, however soon it is due."""
    return "its service is on, or being switched on" if "activation" in work.sent else ""
