"""Whether a product is in service, and what the network serves it by, as requests to it say: its SIM, number or line, or those of what it
is added to.

Source: TM Forum TMF640 v4.0.0 (a service is named by its characteristics and those of the services that support it); 3GPP TS 23.008 (a
subscriber is provisioned by IMSI, with the MSISDN under which it is reached).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from o2c.kernel.refusal import Refused
from o2c.products.events import Standing, product_stream
from o2c.products.state import ProductState

SERVED_BY = ("iccid", "imsi", "msisdn", "line_id")
_OF = {"sim": ("iccid", "imsi"), "number": ("msisdn",), "place": ("line_id",)}
"""Which of these an order replaces, by the attribute that it changes."""


def in_service(state: ProductState, so: str) -> Standing:
    """Give how a product in service stands. Raises Refused: missing (no such product), conflict (it ended, and `so` says what follows)."""
    if state.standing is None:
        raise Refused("there is no such product; see `o2c products list`", kind="missing")
    if state.ended_on:
        raise Refused(f"product {state.product} ended on {state.ended_on}; {so}", kind="conflict")
    return state.standing


def served_by(holds: Mapping[str, str]) -> dict[str, str]:
    """Give those of the identifiers that a product holds by which the network knows it."""
    return {name: value for name in SERVED_BY if (value := holds.get(name))}


def known_by(state: ProductState, *, order: str = "") -> dict[str, str]:
    """Give those by which the network knows a product in service for sure, as an order says that changes it: not what another order is
    about to replace, as the network may have the one or the other."""
    unsure = {name for attribute, by in state.changing.items() if by.partition("/")[0] != order for name in _OF.get(attribute, ())}
    held = served_by(state.standing.holds) if state.standing else {}
    return {name: value for name, value in held.items() if name not in unsure}


def sold_as(state: ProductState, *, order: str = "") -> dict[str, str]:
    """Give what a product in service is sold as (`offering`), as an order says it that changes something else of it: nothing while another
    order is about to change that, for the same reason."""
    by = state.changing.get("offering", "").partition("/")[0]
    return {} if by not in ("", order) or state.standing is None else {"offering": state.standing.offering}


def rests_or_serves(state: ProductState, *, order: str = "") -> dict[str, str]:
    """Give the `status` in which the network is to have a product (terminated, suspended or active); nothing while another order is about
    to change that."""
    if state.ended_on:
        return {"status": "terminated"}
    by = state.changing.get("status", "").partition("/")[0]
    return {} if by not in ("", order) else {"status": "suspended" if state.suspended_for else "active"}


def lines(bases: Iterable[Mapping[str, str]]) -> dict[str, list[Mapping[str, str]]]:
    """Give the part of a request that says to which lines something is added (`lines`); nothing where it is added to none."""
    named = [base for base in bases if base]
    return {"lines": named} if named else {}


def base_streams(relies_on: Iterable[str]) -> tuple[str, ...]:
    """Name the streams of the products that one relies on."""
    return tuple(map(product_stream, relies_on))


def lines_read(read: Mapping[str, Any], streams: Iterable[str]) -> dict[str, list[Mapping[str, str]]]:
    """Give `lines` of the products in these streams, as they were read."""
    states = (cast("ProductState | None", read.get(stream)) for stream in streams)
    return lines(known_by(state) for state in states if state)
