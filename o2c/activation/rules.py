"""When a service is on, and when it is off again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from o2c.activation.events import ActivationCancelled, ServiceActivated, ServiceChangeCancelled, ServiceChanged, ServiceDeactivated
from o2c.kernel.decision import Decision, just
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.orders.changing import product_read, products_of
from o2c.products.state import ProductState

NEEDED = {"sim": ("iccid", "imsi"), "number": ("msisdn",), "qualification": ("line_id",)}
"""The outcomes of earlier steps that the network needs, by step. A ported number comes later, so the line starts on its temporary one."""


def service(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the network: SIM, number or line id from earlier steps, and the offering.

    Keys: `offering` always; `iccid` and `imsi` for a SIM, `msisdn` for a number, `line_id` for a fixed access. An add-on has the offering
    alone.
    """
    inputs = {key: work.outcomes[step][key] for step, keys in NEEDED.items() for key in keys if key in work.outcomes.get(step, {})}
    return {"offering": work.subject.offering, **inputs}


def activated(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the service is on, charged from the present day of the market's calendar."""
    return just(ServiceActivated(item=work.item, attempt=work.attempt, starts_on=local_date(at, work.market.zone).isoformat()))


def switch_off(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to switch a service off again: as it was to be switched on, with the `status` terminated. Whether it is on is for the network to
    know: what is off already stays so."""
    return {**service(work), "status": "terminated"}


def switched_off(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the network has the service off, from the present day of the market's calendar on."""
    return just(ActivationCancelled(item=work.item, attempt=work.attempt, off_on=local_date(at, work.market.zone).isoformat()))


def deactivate(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Undo the activation: the item ended, or is switched on otherwise, and the network has its service off."""
    return just(ServiceDeactivated(item=work.item))


def switching_on(work: Work, at: datetime) -> str:
    """Give the reason why a requested activation can no longer be cancelled, unless it is known to have failed.

    A hard point of no return from when the network may have the request: one for a later day can be cancelled until then. A line whose eSIM nobody
    has downloaded is on for nobody, and can be switched off again. Source: order life cycle, section 4 (points of no return: ServiceActivated).
    """
    steps = work.state.progress.items[work.item].steps
    for_nobody = steps["activation"] == "done" and steps.get("esim-download", "done") != "done"
    return "its service is on, or being switched on" if work.with_partner("activation", at) and not for_nobody else ""


def change(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to change a service: the product, what is to change of it (`attributes`), the offering, and what serves it from now on.

    A service that ends, rests or serves again is asked for by its `status`: terminated, suspended or active.
    """
    item, stands = work.subject, products_of(work.state)[work.subject.line].standing
    anew = {key: work.outcomes[step][key] for step, keys in NEEDED.items() for key in keys if key in work.outcomes.get(step, {})}
    kept = {key: value for keys in NEEDED.values() for key in keys if (value := stands.holds.get(key))}
    status = "terminated" if "termination" in item.attributes else item.characteristics.get("status", "")
    return {
        "product": item.product,
        "attributes": list(item.attributes),
        "offering": item.offering,
        **kept,
        **anew,
        **({"status": status} if status and {"status", "termination"} & set(item.attributes) else {}),
    }


def service_changed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the service is as it was asked for, from the present day of the market's calendar on."""
    return just(ServiceChanged(item=work.item, attempt=work.attempt, changed_on=local_date(at, work.market.zone).isoformat()))


def changing(work: Work, at: datetime) -> str:
    """Give the reason why a change can no longer be cancelled: the network has it, or has done it. A hard point of no return; what is to be otherwise is
    ordered anew. Source: order life cycle, section 4 (points of no return: ServiceActivated)."""
    return "its service is changed, or about to be" if work.with_partner("service-change", at) else ""


def as_it_stands(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to take a change back: the product as the inventory has it now, with what serves it, and its `status`: terminated, suspended or active.

    Another order may have changed something else of it since this one was validated, and that stays.
    """
    item, (stream,) = work.subject, product_read(work)
    product = cast("ProductState", work.read[stream])
    stands = product.standing
    assert stands is not None
    return {
        "product": item.product,
        "attributes": list(item.attributes),
        "offering": stands.offering,
        **{key: value for keys in NEEDED.values() for key in keys if (value := stands.holds.get(key))},
        "status": "terminated" if product.ended_on else "suspended" if product.suspended_for else "active",
    }


def change_taken_back(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the network serves the product as it stood, from the present day of the market's calendar on."""
    return just(ServiceChangeCancelled(item=work.item, attempt=work.attempt, restored_on=local_date(at, work.market.zone).isoformat()))
