"""One device, and how much of everything there is in stock."""

from __future__ import annotations

from typing import cast

from o2c.devices.state import DeviceState, stream_of
from o2c.engine.app import Engine
from o2c.engine.drafts import Loaded
from o2c.kernel.decision import Guard
from o2c.kernel.identifiers import imei as canonical_imei
from o2c.kernel.refusal import Refused
from o2c.views.numbers import HISTORY_OF_STREAM
from o2c.views.reading import plain
from o2c.views.shown import DeviceShown, LevelShown
from projections import stock


def show_device(app: Engine, imei: str) -> DeviceShown:
    """A device and everything that happened to it. Raises Refused (missing, or no IMEI)."""
    state = device_named(app, imei).state
    holder = app.reads.holders([Guard("device", imei, "")]).get(("device", imei), "")
    order, _, item = holder.removeprefix("order-").partition("/")
    with_whom = {"order": order or None, "item": item or None}
    shown = {"imei": imei, "sku": state.sku, "state": state.status, "blocked_as": state.cause or None, **with_whom}
    return cast("DeviceShown", plain({**shown, "history": app.reads.rows(HISTORY_OF_STREAM, stream_of(imei))}))


def device_named(app: Engine, imei: str) -> Loaded:
    """The stream of a device. Raises Refused (missing, or no IMEI)."""
    try:
        stream = stream_of(canonical_imei(imei))
    except ValueError as error:
        raise Refused(f"devices: {error}") from None
    loaded = app.load_one(stream)
    if not isinstance(loaded.state, DeviceState) or not loaded.version:
        raise Refused(f"device {imei} is not known; see `o2c stock levels` for what is in stock", kind="missing")
    return loaded


def stock_levels(app: Engine, *, kind: str = "") -> list[LevelShown]:
    """How many pieces there are of each class (of devices: of each SKU), by state; of one kind (sim, number, device) where it is named.

    The projections must be caught up.
    """
    return [cast("LevelShown", plain(row)) for row in app.reads.rows(stock.LEVELS, kind, kind)]
