"""What the log says of an item for which its customer may have to be compensated: promises, visits and numbers that were missed, and
credits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from o2c.appointment.events import AppointmentFellOut
from o2c.appointment.rules import NOBODY_CAME
from o2c.kernel.balances import Compensated
from o2c.orders.promise_events import PromiseMade, PromiseRevised
from o2c.porting.events import NumberPortedIn

TYPES = frozenset(
    {
        AppointmentFellOut.type_name,
        Compensated.type_name,
        PromiseMade.type_name,
        PromiseRevised.type_name,
        NumberPortedIn.type_name,
    }
)


@dataclass(slots=True)
class Compensating:
    """The day that the customer can count on (`counted_on`, ISO; empty: none was promised) by the event `promised`; the (day, event) of
    visits that were not kept; the number that was brought in; and the amounts credited by cause, in minor units, with their events."""

    counted_on: str = ""
    promised: str = ""
    missed: list[tuple[str, str]] = field(default_factory=list)
    ported: tuple[str, Mapping[str, Any]] | None = None
    credited: dict[str, int] = field(default_factory=dict)
    credits: list[str] = field(default_factory=list)

    def told(self, name: str, event: str, day: str, body: Mapping[str, Any]) -> None:
        """Take down an event of a day, or the part of it that is about the item."""
        match name:
            case PromiseMade.type_name:
                self.counted_on, self.promised = self.counted_on or body["promised_on"], self.promised or event
            case PromiseRevised.type_name:
                self._moved(body, event)
            case AppointmentFellOut.type_name if body["partner_code"] == NOBODY_CAME:
                self.missed.append((day, event))
            case NumberPortedIn.type_name:
                self.ported = (event, body)
            case Compensated.type_name:
                self.credited[body["cause"]] = self.credited.get(body["cause"], 0) + body["amount_minor"]
                self.credits.append(event)

    def _moved(self, body: Mapping[str, Any], event: str) -> None:
        self.counted_on, self.promised = self.counted_on or body["promised_before"], self.promised or event
        if body.get("by_customer") and self.counted_on:
            moved = date.fromisoformat(body["promised_on"]) - date.fromisoformat(body["promised_before"])
            self.counted_on = (date.fromisoformat(self.counted_on) + timedelta(days=moved.days)).isoformat()
