"""One SIM: its three states, whose it is, and everything that happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.identifiers import iccid as canonical_iccid
from o2c.kernel.refusal import Refused
from o2c.sim.state import stream_of
from o2c.views.numbers import HISTORY_OF_STREAM
from o2c.views.reading import plain
from o2c.views.shown import SimShown

SIM_RECEIVED = "SELECT body FROM o2c.event WHERE stream = %s AND type = 'sim.received' LIMIT 1"
"""The IMSI and kind of a SIM. Parameter: its stream."""

HOLDERS_OF_SIM = """SELECT h.item, e.type, e.body FROM o2c.event e
JOIN (SELECT DISTINCT 'order-' || (body ->> 'order') AS stream, body ->> 'item' AS item FROM o2c.event WHERE stream = %s AND type = 'sim.taken') h
    ON e.stream = h.stream AND e.body ->> 'item' = h.item
WHERE e.type = ANY(%s) ORDER BY e.position"""
"""What happened to the items that a SIM was ever taken for. Parameters: the SIM's stream, the types of events that tell of a SIM."""

_NETWORK = {
    "service.activated": "activated", "service.changed": "activated", "service.deactivated": "not activated",
    "activation-cancel.confirmed": "not activated", "service-change-cancel.confirmed": "not activated",
}  # fmt: skip
_PLATFORM = {"esim.confirmed": "Released", "esim.downloaded": "", "esim-cancel.confirmed": ""}


def show_sim(app: Engine, iccid: str) -> SimShown:
    """A SIM, in the three states that one word would blur, and everything that happened to it. Raises Refused (missing, or no ICCID).

    `stock` is ours (available, assigned, returned, scrapped), `platform` the profile's at the SM-DP+ by GSMA SGP.22 section 3.1.6 (None for a
    physical SIM), `network` whether the network knows it.
    """
    stream = _stream_named(iccid)
    loaded = app.load([stream])[stream]
    if not loaded.version:
        raise Refused(f"SIM {iccid} is not known; see `o2c status` for what is in stock", kind="missing")
    [received] = app.reads.rows(SIM_RECEIVED, stream)
    sim = received["body"]
    told = app.reads.rows(HOLDERS_OF_SIM, stream, ["sim.assigned", *_NETWORK, *_PLATFORM])
    network, platform = states(sim["iccid"], ((row["item"], row["type"], row["body"]) for row in told))
    history = app.reads.rows(HISTORY_OF_STREAM, stream)
    shown = {"sim": sim["iccid"], "imsi": sim["imsi"], "kind": sim["kind"], "stock": loaded.state.status, "network": network}
    return cast("SimShown", plain({**shown, "platform": platform if sim["kind"] == "esim" else None, "history": history}))


def states(iccid: str, told: Iterable[tuple[str, str, Mapping[str, Any]]]) -> tuple[str, str]:
    """Give a SIM's state in the network and at the SIM platform, from the events (item, type, body) of the items that it was taken for."""
    network, platform = "not activated", "Available"
    holding: set[str] = set()
    for item, name, body in told:
        if name == "sim.assigned":
            (holding.add if body["iccid"] == iccid else holding.discard)(item)
        elif item in holding:
            network = _NETWORK.get(name, network)
            platform = _of_profile(name, body, platform)
    return network, platform


def _of_profile(name: str, body: Mapping[str, Any], platform: str) -> str:
    match name:
        case "esim.downloaded":
            return str(body["state"])
        case "esim-cancel.confirmed":
            return "Available" if body["reusable"] else "Unavailable"
    return _PLATFORM.get(name) or platform


def _stream_named(iccid: str) -> str:
    try:
        return stream_of(canonical_iccid(iccid))
    except ValueError as error:
        raise Refused(f"sims: {error}") from None
