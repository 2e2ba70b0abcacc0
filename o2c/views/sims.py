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

HOLDERS_OF_SIM = """WITH h AS (SELECT DISTINCT body ->> 'order' AS holder, body ->> 'item' AS item FROM o2c.event WHERE stream = %s AND type = 'sim.taken')
SELECT h.item, e.type, e.body FROM h JOIN o2c.event e ON e.stream = 'order-' || h.holder AND e.body ->> 'item' = h.item
    OR e.stream = ANY (ARRAY['product-' || h.holder || ':' || h.item, 'withdrawal-' || h.holder || ':' || h.item])
WHERE e.type = ANY(%s) ORDER BY e.position"""
"""What happened to the items that a SIM was ever taken for, and to the products that came of them. Parameters: the SIM's stream, the types
of events that tell of a SIM."""

_NETWORK = {
    "service.activated": "activated", "service.changed": "activated", "service.deactivated": "not activated",
    "activation-cancel.confirmed": "not activated", "service-change-cancel.confirmed": "not activated",
    "port-out.switched-off": "deactivated", "reactivation.completed": "activated",
}  # fmt: skip
_SWITCHED_OFF = {"product-off.requested": "product-off.completed", "withdrawal-switch-off.requested": "withdrawal-switch-off.completed"}
"""By what the network is asked to switch off what is over already, what tells that it did."""
_CEASED = "item.ceased"
_TOLD = ("sim.assigned", _CEASED, *_NETWORK, *_SWITCHED_OFF, *_SWITCHED_OFF.values())
_PLATFORM = {"esim.confirmed": "Released", "esim.downloaded": "", "esim-cancel.confirmed": ""}


def show_sim(app: Engine, iccid: str) -> SimShown:
    """A SIM, in the three states that one word would blur, and everything that happened to it. Raises Refused (missing, or no ICCID).

    `stock` is ours (available, assigned, returned, scrapped), `platform` the profile's at the SM-DP+ by GSMA SGP.22 section 3.1.6 (None for
    a physical SIM), `network` whether the network knows it (not activated, activated, or deactivated since what it served ended).
    """
    stream = _stream_named(iccid)
    loaded = app.load_one(stream)
    if not loaded.version:
        raise Refused(f"SIM {iccid} is not known; see `o2c status` for what is in stock", kind="missing")
    [received] = app.reads.rows(SIM_RECEIVED, stream)
    sim = received["body"]
    told = app.reads.rows(HOLDERS_OF_SIM, stream, [*_TOLD, *_PLATFORM])
    network, platform = states(sim["iccid"], ((row["item"], row["type"], row["body"]) for row in told))
    history = app.reads.rows(HISTORY_OF_STREAM, stream)
    shown = {"sim": sim["iccid"], "imsi": sim["imsi"], "kind": sim["kind"], "stock": loaded.state.status, "network": network}
    return cast("SimShown", plain({**shown, "platform": platform if sim["kind"] == "esim" else None, "history": history}))


def states(iccid: str, told: Iterable[tuple[str, str, Mapping[str, Any]]]) -> tuple[str, str]:
    """Give a SIM's state in the network and at the SIM platform, from the events (item, type, body) of the items that it was taken for."""
    network, platform = "not activated", "Available"
    holding: set[str] = set()
    to_go: set[str] = set()
    for item, name, body in told:
        if name == "sim.assigned":
            (holding.add if body["iccid"] == iccid else holding.discard)(item)
        elif item in holding:
            to_go, platform = _to_go(name, to_go), _of_profile(name, body, platform)
            network = _NETWORK.get(name, network)
            if _over(name, body) and not to_go:
                network = "deactivated"
                holding.discard(item)
    return network, platform


def _to_go(name: str, before: set[str]) -> set[str]:
    """By what the network is still to tell that it switched the SIM off."""
    return {*before, _SWITCHED_OFF[name]} if name in _SWITCHED_OFF else before - {name}


def _over(name: str, body: Mapping[str, Any]) -> bool:
    """Whether the SIM serves nobody any more: its product ended, or has another, or the network switched off what was over."""
    steps = body.get("steps")
    return name in _SWITCHED_OFF.values() or (name == _CEASED and (not steps or "sim" in steps))


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
