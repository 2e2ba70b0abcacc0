"""The desk for devices: marking one that must not be used."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from o2c.desk.act import Deed, act
from o2c.devices import rules
from o2c.devices.events import BlockCause
from o2c.devices.state import DeviceState, stream_of
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.views.devices import device_named

CAUSES: tuple[BlockCause, ...] = get_args(BlockCause)
"""Why a device may be blocked."""


def block(app: Engine, context: Context, imei: str, cause: str) -> Written:
    """Mark a device as lost, stolen or not-returned: nobody gets it from stock again. What is owed for it stays owed; nothing where it is so already.

    Raises Refused: missing (no such device), usage (no IMEI, no such cause), conflict (it is being shelved, or blocked for another cause).
    """
    if cause not in CAUSES:
        raise Refused(f"devices: no such cause; use one of {', '.join(CAUSES)}")
    device_named(app, imei)

    def mark(state: DeviceState, at: datetime) -> Decision:
        return rules.block(state, imei=imei, cause=cause)

    return act(app, context, "devices.block", Deed(stream_of(imei), (mark,), ["block", imei, cause]))
