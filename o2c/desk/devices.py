"""The desk for devices: marking one that must not be used, and taking the mark off again."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from o2c.desk.act import Deed, act
from o2c.devices import rules
from o2c.devices.events import BlockCause, UnblockReason
from o2c.devices.state import DeviceState, stream_of
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.views.devices import device_named

CAUSES: tuple[BlockCause, ...] = get_args(BlockCause)
"""Why a device may be blocked."""
REASONS: tuple[UnblockReason, ...] = get_args(UnblockReason)
"""Why the mark may be taken off."""


def block(app: Engine, context: Context, imei: str, cause: str) -> Written:
    """Mark a device as lost, stolen or not-returned: nobody gets it from stock again. What is owed for it stays owed; nothing where it is
    so already.

    Raises Refused: missing (no such device), usage (no IMEI, no such cause), conflict (it is being shelved, or blocked for another cause).
    """
    if cause not in CAUSES:
        raise Refused(f"devices: no such cause; use one of {', '.join(CAUSES)}")
    device_named(app, imei)

    def mark(state: DeviceState, at: datetime) -> Decision:
        return rules.block(state, imei=imei, cause=cause)

    return act(app, context, "devices.block", Deed(stream_of(imei), (mark,), ["block", imei, cause]))


def unblock(app: Engine, context: Context, imei: str, reason: str) -> Written:
    """Take the mark off a device that was found, came back or was blocked-in-error. Whoever holds it keeps it; one that nobody holds is
    looked at, and is in stock again a day later. Nothing where it is not blocked.

    Raises Refused: missing (no such device), usage (no IMEI, no such reason).
    """
    if reason not in REASONS:
        raise Refused(f"devices: no such reason; use one of {', '.join(REASONS)}")
    device_named(app, imei)

    def free(state: DeviceState, at: datetime) -> Decision:
        return rules.unblock(state, imei=imei, reason=reason, at=at)

    return act(app, context, "devices.unblock", Deed(stream_of(imei), (free,), ["unblock", imei, reason]))
