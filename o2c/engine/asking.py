"""Asking partners: those that answer from memory on the spot, all others side by side, each within its own time-out and number of calls."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import structlog
from structlog.contextvars import bound_contextvars

from o2c.kernel import partner
from o2c.kernel.attend import Ask, Reply
from o2c.kernel.partner import Link, Partner

logger = structlog.get_logger(__name__)
SILENT = timedelta(minutes=5)
"""How long after a broken call its partner is queried."""
WAIT_S_MAX = 40.0
"""No page of work waits longer for its partners: the leases on its rows must not run out."""
Replies = dict[tuple[str, bool], Reply]
"""The replies, each under the key of its question (`Ask.key`)."""


class Asking:
    """The links to the partners by name, and the threads in which they are asked."""

    def __init__(self, partners: Mapping[str, Partner | Link]) -> None:
        self.links = {name: one if isinstance(one, Link) else Link(one) for name, one in partners.items()}
        self._pools: dict[str, ThreadPoolExecutor] = {}

    def close(self) -> None:
        """Give the threads and the connections up. A call under way breaks off."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        for link in self.links.values():
            link.close()

    def on_the_spot(self, ask: Ask) -> Reply | None:
        """Give the reply of a partner that answers from memory, as a simulator does; None for one that must be waited for."""
        link = self.links[ask.partner]
        return Reply(_call(link.client, ask)) if not link.calls_max else None

    def side_by_side(self, asks: Sequence[Ask]) -> Replies:
        """Ask all questions at once and give the replies.

        A partner that answers too late counts as silent (`Unknown`). A question that could not even begin in time is left out: the partner
        was not asked.
        """
        begun = time.monotonic()
        calls = [(ask, self._pool(ask.partner).submit(_timed, self.links[ask.partner].client, ask)) for ask in asks]
        rounds = {
            name: -(-sum(ask.partner == name for ask in asks) // link.calls_max) for name, link in self.links.items() if link.calls_max
        }
        replies: Replies = {}
        for ask, call in calls:
            patience_s = min(self.links[ask.partner].timeout_s * rounds[ask.partner], WAIT_S_MAX) - (time.monotonic() - begun)
            if reply := _waited(ask, call, max(patience_s, 0.0)):
                replies[ask.key] = reply
        return replies

    def _pool(self, name: str) -> ThreadPoolExecutor:
        if name not in self._pools:
            self._pools[name] = ThreadPoolExecutor(self.links[name].calls_max, thread_name_prefix=f"ask-{name}")
        return self._pools[name]


def _waited(ask: Ask, call: Future[Reply], patience_s: float) -> Reply | None:
    try:
        return call.result(patience_s)
    except TimeoutError:
        if call.cancel():
            return None
        logger.warning("partner_late", stream=ask.request.stream, partner=ask.partner, step=ask.request.step, key=ask.request.key)
        return Reply(partner.Unknown(ask.request.at + SILENT), round(patience_s * 1000))


def _timed(client: Partner, ask: Ask) -> Reply:
    began = time.monotonic()
    answer = _call(client, ask)
    return Reply(answer, round((time.monotonic() - began) * 1000))


def _call(client: Partner, ask: Ask) -> partner.Answer:
    """A call that breaks, in whatever way, is an unknown outcome: the request may have got there.

    What the client and its libraries log meanwhile names the stream.
    """
    request = ask.request
    with bound_contextvars(stream=request.stream):
        try:
            return client.query(request) if ask.query else client.submit(request)
        except Exception as error:  # noqa: BLE001 - see above; the values may be personal
            logger.warning("partner_broke", step=request.step, key=request.key, error=type(error).__name__)
            return partner.Unknown(request.at + SILENT)
