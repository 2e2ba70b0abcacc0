"""Taking devices in, assigning them, giving them back, blocking them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from o2c.devices.events import (
    BlockCause,
    DeviceAssigned,
    DeviceBlocked,
    DeviceGivenUp,
    DeviceLost,
    DeviceReceived,
    DeviceReleased,
    DeviceRestocked,
    DeviceReturned,
    DevicesAnnounced,
    DevicesArrived,
    DeviceScrapped,
    DeviceTaken,
    DeviceUnblocked,
    UnblockReason,
)
from o2c.devices.state import DeviceState, stream_of
from o2c.kernel.decision import NOTHING, Decision, Guard, just
from o2c.kernel.identifiers import imei as canonical_imei
from o2c.kernel.reasons import PARCEL_LOST
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work
from o2c.stock.state import DeliveryState, field_missing, refused

COLUMNS = ("imei", "sku")
RESTOCK_DAYS = 1
"""How many days a device that came back is looked at and shelved before it can be assigned again."""
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def announce(*, rows: tuple[tuple[str, ...], ...], at: datetime) -> DevicesAnnounced:
    """Announce a delivery of devices for a time; the rows are (IMEI, SKU), as text.

    Raises Refused naming the rows that lack a field, have an IMEI that is none or is there twice, or a SKU that is none (letters, digits,
    dots, dashes, at most 40). Source: 3GPP TS 23.003, section 6.2 and Annex B (IMEI and its check digit).
    """
    seen: dict[str, int] = {}
    flaws: list[tuple[int, str]] = []
    for number, row in enumerate(rows, 1):
        if why := _flaw(row) or (f"the same IMEI as row {seen[row[0]]}" if row[0] in seen else ""):
            flaws.append((number, why))
        elif row:
            seen[row[0]] = number
    if flaws:
        raise refused("devices", flaws)
    return DevicesAnnounced(due_at=at, rows=rows)


def _flaw(row: tuple[str, ...]) -> str:
    """What is wrong with a row; empty for nothing."""
    if missing := field_missing(row, COLUMNS):
        return missing
    try:
        canonical_imei(row[0])
    except ValueError as error:
        return str(error)
    return "" if _SKU.fullmatch(row[1]) else "sku is no SKU: letters, digits, dots and dashes, at most 40"


def arrival_streams(work: Work) -> tuple[str, ...]:
    """Name the streams that an arrival reads: one for each device of the delivery."""
    return tuple(stream_of(row[0]) for row in work.state.rows)


def arrive(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Take a delivery in, with the count of each pool; devices that are in the store already stay as they are."""
    fresh = [row for row in work.state.rows if work.read.get(stream_of(row[0])) is None]
    received = tuple((stream_of(imei), DeviceReceived(imei=imei, sku=sku)) for imei, sku in fresh)
    return Decision((DevicesArrived(attempt=work.attempt, pools=_by_pool(fresh)),), received)


def brings(delivery: DeliveryState) -> Mapping[str, int]:
    """Give how many devices a delivery brings to each pool."""
    return _by_pool(delivery.rows)


def brings_back(device: DeviceState) -> Mapping[str, int]:
    """Give the pool to which a device that came back will be restocked, one piece."""
    return {f"device/{device.back.sku}": 1} if device.back else {}


def _by_pool(rows: Iterable[Sequence[str]]) -> dict[str, int]:
    return Counter(f"device/{sku}" for _, sku in rows)


def pool_of(work: Work) -> str:
    """Name the pool of the SKU that the item asks for; without the characteristic `sku` the offering's own id is it."""
    item = work.subject
    return f"device/{item.characteristics.get('sku') or item.offering}"


