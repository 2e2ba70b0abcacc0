"""Packs of units that customers bought: each is on one bill, at its price, and no bill has one that nobody bought."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from o2c.checks.assurance_rules import Leak
from o2c.checks.order_to_bill import Evidence, PackLine, Packs, Said, day_after
from projections.engine.seen import Seen

BOUGHT, RUN = "account.pack-added", "account.billed"
TYPES = frozenset({BOUGHT})
LINE = "pack"
PACK_RULE = (
    "pack-not-billed",
    "G-RM-RA-RLb",
    "A pack that was bought is on the bill that follows, once and at its price, and no bill has one that nobody bought.",
)


def bought(evidence: Evidence, seen: Seen) -> None:
    """Take down that a pack was bought for a line of an account."""
    account = seen.body["account"]
    evidence.packs.setdefault(account, Packs(account)).bought.append(Said(seen.event_id, seen.at, seen.body))


def billed(evidence: Evidence, seen: Seen) -> None:
    """Take down a bill run of an account with packs, or the packs that an invoice has."""
    if seen.type == RUN:
        if packs := evidence.packs.get(seen.stream.removeprefix("account-")):
            packs.run_on = max(packs.run_on, seen.body["run_on"])
        return
    body = seen.body
    for line in body["lines"]:
        if line["kind"] == LINE:
            told = PackLine(seen.event_id, seen.at, body["currency"], line)
            evidence.packs.setdefault(body["account"], Packs(body["account"])).lines.append(told)


def not_on_one_bill(packs: Packs, today: str, days: int) -> Iterator[Leak]:
    """What was bought and is on no bill though one was made since, or so many days have gone by; what is billed otherwise, and what nobody
    bought."""
    for said, line in _pairs(packs):
        if said is not None and line is None:
            on = said.body["bought_on"]
            if said.body["net_minor"] and (on < packs.run_on or day_after(on, days) <= today):
                yield _leak(packs, said.body["order"], said.body["item"], said.body["net_minor"], said.body["currency"], on, said, None)
        elif line is not None and (wrong := line.line["net_minor"] - (said.body["net_minor"] if said else 0)):
            yield _leak(packs, line.line["order"], line.line["item"], wrong, line.currency, line.at, said, line)


def _pairs(packs: Packs) -> Iterator[tuple[Said | None, PackLine | None]]:
    """What was bought beside what was billed, by line, offering and day: one after another where several are alike."""
    both: dict[tuple[str, ...], tuple[list[Said], list[PackLine]]] = {}
    for said in packs.bought:
        body = said.body
        both.setdefault((body["order"], body["item"], body["offering"], body["bought_on"]), ([], []))[0].append(said)
    for one in packs.lines:
        line = one.line
        both.setdefault((line["order"], line["item"], line["offering"], line["from_day"]), ([], []))[1].append(one)
    for said_of, billed_of in both.values():
        yield from zip_longest(said_of, billed_of)


def _leak(
    packs: Packs, order: str, item: str, amount_minor: int, currency: str, since: str, said: Said | None, line: PackLine | None
) -> Leak:  # fmt: skip
    events_a, events_b = (said.event,) if said else (), (line.event,) if line else ()
    return Leak(PACK_RULE[0], order, item, packs.account, amount_minor, currency, since[:10], events_a, events_b)
