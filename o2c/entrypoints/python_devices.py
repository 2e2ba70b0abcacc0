"""Devices in Python: looking at one, marking one that must not be used, taking the mark off, and how much there is in stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from o2c.desk import devices as desk
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.devices import show_device, stock_levels
from o2c.views.reading import all_seen

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Devices:
    """The part of `OrderToCash` that is about devices."""

    _session: Session

    @answered
    def device(self, imei: str) -> shown.DeviceShown:
        """A device and everything that happened to it. See `views.devices.show_device`."""
        return show_device(self._session.app, imei)

    @answered
    def block_device(self, imei: str, cause: str, context: Context) -> Written:
        """Mark a device as lost, stolen or not-returned. See `desk.devices.block`."""
        return desk.block(self._session.app, context, imei, cause)

    @answered
    def unblock_device(self, imei: str, reason: str, context: Context) -> Written:
        """Take the mark off a device that was found, came back or was blocked-in-error. See `desk.devices.unblock`."""
        return desk.unblock(self._session.app, context, imei, reason)

    @answered
    def stock_levels(self, *, kind: str = "") -> list[shown.LevelShown]:
        """How many pieces of stock there are by kind, class and state. See `views.devices.stock_levels`."""
        all_seen(self._session.app)
        return stock_levels(self._session.app, kind=kind)
