"""By which attributes of TMF622 the store finds orders itself, and what it is asked for a filter; by the others orders are looked
through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil, floor
from typing import Any

from o2c.desk.act import Refused
from o2c.entrypoints.http.tmf.product_orders import order_path
from o2c.entrypoints.http.tmf.queries import Filter, Query, number_of, path_of
from o2c.entrypoints.http.tmf.shaping import ACTIONS
from o2c.entrypoints.http.tmf.values import moment
from o2c.views.orders import FINAL_STATES, ORDER_STATES

MILLISECOND = timedelta(milliseconds=1)
_CREATED = {4: "orderDate", 5: "creationDate"}
_TEXTS = {
    "id": "orders", "state": "states", "category": "categories", "billingAccount.id": "accounts_named", "productOrderItem.id": "items_named",
    "productOrderItem.action": "actions", "productOrderItem.productOffering.id": "offerings", "productOrderItem.product.id": "item_products",
    "productOrderItem.billingAccount.id": "item_accounts", "productOrderItem.state": "item_states",
}  # fmt: skip
_TEXTS_OF = {
    4: {**_TEXTS, "externalId": "external_ids", "relatedParty.id": "parties_named", "channel.id": "channels_named"},
    5: {**_TEXTS, "externalId.id": "external_ids", "relatedParty.partyOrPartyRole.id": "parties_named", "channel.channel.id": "channels_named",
        "productOrderErrorMessage.code": "open_reasons"},
}  # fmt: skip
"""By version: the attributes by which the store finds orders itself, each with the option of the view."""
_FROM_PAPER = frozenset({"accounts_named", "items_named", "offerings", "item_products", "item_accounts"})
_QUANTITY, _PRIORITY, _EXPECTED = "productOrderItem.quantity", "priority", "expectedCompletionDate"
_ENDED = {"completionDate": ("completed", "partial"), "cancellationDate": ("cancelled",)}
"""When an order ended tells another attribute by how it ended."""
_OF_CHANNEL = frozenset({"productOrderItem", "relatedParty", "channel", "billingAccount", "agreement", "payment", "quote"})
"""Attributes that are as the channel wrote them."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:@+-]*")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,14}")
_OF_A_FRACTION = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|-?inf|nan", re.IGNORECASE)
"""How a number with a fraction or an exponent may be told: the store compares texts as they were written."""
_STATUS = "productOrderMilestone.status"
_OPEN = tuple(state for state in ORDER_STATES if state not in FINAL_STATES)
_NARROWED = frozenset({"productOrderItem.state", _EXPECTED, _STATUS})
"""Attributes by which the store finds whatever may fit, so that what it found is looked through and no more."""
_SORTS = {"id": "order", "externalId": "external_id", "state": "state", _PRIORITY: "priority"}


def quick_filters(version: int) -> list[str]:
    """The attributes by which the store finds orders of a version itself, however many there are."""
    return sorted({*_TEXTS_OF[version], *_ENDED, _CREATED[version], _QUANTITY, _PRIORITY} - _NARROWED)


def quick_sorts(version: int) -> list[str]:
    """The attributes by which the store sorts orders of a version itself."""
    return sorted({*_SORTS, _CREATED[version]})


def is_unaided(rest: Sequence[Filter]) -> bool:
    """Whether orders are looked through for what the store has no hand in: more than that it found what may fit."""
    return not rest or any(each.path not in _NARROWED for each in rest)


def sort_of(query: Query, version: int) -> str | None:
    """How the store is to sort; None where it cannot."""
    if not query.sort:
        return "captured_at"
    [first, *more] = query.sort
    column = {**_SORTS, _CREATED[version]: "captured_at"}.get(path_of(first))
    return None if more or column is None else f"-{column}" if first.startswith("-") else column


def options_of(query: Query, version: int) -> tuple[dict[str, Any] | None, list[Filter]]:
    """What the store is asked to find by, and the filters that it cannot find by. None for what can fit no order. Raises Refused
    (malformed)."""
    options: dict[str, Any] = {}
    rest: list[Filter] = []
    for each in query.filters:
        found = _option(each, version)
        if found is None or any(options.get(name, value) != value for name, value in found.items()):
            rest.append(each)
        elif any(value == () for value in found.values()):
            return None, []
        else:
            options |= found
            rest += [each] if each.path in _NARROWED else []
    if words := next((each.values for each in rest if _in_paper(each)), ()):
        options["mentioning"] = words
    return options, rest


