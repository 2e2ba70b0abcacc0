"""Taking SIMs in, assigning them, giving them back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from o2c.kernel.decision import Decision, just
from o2c.kernel.identifiers import iccid as canonical_iccid
from o2c.kernel.identifiers import imsi as canonical_imsi
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.sim.events import (
    SimAssigned,
    SimLost,
    SimReceived,
    SimReleased,
    SimRestocked,
    SimReturned,
    SimsAnnounced,
    SimsArrived,
    SimScrapped,
    SimTaken,
)
from o2c.sim.state import stream_of

KINDS = frozenset({"esim", "physical"})
COLUMNS = ("iccid", "imsi", "kind")
RESTOCK_DAYS = 1
"""How many days a SIM that came back is counted and shelved before it can be assigned again."""


def announce(*, rows: tuple[tuple[str, ...], ...], at: datetime) -> SimsAnnounced:
    """Announce a delivery of SIMs for a time; the rows are (ICCID, IMSI, kind), as text.

    A filler `F` at the end of an ICCID is dropped. Raises Refused naming the first row with an ICCID or IMSI that is none, an unknown kind,
    or an ICCID that is there twice. Source: ITU-T E.118 (ICCID), ITU-T E.212 (IMSI), GSMA SGP.22 section 5.2.1 (filler).
    """
    seen: dict[str, int] = {}
    canonical = []
    for number, row in enumerate(rows, 1):
        try:
            entry = (canonical_iccid(row[0]), canonical_imsi(row[1]), row[2])
        except (ValueError, IndexError) as error:
            raise Refused(f"sims: row {number}: {error}; nothing of the file was taken in, correct it and load it again") from None
        if entry[2] not in KINDS or entry[0] in seen:
            why = f"kind is not one of {sorted(KINDS)}" if entry[2] not in KINDS else f"the same ICCID as row {seen[entry[0]]}"
            raise Refused(f"sims: row {number}: {why}; nothing of the file was taken in, correct it and load it again")
        seen[entry[0]] = number
        canonical.append(entry)
    return SimsAnnounced(due_at=at, rows=tuple(canonical))


def arrival_streams(work: Work) -> tuple[str, ...]:
    """Name the streams that an arrival reads: one for each SIM of the delivery."""
    return tuple(stream_of(row[0]) for row in work.state.rows)


def arrive(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Take a delivery in, with the count of each pool; SIMs that are in the store already stay as they are."""
    fresh = [row for row in work.state.rows if work.read.get(stream_of(row[0])) is None]
    pools: dict[str, int] = {}
    for _, _, kind in fresh:
        pools[f"sim/{kind}"] = pools.get(f"sim/{kind}", 0) + 1
    received = tuple((stream_of(iccid), SimReceived(iccid=iccid, imsi=imsi, kind=kind)) for iccid, imsi, kind in fresh)
    return Decision((SimsArrived(attempt=work.attempt, pools=pools),), received)


def pool_of(work: Work) -> str:
    """Name the pool of the kind of SIM that the item asks for; a physical one unless it says otherwise."""
    return f"sim/{work.subject.characteristics.get('simType', 'physical')}"


def assign(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Assign the candidate from stock; its guard decides whether it is still free."""
    iccid, imsi, kind = data["iccid"], data["imsi"], data["kind"]
    order = work.stream.removeprefix("order-")
    return Decision(
        (SimAssigned(item=work.item, attempt=work.attempt, iccid=iccid, imsi=imsi, kind=kind),),
        ((stream_of(iccid), SimTaken(iccid=iccid, kind=kind, order=order, item=work.item)),),
        takes=(work.guard("sim", iccid),),
    )


def release(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Give the SIM back: it can be assigned again after restocking, or is scrapped if it left the house or was used."""
    iccid, imsi, kind = outcome["iccid"], outcome["imsi"], outcome["kind"]
    if _gone(work, at):
        scrapped = ((stream_of(iccid), SimScrapped(iccid=iccid)),)
        return Decision((SimReleased(item=work.item, iccid=iccid),), scrapped, frees=(work.guard("sim", iccid),))
    returned = SimReturned(iccid=iccid, imsi=imsi, kind=kind, due_at=at + timedelta(days=RESTOCK_DAYS))
    return just(SimReleased(item=work.item, iccid=iccid)) + Decision(
        elsewhere=((stream_of(iccid), returned),), frees=(work.guard("sim", iccid),)
    )


def lose(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Block the SIM that was lost, for good, and free the item for another, at the cost of a replacement in the order's market."""
    iccid, market = outcome["iccid"], work.market
    lost = SimLost(item=work.item, iccid=iccid, cost_minor=market.sim_replacement_minor, currency=market.currency)
    scrapped = ((stream_of(iccid), SimScrapped(iccid=iccid, cause="lost")),)
    return Decision((lost,), scrapped, frees=(work.guard("sim", iccid),))


def _gone(work: Work, at: datetime) -> bool:
    """Whether the SIM may have left the house or been used, or its profile cannot be downloaded by anybody else."""
    used = any(work.outcomes.get(step) or work.with_partner(step, at) for step in ("delivery", "activation"))
    return used or ("esim-cancel" in work.outcomes and not work.outcomes["esim-cancel"].get("reusable"))


def restock(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Put a SIM on offer again that came back."""
    back = work.state.back
    return just(SimRestocked(attempt=work.attempt, iccid=back.iccid, imsi=back.imsi, kind=back.kind))


def came_back(work: Work) -> Mapping[str, Any]:
    """Give the SIM that is to be restocked, for the case that a person asks for it once more."""
    back = work.state.back
    return {"iccid": back.iccid, "imsi": back.imsi, "kind": back.kind}
