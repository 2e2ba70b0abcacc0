"""Whether a paper of a file is nowhere in the log: every line against what the log holds, worked out without the code that captures.

A line is an order, a repeat of one, or a resubmission that a person is asked about or has decided. Papers are compared by their content: their JSON
without date and channel.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from o2c.engine.app import Engine
from tests.fates import Claim

Identity = tuple[str, str]
Content = tuple[Identity, str]

CAPTURED = """SELECT substr(stream, 7) AS order, coalesce(body->>'after', '') AS after, personal->>'original' AS original
    FROM o2c.event WHERE type = 'order.captured' ORDER BY position"""
RESUBMITTED = """SELECT substr(r.stream, 7) AS order, r.personal->>'original' AS original, s.body->>'fallout' AS fallout,
    d.body->>'decision' AS decision, coalesce(d.body->>'order', '') AS became
    FROM o2c.event r
    LEFT JOIN o2c.event s ON s.stream = r.stream AND s.version = r.version + 1 AND s.type = 'duplicate.suspected'
    LEFT JOIN o2c.event d ON d.stream = r.stream AND d.type = 'duplicate.settled' AND d.body->>'fallout' = s.body->>'fallout'
    WHERE r.type = 'order.resubmitted'"""


class Log(NamedTuple):
    """What the log holds: the order of each content, the orders that came after another by a decision, and what became of each resubmission."""

    orders: dict[Content, str]
    after: dict[str, str]
    changed: dict[Content, str]


def log_of(app: Engine) -> Log:
    orders: dict[Content, str] = {}
    after: dict[str, str] = {}
    for row in app.reads.rows(CAPTURED):
        orders.setdefault(content_of(row["original"]), row["order"])
        if row["after"]:
            after[row["order"]] = row["after"]
    changed = {content_of(row["original"]): _became(row, after) for row in app.reads.rows(RESUBMITTED)}
    return Log(orders, after, changed)


def _became(row: dict[str, Any], after: dict[str, str]) -> str:
    """What became of a resubmission; empty when it is in nobody's hands."""
    if not row["fallout"]:
        return ""
    if row["decision"] == "approve":
        return "an order of its own" if after.get(row["became"]) == row["order"] else ""
    return "refused" if row["decision"] == "decline" else "with a person"


def content_of(paper: str | bytes) -> Content:
    """Whose name its id is, the id, and what else stands in a paper."""
    order = json.loads(paper, parse_float=str)
    parties = [party["id"] for party in order.get("relatedParty") or [] if str(party.get("role")).lower() == "customer"]
    channels = [channel["id"] for channel in order.get("channel") or []]
    owner = next((one for one in (*parties, *channels) if one), "unknown")
    rest = {key: value for key, value in order.items() if key not in ("orderDate", "channel")}
    return (owner, order["externalId"]), json.dumps(rest, sort_keys=True)


def nothing_lost(lines: Iterable[bytes], log: Log) -> Iterator[Claim]:
    """The claim that no line of a file of TMF622 v4 orders is lost, and what its lines are."""
    seen: dict[Identity, set[str]] = defaultdict(set)
    told: Counter[str] = Counter()
    lost: list[str] = []
    for number, line in enumerate(lines, 1):
        identity, content = content_of(line)
        known = content in seen[identity]
        seen[identity].add(content)
        if known and ((identity, content) in log.orders or log.changed.get((identity, content))):
            told["repeats"] += 1
        elif became := log.changed.get((identity, content), ""):
            told[f"changed, {became}"] += 1
        elif (identity, content) in log.orders:
            told["orders"] += 1
        else:
            lost.append(f"line {number} ({'/'.join(identity)})")
    found = set(log.orders.values()) - log.after.keys()
    figures = f"{sum(told.values())} lines = " + " + ".join(f"{count} {what}" for what, count in told.items())
    if lost:
        figures += f"; lost: {len(lost)}, first {lost[0]}"
    yield Claim("0 orders lost between channels", not lost and told["orders"] == len(found), f"{figures}; {len(found)} orders in the log")
