"""Which event is told to its customer as which milestone, with what values. Pure; the events are read as they are stored, by their names.

What happens to many lines of an order on one day is told once: `about` is the day, not the line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from o2c.kernel.charges import SET_OFF, account_stream
from o2c.kernel.event import types_by_name
from o2c.kernel.money import from_minor
from o2c.kernel.periods import local_date, local_time, parse_time
from o2c.messages.events import Milestone

URGENT = frozenset({"sim-change", "number-change", "porting-code", "port-out", "switch", "switch-day"})
"""Told at once, at any hour, to the contact that stood before: the line may be taken from the customer."""
ON_THE_WAY = frozenset({"received", "dispatched", "arriving", "port-date", "active"})
"""What a customer may not want to be told; the rest is told all the same, for it asks something of him or changes what he was promised."""
UPDATES = "updates"
"""The word by which a customer refuses those."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of an event: the milestone, what about it, the values for its words.

    Not before `not_before`; `before` a time, if that can be. It overtakes what was to be told about `overtakes` (milestone, about). What no
    template has brings its own `words`: by language, subject and text.
    """

    milestone: Milestone
    about: str
    values: Mapping[str, str] = field(default_factory=dict)
    not_before: datetime | None = None
    before: datetime | None = None
    overtakes: tuple[tuple[Milestone, str], ...] = ()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


Teller = Callable[[Mapping[str, Any], datetime, str], Told | None]
"""From the body of an event, when it happened and the zone of its market to what is told of it, if anything."""


def _received(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    return Told("received", "")


def _need(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    """What waits for the customer; what he was asked already that day is not asked again."""
    if body["waiting_for"] != "customer":
        return None
    return Told("need", f"{body['reason']} {_day(at, zone)}", {"need": body["reason"]})


def _dispatched(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    day = _day(parse_time(body["ask_again_at"]), zone)
    return Told("dispatched", _day(at, zone), {"reference": body["reference"], "day": day})


def _arriving(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    """The morning of the day; nothing for a parcel that comes on the day on which it leaves: that was said with it."""
    day = local_date(parse_time(body["ask_again_at"]), zone)
    if day <= local_date(at, zone):
        return None
    return Told("arriving", day.isoformat(), {"reference": body["reference"], "day": day.isoformat()}, local_time(day, 0, 0, zone))


def _port_date(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    day = body["agreed_on"] or _day(parse_time(body["window_opens_at"]), zone)
    return Told("port-date", day, {"number": _last(body["msisdn"]), "day": day})


def _active(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    return Told("active", _day(at, zone), {"day": _day(at, zone)})


def _delay(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    """A later day, before the end of the one that was promised; a sooner one is no delay. A delay of a delay that was not told yet takes
    its place."""
    before, day = body["promised_before"], body["promised_on"]
    if day <= before:
        return None
    ends = local_time(date.fromisoformat(before) + timedelta(days=1), 0, 0, zone)
    return Told("delay", day, {"before": before, "day": day}, before=ends, overtakes=(("delay", before),))


def _cancelled(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    return Told("cancelled", "")


def _declined(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    return Told("declined", "")


def _first_bill(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    """Every invoice of an account would be told under one key, so the first alone is."""
    values = {"bill": body["legal_number"] or body["number"], "amount": from_minor(body["total_minor"], body["currency"])}
    return Told("first-bill", "", {**values, "currency": body["currency"], "day": body["due_on"]})


def _refunded(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    if body["method"] == SET_OFF:
        return None  # it paid for a bill: nothing came to the customer
    values = {"amount": from_minor(body["amount_minor"], body["currency"]), "currency": body["currency"]}
    return Told("refunded", body["refund"] or at.isoformat(), values)


def _sim_change(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    return Told("sim-change", body["order"], {"day": _day(at, zone)}) if "sim" in body["attributes"] else None


def _number_change(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    """Codes that others send to the number would go to nobody."""
    return Told("number-change", body["order"], {"day": _day(at, zone)}) if "number" in body["attributes"] else None


def _porting_code(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    return Told("porting-code", body["issued_on"], {"day": body["issued_on"]})


def _port_out(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    values = {"number": _last(body["msisdn"]), "provider": body["operator"], "day": body["agreed_on"]}
    return Told("port-out", body["reference"], values)


def _switch(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    """What switching means: Ofcom General Conditions of Entitlement, C7, has the losing provider say so at once."""
    amounts = {
        "amount": from_minor(body["early_gross_minor"], body["currency"]),
        "owed": from_minor(body["owed_minor"], body["currency"]),
        "currency": body["currency"],
    }
    return Told("switch", body["reference"], {"provider": body["gaining"], "day": body["valid_through"], **amounts})


def _switch_day(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    return Told("switch-day", f"{body['reference']} {body['planned_on']}", {"day": body["planned_on"]})


def _stays(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    """Nothing is to leave us any more, though the customer was told that it is."""
    return Told("stays", body["reference"])


def _notice(body: Mapping[str, Any], at: datetime, zone: str) -> Told | None:
    """What a trigger of the operator's is to tell, in its words."""
    return Told("notice", "", words=body["then"]["words"]) if body["then"]["do"] == "notify" else None


TELLERS: Mapping[str, tuple[Teller, ...]] = {
    "order.captured": (_received,),
    "delivery.handed-over": (_dispatched, _arriving),
    "porting.scheduled": (_port_date,),
    "porting.rescheduled": (_port_date,),
    "service.activated": (_active,),
    "promise.revised": (_delay,),
    "order.cancelled": (_cancelled,),
    "order.rejected": (_declined,),
    "order.failed": (_declined,),
    "invoice.issued": (_first_bill,),
    "account.money-returned": (_refunded,),
    "product.change-accepted": (_sim_change, _number_change),
    "product.porting-code-issued": (_porting_code,),
    "port-out.authorised": (_port_out,),
    "port-out.withdrawn": (_stays,),
    "port-out.failed": (_stays,),
    "switch-out.matched": (_switch,),
    "switch-out.ordered": (_switch_day,),
    "switch-out.withdrawn": (_stays,),
    "trigger.fired": (_notice,),
}
"""By the name of an event; whatever falls out for the customer to answer is told as well (`need`)."""


def concerned() -> tuple[str, ...]:
    """The names of the events of which something may be told."""
    fell_out = (name for name, cls in types_by_name().items() if cls.shape == "fell-out" and cls.of_stream == "order")
    return (*TELLERS, *sorted(fell_out))


def told_of(name: str, body: Mapping[str, Any], at: datetime, zone: str) -> list[Told]:
    """What is told of an event; nothing of most."""
    tellers = TELLERS.get(name) or ((_need,) if "waiting_for" in body else ())
    return [told for teller in tellers if (told := teller(body, at, zone)) is not None]


def subject_of(stream: str, body: Mapping[str, Any]) -> str:
    """What an event of a stream is about: the account of what is billed and paid, else the stream itself."""
    return account_stream(body["account"]) if stream.startswith(("invoice-", "account-")) else stream


def key_of(subject: str, milestone: str, about: str) -> str:
    """The key under which something is told once."""
    return f"{subject}/{milestone}/{about}"


def _day(at: datetime, zone: str) -> str:
    return local_date(at, zone).isoformat()


def _last(number: str) -> str:
    """The last three digits: enough to know one's own number by, and no more."""
    return number[-3:]
