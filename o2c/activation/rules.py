"""When a service is on, and when it is off again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from o2c.activation.events import ActivationCancelled, ServiceActivated, ServiceChangeCancelled, ServiceChanged, ServiceDeactivated
from o2c.kernel.decision import Decision, just
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.orders.changing import dropped, held_by, product_read, products_of
from o2c.orders.in_life import holds, holds_on, in_service_beneath, upward
from o2c.orders.state import OrderState
from o2c.products.serving import base_streams, known_by, lines, lines_read, rests_or_serves, served_by, sold_as
from o2c.products.state import ProductState


def service(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the network: SIM, number or line id from earlier steps, and the offering.

    Keys: `offering` always; `iccid` and `imsi` for a SIM, `msisdn` for a number (until a port is cut over the temporary one), `line_id` for
    a fixed access. An add-on has none of these and names those of the `lines` that it is added to.
    """
    own = served_by(holds(work.state, work.item))
    return {"offering": work.subject.offering, **(own or _added_to(work))}


def _added_to(work: Work) -> Mapping[str, Any]:
    """The lines that an add-on is added to: of its own order, and in service."""
    state: OrderState = work.state
    of_order = (served_by(holds(state, each.item)) for each in upward(state, work.subject) if not each.product)
    in_service = lines_read(work.read, bases_in_service(work)).get("lines", ())
    return lines((*of_order, *in_service))


def bases_in_service(work: Work) -> tuple[str, ...]:
    """Name the streams of the products in service that an add-on is added to; of what has a SIM or line of its own, none."""
    if not work.subject or served_by(holds(work.state, work.item)):
        return ()
    return base_streams(in_service_beneath(work.state, work.subject))


def activated(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the service is on, charged from the present day of the market's calendar."""
    return just(ServiceActivated(item=work.item, attempt=work.attempt, starts_on=local_date(at, work.market.zone).isoformat()))


def switch_off(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to switch a service off again: as it was to be switched on, with the `status` terminated. Whether it is
    on is for the network to know: what is off already stays so."""
    return {**service(work), "status": "terminated"}


def switched_off(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the network has the service off, from the present day of the market's calendar on."""
    return just(ActivationCancelled(item=work.item, attempt=work.attempt, off_on=local_date(at, work.market.zone).isoformat()))


def deactivate(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Undo the activation: the item ended, or is switched on otherwise, and the network has its service off."""
    return just(ServiceDeactivated(item=work.item))


def switching_on(work: Work, at: datetime) -> str:
    """Give the reason why a requested activation can no longer be cancelled, unless it is known to have failed.

    A hard point of no return from when the network may have the request: one for a later day can be cancelled until then. A line whose eSIM
    nobody has downloaded is on for nobody, and can be switched off again. Source: order life cycle, section 4 (points of no return:
    ServiceActivated).
    """
    steps = work.state.progress.items[work.item].steps
    for_nobody = steps["activation"] == "done" and steps.get("esim-download", "done") != "done"
    return "its service is on, or being switched on" if work.with_partner("activation", at) and not for_nobody else ""


def change(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to change a service: the product, what is to change of it (`attributes`), the offering, and what serves
    it from now on, with what is `replaced` by that and is to be taken off: a SIM, a number.

    A service that ends, rests or serves again is asked for by its `status`: terminated, suspended or active.
    """
    item, anew = work.subject, served_by(holds_on(work.state, work.item))
    kept = _held(work)
    replaced = {key: value for key, value in kept.items() if anew.get(key, value) != value}
    status = "terminated" if "termination" in item.attributes else item.characteristics.get("status", "")
    return {
        "product": item.product,
        "attributes": list(item.attributes),
        **_sold(work),
        **({**kept, **anew} or lines_read(work.read, _bases(work))),
        **({"replaced": replaced} if replaced else {}),
        **({"status": status} if status and {"status", "termination"} & set(item.attributes) else {}),
    }


def _sold(work: Work) -> dict[str, str]:
    """What a product is sold as once an item has changed it: as the item says where it changes that, else as the product is by now."""
    product = _product(work)
    if product is None or product.standing is None or "offering" in work.subject.attributes:
        return {"offering": work.subject.offering}
    return sold_as(product, order=work.state.order_id)


def _product(work: Work) -> ProductState | None:
    return next((cast("ProductState | None", work.read.get(stream)) for stream in product_read(work)), None)


def _held(work: Work) -> dict[str, str]:
    """What serves the product that an item changes: now, as another order may have replaced something of it since this one was
    validated; and nothing of what another is about to replace: the network would put back what the inventory still has."""
    product = _product(work)
    if product and product.standing:
        return known_by(product, order=work.state.order_id)
    return served_by(products_of(work.state)[work.subject.line].standing.holds)


def changed_with_bases(work: Work) -> tuple[str, ...]:
    """Name the stream of the product that an item changes, and those of the products that it is added to."""
    return (*product_read(work), *_bases(work))


def _bases(work: Work) -> tuple[str, ...]:
    held = held_by(work)
    return base_streams(held.relies_on) if held and not served_by(held.standing.holds) else ()


def service_changed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the service is as it was asked for, from the present day of the market's calendar on."""
    return just(ServiceChanged(item=work.item, attempt=work.attempt, changed_on=local_date(at, work.market.zone).isoformat()))


def changing(work: Work, at: datetime) -> str:
    """Give the reason why a change can no longer be cancelled: the network has it, or has done it. A hard point of no return; what is to be
    otherwise is ordered anew. Source: order life cycle, section 4 (points of no return: ServiceActivated)."""
    return "its service is changed, or about to be" if work.with_partner("service-change", at) else ""


def as_it_stands(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to take a change back: the product as the inventory has it now, with what serves it, and its `status`:
    terminated, suspended or active.

    Another order may have changed something else of it since this one was validated, or be about to, and that stays.
    """
    product = _product(work)
    assert product is not None
    return {
        "product": work.subject.product,
        "attributes": list(work.subject.attributes),
        **sold_as(product, order=work.state.order_id),
        **(_held(work) or lines_read(work.read, _bases(work))),
        **rests_or_serves(product, order=work.state.order_id),
    }


def change_taken_back(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the network serves the product as it stood, from the present day of the market's calendar on: it is free for another
    order to change what this one was to."""
    taken_back = just(
        ServiceChangeCancelled(item=work.item, attempt=work.attempt, restored_on=local_date(at, work.market.zone).isoformat())
    )
    return taken_back + dropped(work.state, (work.item,)) if work.state.progress.items[work.item].ended else taken_back