def _in_paper(each: Filter) -> bool:
    """Whether what fits a filter has one of its words in its paper: nothing that we say of an order, and nothing that JSON must escape."""
    first, *more = each.path.split(".")
    last = more[-1] if more else ""
    told_by_us = first not in _OF_CHANNEL or last in ("", "state", "action", "role") or last.startswith("@")
    plain = all(_WORD.fullmatch(value) and not _OF_A_FRACTION.fullmatch(value) for value in each.values)
    return each.operator == "eq" and not told_by_us and plain


def _option(each: Filter, version: int) -> dict[str, Any] | None:
    """A filter as options of the view; an empty tuple where nothing can fit, None where the store cannot find by it."""
    if each.path == _CREATED[version]:
        return _times(each, "captured")
    if each.path == _EXPECTED:
        return _promised(each)
    if each.path in _ENDED:
        return {**_times(each, "closed"), "states": _ENDED[each.path]}
    if each.path == _PRIORITY:
        return {"priorities": tuple(priority for priority in range(5) if each.fits({_PRIORITY: str(priority)}))}
    if each.path == _QUANTITY:
        return _quantities(each)
    return _texts(each, version) if each.operator == "eq" else None


def _texts(each: Filter, version: int) -> dict[str, Any] | None:
    if each.path == "href":
        return {"orders": tuple(name for value in each.values if order_path(name := value.rpartition("/")[2], version) == value)}
    if each.path == _STATUS and version == 5:
        return {"states": _OPEN} if "Completed" not in each.values else None
    option = _TEXTS_OF[version].get(each.path, "")
    if not option or (option in _FROM_PAPER and any(not value or value[0] == "#" or _told_as_fraction(value) for value in each.values)):
        return None  # Of an item that lacks these we say something of our own.
    known = {"states": ORDER_STATES, "actions": ACTIONS}.get(option)
    return {option: tuple(value for value in each.values if "\0" not in value and (known is None or value in known))}


def _told_as_fraction(value: str) -> bool:
    return bool(_OF_A_FRACTION.fullmatch(value)) and not _WHOLE.fullmatch(value)


def _quantities(each: Filter) -> dict[str, Any] | None:
    """Whole numbers, each told in one way; None for what is compared as text, or beyond what is compared to the unit."""
    if each.operator == "eq":
        told = [value for value in each.values if re.fullmatch(r"0|-?[1-9][0-9]*", value)]
        return {"quantities": tuple(map(int, told))} if all(map(_WHOLE.fullmatch, told)) else None
    bounds = [bound for value in each.values if (bound := number_of(value)) is not None and abs(bound) < 10**15]
    if len(bounds) < len(each.values):
        return None
    if each.operator.startswith("g"):
        return {"quantity_from": min(floor(bound) + 1 if each.operator == "gt" else ceil(bound) for bound in bounds)}
    return {"quantity_to": max(ceil(bound) - 1 if each.operator == "lt" else floor(bound) for bound in bounds)}


def _promised(each: Filter) -> dict[str, Any]:
    """The days between which an item must be promised for the end of it to fit, with room for every time zone."""
    times = _moments(each)
    room = timedelta(days=2)
    try:
        days = {"promised_from": (min(times) - room).date(), "promised_to": (max(times) + room).date()}
    except OverflowError:
        raise Refused(f"{each.path}: such a day is on no calendar; name another", kind="malformed") from None
    wanted = {"eq": tuple(days), "gt": ("promised_from",), "gte": ("promised_from",), "lt": ("promised_to",), "lte": ("promised_to",)}
    return {name: days[name] for name in wanted[each.operator]}


def _moments(each: Filter) -> Sequence[datetime]:
    """The times that a filter names. Raises Refused (malformed) for what is none."""
    times = [at for value in each.values if (at := moment(value.replace(" ", "+"))) is not None]
    if len(times) < len(each.values):
        raise Refused(f"{each.path} is compared with times with their zone, such as 2026-01-05T09:00:00.000Z", kind="malformed")
    return times


def _times(each: Filter, what: str) -> dict[str, Any]:
    """Times are told to the millisecond, and compared so."""
    times = _moments(each)
    if each.operator == "eq":
        return {f"{what}_at": tuple(times)}
    at = (min if each.operator.startswith("g") else max)(times)
    later = at + MILLISECOND
    return {
        {"gt": f"{what}_since", "gte": f"{what}_since", "lt": f"{what}_until", "lte": f"{what}_until"}[each.operator]: later
        if each.operator in ("gt", "lte")
        else at
    }
