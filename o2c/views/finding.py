"""Finding orders by what a caller has at hand: an id, a number, a SIM, a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from o2c.engine.app import Engine
from o2c.kernel.identifiers import e164, iccid
from o2c.kernel.refusal import Refused
from o2c.views.lookup_key import key_of, lacks_key
from o2c.views.reading import Rows, plain
from o2c.views.shown import FoundOrderShown
from projections import items, orders, stock
from projections.engine import tables
from projections.engine.operations import Projection, catch_up, rebuild
from projections.lookups import CUSTOMERS_OF_TOKEN, KEY_CHECKS, key_check, lookups, normalised, token

_DIALLED = re.compile(r"\+?[0-9(][0-9 ().-]{5,24}")
PERSONAL = ("name", "email")
ONLY_ASKED_FOR = ("purchase-order",)
"""What a text is only taken for where somebody says so: any text may be one, and it is looked for in the log itself, which not every login
sees."""

CUSTOMER_OF_STREAM = "SELECT substr(stream, 10) AS customer_id FROM o2c.head WHERE stream = %s"
"""The id of a customer if there is such a customer. Parameter: the customer's stream."""

ORDERS_OF_STOCK = "SELECT DISTINCT body ->> 'order' AS order_id FROM o2c.event WHERE stream = %s AND body ? 'order'"
"""The ids of all orders that a piece of stock was ever given to. Parameter: the stream of the piece."""

HOLDER_OF_PORT_IN = "SELECT holder FROM o2c.guard WHERE kind = 'port-in' AND key = %s"
"""The item that claims to bring a number in, as `order-<id>/<item>`. Parameter: the number (E.164)."""


ORDERS_OF_PURCHASE_ORDER = """SELECT order_id::text FROM (SELECT DISTINCT order_id FROM o2c.event
    WHERE type = 'order.purchase-order-given' AND body ->> 'purchase_order' = %s) named WHERE order_id IS NOT NULL"""
"""The ids of the orders that a customer ever gave a purchase order of his own for. Parameter: its number."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read what a caller said: what it may be, and the value to search by."""

    by: str
    value: str

    @property
    def told(self) -> str:
        """How it is named in results: with the value where that is not what was typed and not personal."""
        return f"{self.by} {self.value}" if self.by in ("msisdn", "iccid") else self.by


def readings(text: str, by: str = "") -> list[Reading]:
    """All that the text could be, judged by its form; or the one thing it is said to be. Raises Refused for a form that fits nothing."""
    if by and by not in FORMS:
        raise Refused(f"orders are not found by {by}; say one of {', '.join(FORMS)}")
    wanted = (by,) if by else tuple(kind for kind in FORMS if kind not in ONLY_ASKED_FOR)
    fitting = [Reading(kind, value) for kind in wanted if (value := FORMS[kind](text.strip()))]
    if by == "name" and not fitting and normalised("name", text):
        return [Reading("name", text)]
    if not fitting:
        raise Refused(
            f"this is no {by}; write it in full" if by else "there is nothing to look for; give an id, a number, a SIM, a name or an e-mail"
        )
    return fitting


def find_orders(app: Engine, home: Path, text: str, by: str = "") -> list[FoundOrderShown]:
    """Orders that the text leads to, by capture time, each with how it was found; then customers to whom it leads and who have no order,
    each as a row without one. The projections must be caught up.

    A number or SIM leads to every order that ever held it, a number also to one that brings it in; a name or e-mail leads through its
    customers. `holds` says of an order found by a number or SIM whether it has it now. Raises Refused: missing when nothing is found, usage
    when a personal look-up has no key. No text of an error repeats what was said.
    """
    wanted, skipped = readings(text, by), untried(home, text, by)
    ways: dict[str, list[str]] = {}
    for reading in wanted:
        if reading.by not in PERSONAL:
            _note(ways, reading, _FINDERS[reading.by](app, reading.value))
    customers: dict[str, list[str]] = {}
    for reading in wanted:
        if reading.by in PERSONAL and not (ways and reading.by in skipped):
            _note(customers, reading, named := customers_by(app, key_of(home), reading))
            _note(ways, reading, _orders_of(app, named))
        elif reading.by == "customer" and not ways:
            # Whether somebody without an order is registered stands in the log alone, which not every login sees.
            _note(customers, reading, [row["customer_id"] for row in app.reads.rows(CUSTOMER_OF_STREAM, f"customer-{reading.value}")])
    rows = _rows(app, ways)
    ordered = {row["customer"] for row in rows}
    rows += [{**_NO_ORDER, "customer": one, "found_by": ", ".join(by)} for one, by in customers.items() if one not in ordered]
    if not rows:
        raise Refused(f"no order is found by {', '.join(reading.told for reading in wanted)}; see `o2c orders list`", kind="missing")
    holders = _holders(app, wanted)
    return cast("list[FoundOrderShown]", [{**row, "holds": _holds(row, holders)} for row in rows])


