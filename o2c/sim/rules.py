"""Taking SIMs in, assigning them, giving them back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from o2c.kernel.decision import Decision, Guard, just
from o2c.kernel.identifiers import iccid as canonical_iccid
from o2c.kernel.identifiers import imsi as canonical_imsi
from o2c.kernel.reasons import PARCEL_LOST
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
from o2c.sim.state import SimState, stream_of
from o2c.stock.state import DeliveryState, field_missing, refused

KINDS = frozenset({"esim", "physical"})
COLUMNS = ("iccid", "imsi", "kind")
RESTOCK_DAYS = 1
"""How many days a SIM that came back is counted and shelved before it can be assigned again."""


def announce(*, rows: tuple[tuple[str, ...], ...], at: datetime) -> SimsAnnounced:
    """Announce a delivery of SIMs for a time; the rows are (ICCID, IMSI, kind), as text.

    A filler `F` at the end of an ICCID is dropped. Raises Refused naming the rows that lack a field, have an ICCID or IMSI that is none or
    is there twice, or an unknown kind. Source: ITU-T E.118 (ICCID), ITU-T E.212 (IMSI), GSMA SGP.22 section 5.2.1 (filler).
    """
    seen: dict[tuple[str, str], int] = {}
    canonical: list[tuple[str, str, str]] = []
    flaws: list[tuple[int, str]] = []
    for number, row in enumerate(rows, 1):
        try:
            entry = _entry(row)
            twice = [f"the same {name} as row {seen[name, value]}" for name, value in _identifiers(entry) if (name, value) in seen]
            flaws += [(number, why) for why in twice[:1]]
            seen |= {identifier: number for identifier in _identifiers(entry) if identifier not in seen}
            canonical.append(entry)
        except ValueError as error:
            flaws.append((number, str(error)))
    if flaws:
        raise refused("sims", flaws)
    return SimsAnnounced(due_at=at, rows=tuple(canonical))


def _entry(row: tuple[str, ...]) -> tuple[str, str, str]:
    """Give ICCID, IMSI and kind of a row in canonical form. ValueError says what is wrong with it."""
    if missing := field_missing(row, COLUMNS):
        raise ValueError(missing)
    if row[2] not in KINDS:
        raise ValueError(f"kind is not one of {sorted(KINDS)}")
    return canonical_iccid(row[0]), canonical_imsi(row[1]), row[2]


def _identifiers(entry: tuple[str, str, str]) -> tuple[tuple[str, str], ...]:
    return ("ICCID", entry[0]), ("IMSI", entry[1])


def own_imsis(work: Work) -> tuple[Guard, ...]:
    """Give the guards of the IMSIs of a delivery: each is held by its SIM, for good."""
    return tuple(Guard("imsi", imsi, stream_of(iccid)) for iccid, imsi, _ in work.state.rows)


def imsi_flaw(work: Work, at: datetime) -> str:
    """Give the reason why a delivery cannot be taken in whose IMSI another SIM has got since it was announced; empty for none."""
    taken = [guard.key for guard, holder in work.guards.items() if holder != guard.holder]
    return f"SYS-BUG: {len(taken)} IMSIs of the delivery belong to other SIMs" if taken else ""


def arrival_streams(work: Work) -> tuple[str, ...]:
    """Name the streams that an arrival reads: one for each SIM of the delivery."""
    return tuple(stream_of(row[0]) for row in work.state.rows)


def arrive(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Take a delivery in, with the count of each pool; SIMs that are in the store already stay as they are."""
    fresh = [row for row in work.state.rows if work.read.get(stream_of(row[0])) is None]
    received = tuple((stream_of(iccid), SimReceived(iccid=iccid, imsi=imsi, kind=kind)) for iccid, imsi, kind in fresh)
    streams = {stream for stream, _ in received}
    takes = tuple(guard for guard in own_imsis(work) if guard.holder in streams)
    return Decision((SimsArrived(attempt=work.attempt, pools=_by_pool(fresh)),), received, takes=takes)


def brings(delivery: DeliveryState) -> Mapping[str, int]:
    """Give how many SIMs a delivery brings to each pool."""
    return _by_pool(delivery.rows)


def brings_back(sim: SimState) -> Mapping[str, int]:
    """Give the pool to which a SIM that came back will be restocked, one piece."""
    return {f"sim/{sim.back.kind}": 1} if sim.back else {}


def _by_pool(rows: Iterable[Sequence[str]]) -> dict[str, int]:
    return Counter(f"sim/{kind}" for _, _, kind in rows)


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


def stream_taken(outcome: Mapping[str, Any]) -> str:
    """Name the stream of the SIM that an item was given."""
    return stream_of(outcome["iccid"])


def release(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Give the SIM back: it can be assigned again after restocking, or is scrapped if it left the house, was used or was lost."""
    iccid, imsi, kind = outcome["iccid"], outcome["imsi"], outcome["kind"]
    lost = work.state.record(work.item, "delivery").reason == PARCEL_LOST
    if lost or _gone(work, at):
        scrapped = ((stream_of(iccid), SimScrapped(iccid=iccid, cause="lost" if lost else "used")),)
        return Decision((SimReleased(item=work.item, iccid=iccid),), scrapped, frees=(work.guard("sim", iccid),))
    returned = SimReturned(iccid=iccid, imsi=imsi, kind=kind, due_at=at + timedelta(days=RESTOCK_DAYS))
    return just(SimReleased(item=work.item, iccid=iccid)) + Decision(
        elsewhere=((stream_of(iccid), returned),), frees=(work.guard("sim", iccid),)
    )


def cease(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Scrap the SIM of a service that ended: it was used, and nobody gets it again."""
    iccid = outcome["iccid"]
    return Decision(elsewhere=((stream_of(iccid), SimScrapped(iccid=iccid)),), frees=(work.guard("sim", iccid),))


def lose(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Block the SIM that was lost, for good, and free the item for another, at the cost of a replacement in the order's market."""
    iccid, market = outcome["iccid"], work.market
    lost = SimLost(item=work.item, iccid=iccid, cost_minor=market.sim_replacement_minor, currency=market.currency)
    scrapped = ((stream_of(iccid), SimScrapped(iccid=iccid, cause="lost")),)
    return Decision((lost,), scrapped, frees=(work.guard("sim", iccid),))


def _gone(work: Work, at: datetime) -> bool:
    """Whether the SIM may have left the house or been used, or its profile cannot be downloaded by anybody else."""
    used = any(work.outcomes.get(step) or work.with_partner(step, at) for step in ("delivery", "activation", "service-change"))
    return used or ("esim-cancel" in work.outcomes and not work.outcomes["esim-cancel"].get("reusable"))


def restock(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Put a SIM on offer again that came back."""
    back = work.state.back
    return just(SimRestocked(attempt=work.attempt, iccid=back.iccid, imsi=back.imsi, kind=back.kind))


def came_back(work: Work) -> Mapping[str, Any]:
    """Give the SIM that is to be restocked, for the case that a person asks for it once more."""
    back = work.state.back
    return {"iccid": back.iccid, "imsi": back.imsi, "kind": back.kind}