def assign(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Assign the candidate from stock; its guard decides whether it is still free."""
    imei, sku = data["imei"], data["sku"]
    order = work.stream.removeprefix("order-")
    return Decision(
        (DeviceAssigned(item=work.item, attempt=work.attempt, imei=imei, sku=sku),),
        ((stream_of(imei), DeviceTaken(imei=imei, sku=sku, order=order, item=work.item)),),
        takes=(work.guard("device", imei),),
    )


def stream_taken(outcome: Mapping[str, Any]) -> str:
    """Name the stream of the device that an item was given."""
    return stream_of(outcome["imei"])


def release(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Give the device back: it can be assigned again after restocking, or is blocked if it may have left the house."""
    imei, sku = outcome["imei"], outcome["sku"]
    freed = (work.guard("device", imei),)
    after: DeviceGivenUp | DeviceReturned = DeviceReturned(imei=imei, sku=sku, due_at=at + timedelta(days=RESTOCK_DAYS))
    if work.state.record(work.item, "delivery").reason == PARCEL_LOST:
        after = DeviceGivenUp(imei=imei, sku=sku, cause="lost")
    elif work.outcomes.get("delivery") or work.with_partner("delivery", at):
        after = DeviceGivenUp(imei=imei, sku=sku, cause="not-returned")
    return Decision((DeviceReleased(item=work.item, imei=imei),), ((stream_of(imei), after),), frees=freed)


def lose(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Block the device that was lost and free the item for another; nothing is charged before one is delivered."""
    imei, sku = outcome["imei"], outcome["sku"]
    gone = ((stream_of(imei), DeviceGivenUp(imei=imei, sku=sku, cause="lost")),)
    return Decision((DeviceLost(item=work.item, imei=imei),), gone, frees=(work.guard("device", imei),))


def restock(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Put a device on offer again that came back; one that was blocked while it was out stays blocked."""
    back = work.state.back
    if work.state.cause:
        blocked = DeviceBlocked(imei=back.imei, sku=back.sku, cause=work.state.cause)
        return just(StepCancelled(item=work.item, step=work.step), blocked)
    return just(DeviceRestocked(attempt=work.attempt, imei=back.imei, sku=back.sku))


def came_back(work: Work) -> Mapping[str, Any]:
    """Give the device that is to be restocked, for the case that a person asks for it once more."""
    return {"imei": work.state.back.imei, "sku": work.state.back.sku}


def came_home(state: DeviceState, *, imei: str, grade: str, holder: str, at: datetime) -> Decision:
    """Take back a device that its customer withdrew from, by how it came back: as new it is looked at and shelved, used or damaged it is
    scrapped, and one that was lost on its way must not be used. The item that held it (`ORDER/ITEM`) holds it no more; nothing for a device
    that nobody holds."""
    if not state.held:
        return NOTHING
    after: DeviceGivenUp | DeviceReturned | DeviceScrapped
    if grade == "as-new":
        after = DeviceReturned(imei=imei, sku=state.sku, due_at=at + timedelta(days=RESTOCK_DAYS))
    elif grade == "lost":
        after = DeviceGivenUp(imei=imei, sku=state.sku, cause="lost")
    else:
        after = DeviceScrapped.model_validate({"imei": imei, "sku": state.sku, "cause": grade})
    return Decision((after,), frees=(Guard("device", imei, f"order-{holder}"),))


def block(state: DeviceState, *, imei: str, cause: BlockCause) -> Decision:
    """Mark a device as one that must not be used; nothing for one that is marked so. What is owed for it stays owed.

    Raises Refused: missing (no such device), conflict (it is on its way back into stock, or blocked for another cause).
    """
    if not state.status:
        raise Refused(f"device {imei} is not known; see `o2c stock levels` for what is in stock", kind="missing")
    if (state.status, state.cause) == ("blocked", cause):
        return NOTHING
    if state.status == "blocked":
        raise Refused(f"device {imei} is blocked already, as {state.cause}", kind="conflict")
    if state.status == "returned":
        raise Refused(f"device {imei} came back and is being shelved; block it once it is in stock", kind="conflict")
    return just(DeviceBlocked(imei=imei, sku=state.sku, cause=cause))


def unblock(state: DeviceState, *, imei: str, reason: UnblockReason, at: datetime) -> Decision:
    """Say that a device may be used again; nothing for one that may. One that nobody holds goes to the shelf by way of whoever looks at it.

    Raises Refused: missing (no such device).
    """
    if not state.status:
        raise Refused(f"device {imei} is not known; see `o2c stock levels` for what is in stock", kind="missing")
    if not state.cause:
        return NOTHING
    freed = DeviceUnblocked(imei=imei, sku=state.sku, reason=reason)
    if state.held or state.status == "returned":
        return just(freed)
    return just(freed, DeviceReturned(imei=imei, sku=state.sku, due_at=at + timedelta(days=RESTOCK_DAYS)))
