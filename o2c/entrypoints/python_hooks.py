"""Hooks in Python: who is told of events over HTTP, and what came of telling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from o2c.desk import hooks
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.hooks import list_deliveries, list_hooks

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.desk.hooks import Subscribed
    from o2c.running.session import Session


class Hooks:
    """The part of `OrderToCash` that is about who is told of events over HTTP."""

    _session: Session

    @answered
    def subscribe(
        self,
        url: str,
        context: Context,
        *,
        types: Sequence[str] = (),
        format: Literal["native", "tmf622-v4", "tmf622-v5"] = "native",
        after: str = "",
        captured_by: str = "",
        customer: str = "",
        unmasked: bool = False,
        query: str = "",
    ) -> Subscribed:
        """Tell an address of events over HTTP from now on, or from after a position. See `desk.hooks.subscribe`."""
        return hooks.subscribe(
            self._session.app, self._session.home, context, url, types=types, format=format, after=after, captured_by=captured_by,
            customer=customer, unmasked=unmasked, query=query,
        )  # fmt: skip

    @answered
    def unsubscribe(self, hook: str, context: Context) -> Written:
        """Tell a hook nothing any more, for good. See `desk.hooks.unsubscribe`."""
        return hooks.unsubscribe(self._session.app, context, hook)

    @answered
    def allow_private_address(self, hook: str, context: Context) -> Written:
        """Allow that a hook's address is one of our own network, or without TLS. See `desk.hooks.allow_private_address`."""
        return hooks.allow_private_address(self._session.app, context, hook)

    @answered
    def rotate_secret(self, hook: str, context: Context) -> Subscribed:
        """Give a hook a new secret, shown once; the old one signs beside it for 24 hours. See `desk.hooks.rotate`."""
        return hooks.rotate(self._session.app, self._session.home, context, hook)

    @answered
    def resume_hook(self, hook: str, context: Context) -> Written:
        """Tell a suspended hook of events again, from where it stopped. See `desk.hooks.resume`."""
        return hooks.resume(self._session.app, context, hook)

    @answered
    def resend(self, hook: str, context: Context, *, delivery: str = "", since: datetime | None = None) -> Written:
        """Send again what was given up: one by its id, or all since a time. See `desk.hooks.resend`."""
        return hooks.resend(self._session.app, context, hook, delivery=delivery, since=since)

    @answered
    def hooks(self, *, captured_by: str = "") -> list[shown.HookShown]:
        """The hooks that have not ended. See `views.hooks.list_hooks`."""
        return list_hooks(self._session.app, captured_by=captured_by)

    @answered
    def deliveries(
        self, hook: str, *, state: str = "", since: datetime | None = None, limit: int | None = None
    ) -> list[shown.DeliveryShown]:
        """What a hook was told, is to be told, or was not told in the end, the last first. See `views.hooks.list_deliveries`."""
        return list_deliveries(self._session.app, hook, state=state, since=since, limit=limit)