_KINDS = {"msisdn": "number", "iccid": "sim"}
"""The kind of stock that a reading names."""


def _holders(app: Engine, wanted: list[Reading]) -> dict[str, str]:
    """By reading of a number or SIM the order it is with and how, in words; an empty text for one that is with none."""
    pieces = [reading for reading in wanted if reading.by in _KINDS]
    return {
        reading.told: next((_with(row) for row in app.reads.rows(stock.WITH_ORDER, _KINDS[reading.by], reading.value)), "")
        for reading in pieces
    }


def _with(row: Mapping[str, Any]) -> str:
    return f"{row['order_id']} {'kept for it' if row['state'] == 'reserved' else 'yes'}, since {plain(row['since'])}"


def _holds(row: Mapping[str, Any], holders: Mapping[str, str]) -> str:
    """Whether an order is the present holder of the number or SIM it was found by; empty for one that was found otherwise."""
    told = [holder for way, holder in holders.items() if way in row["found_by"].split(", ")]
    now = [holder.partition(" ")[2] for holder in told if holder.partition(" ")[0] == row["order"]]
    return now[0] if now else "not now" if told else ""


def untried(home: Path, text: str, by: str = "") -> list[str]:
    """The ways to read a text that are left out once another has led somewhere, because they need a key and none is given."""
    return [] if by or not lacks_key(home) else [reading.by for reading in readings(text) if reading.by in PERSONAL]


def customers_by(app: Engine, key: bytes, reading: Reading) -> list[str]:
    """The customers with a name or e-mail, through the blind index, which is first brought up to date."""
    kept(app, key)
    return [row["customer_id"] for row in app.reads.rows(CUSTOMERS_OF_TOKEN, token(key, reading.by, reading.value), reading.by)]


def kept(app: Engine, key: bytes) -> Projection:
    """The blind index of a key, brought up to date; made anew when it stands under another key, of which nothing is left then."""
    projection = lookups(key)
    catch_up(app.dsn, [projection])
    if under_another_key(app, key):
        rebuild(app.dsn, projection, strict=False)
        with tables.session(app.dsn) as conn:
            tables.drop_old(conn, projection)
    return projection


def under_another_key(app: Engine, key: bytes) -> bool:
    """Whether rows of the blind index were made with a key that is not this one."""
    [made] = app.reads.rows(KEY_CHECKS)
    return not {made["low"], made["high"]} <= {None, key_check(key)}


def _note(ways: dict[str, list[str]], reading: Reading, ids: list[str]) -> None:
    for order in ids:
        ways.setdefault(order, []).append(reading.told)


def _rows(app: Engine, ways: Mapping[str, list[str]]) -> Rows:
    return [{**plain(row), "found_by": ", ".join(ways[row["order"]])} for row in app.reads.rows(orders.LISTED_BY_ID, list(ways))]


_NO_ORDER = {"order": "", "external_id": "", "state": "", "channel": "", "captured_at": None}
"""What stands in the row of a customer who has no order."""


# -- what a text could be


def _order_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def searched_number(text: str) -> str:
    """The E.164 number that somebody may mean by what they dialled, for looking up only: nothing is ever stored so. Empty for no number."""
    if not _DIALLED.fullmatch(text):
        return ""
    try:
        return e164(text)
    except ValueError:
        pass
    return next((number for region in _regions() if (number := _dialled_in(text, region))), "")


@cache
def _regions() -> tuple[str, ...]:
    """Where a number without its country may have been dialled, the home market first."""
    from o2c.markets.registry import HOME, MARKETS

    home_first = sorted(MARKETS.items(), key=lambda pair: pair[0] != HOME)
    return tuple(dict.fromkeys(versions[-1].numbering.region for _, versions in home_first))


def _dialled_in(text: str, region: str) -> str:
    """The E.164 number that a text means when it is dialled in a country; empty for none. Abroad it must be one that is given out there."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    # A number that is too short keeps the prefix that is dialled before it at home.
    prefix = phonenumbers.ndd_prefix_for_region(region, True) or "-"
    there = phonenumbers.is_possible_number if region == _regions()[0] else phonenumbers.is_valid_number
    whole = there(number) and not phonenumbers.national_significant_number(number).startswith(prefix)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if whole else ""


def _sim(text: str) -> str:
    try:
        return iccid(text.replace(" ", ""))
    except ValueError:
        return ""


def _name(text: str) -> str:
    """A text of letters, or of several words with letters: an id in one piece with digits is taken for no name."""
    lettered = any(letter.isalpha() for letter in text)
    in_one_piece = len(text.split()) == 1 and any(letter.isdigit() for letter in text)
    return "" if not lettered or in_one_piece or "@" in text or not normalised("name", text) else text


FORMS: Mapping[str, Callable[[str], str]] = {
    "order": _order_id,
    "external-id": str,
    "msisdn": searched_number,
    "iccid": _sim,
    "purchase-order": str,
    "customer": str,
    "name": _name,
    "email": lambda text: text if re.fullmatch(r"\S+@\S+", text) else "",
}
"""By what orders are found, and the value to search by when a text has such a form (empty when it has not)."""


# -- where it leads


def _by_id(app: Engine, value: str) -> list[str]:
    return _ids(app, orders.ID_OF_ORDER, value)


def _by_external_id(app: Engine, value: str) -> list[str]:
    return _ids(app, orders.IDS_OF_EXTERNAL_ID, value)


def _by_purchase_order(app: Engine, value: str) -> list[str]:
    return _ids(app, ORDERS_OF_PURCHASE_ORDER, value)


def _by_number(app: Engine, value: str) -> list[str]:
    from o2c.numbers.state import stream_of

    return [*dict.fromkeys([*_held(app, stream_of(value)), *_brought(app, value)])]


def _by_sim(app: Engine, value: str) -> list[str]:
    from o2c.sim.state import stream_of

    return list(_held(app, stream_of(value)))


def _by_customer(app: Engine, value: str) -> list[str]:
    return _orders_of(app, [value])


def _orders_of(app: Engine, customers: list[str]) -> list[str]:
    return _ids(app, orders.IDS_OF_CUSTOMERS, customers)


def _held(app: Engine, stream: str) -> Iterator[str]:
    """Orders that a piece of stock was given to, told by its own stream."""
    yield from _ids(app, ORDERS_OF_STOCK, stream)


def _brought(app: Engine, number: str) -> Iterator[str]:
    """Orders that were to bring a number, and the one that claims it, which may have been corrected to it."""
    yield from _ids(app, items.ORDERS_BRINGING_NUMBER, number)
    for row in app.reads.rows(HOLDER_OF_PORT_IN, number):
        yield row["holder"].removeprefix("order-").partition("/")[0]


def _ids(app: Engine, sql: str, *parameters: object) -> list[str]:
    return [row["order_id"] for row in app.reads.rows(sql, *parameters)]


_FINDERS: Mapping[str, Callable[[Engine, str], list[str]]] = {
    "order": _by_id, "external-id": _by_external_id, "purchase-order": _by_purchase_order, "msisdn": _by_number, "iccid": _by_sim, "customer": _by_customer,
}  # fmt: skip
