"""The table of reason codes as it stands, and the partners' codes that it does not map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.fallout.actions import ACTIONS
from o2c.fallout.codes import packaged
from o2c.kernel.reasons import MOMENTS, UNCLASSIFIED, WAITS_BY_ITSELF, Codes, Reason
from o2c.views.reading import Rows, plain
from o2c.views.shown import ActionShown, CodeShown
from projections import fallout


@dataclass(frozen=True, slots=True)
class Guide:
    """What a reason code means, in a sentence, and what comes next, in a few words: the part of a reason that a person reads first."""

    meaning: str
    next: str


UNKNOWN = Guide("A reason that this program has no words for.", "see the actions")


def guide_of(codes: Codes, reason: str) -> Guide | Reason:
    """What a reason code means and what comes next; words that say so for a code that the table does not have (any more)."""
    return codes.reasons.get(reason, UNKNOWN)


def list_codes(app: Engine) -> list[CodeShown]:
    """Every reason code as it is in force now, and then every partner's code that is mapped to none of ours.

    A code: `kind` "code", what `kernel.reasons.Reason` says of it, and when a scheduled one is tried again (`scheduled`). An unmapped one:
    `kind` "unmapped", the step and its partner, the raw code, how often it came, and one fallout that has it (`sample`). The projections
    must be caught up.
    """
    now = app.clock().now
    table = app.codes().at(now)
    codes: Rows = [{"kind": "code", **_row(reason), "scheduled": table.scheduled.get(code, "")} for code, reason in table.reasons.items()]
    unmapped = app.reads.rows(fallout.UNMAPPED, UNCLASSIFIED)
    codes += [plain({"kind": "unmapped", "step": row["step"], "partner": app.book.steps[row["step"]].partner, **row}) for row in unmapped]
    return cast("list[CodeShown]", codes)


def _row(reason: Any) -> dict[str, Any]:
    return {**asdict(reason), "actions": list(reason.actions)}


def reason_codes() -> tuple[str, ...]:
    """The packaged codes, for whom no store is at hand."""
    return tuple(packaged().newest.reasons)


def queues() -> tuple[str, ...]:
    """The packaged queues, for whom no store is at hand."""
    return packaged().queues


def list_actions() -> list[ActionShown]:
    """The table of actions: each pair of action and state of a fallout that is allowed, with the events that follow and what else it
    needs."""
    return [
        {"action": action.name, "state": stage, "events": list(action.events), "needs": action.needs, "meaning": action.meaning}
        for action in ACTIONS.values()
        for stage in action.stages
    ]


_PAGE = """# Fallout: codes, queues, actions

Written by `o2c docs` from `o2c/fallout/codes.toml` and `o2c/fallout/actions.py`; a test sees that it is current. An operator loads codes of his
own over these with `o2c fallout load-codes FILE`; `o2c fallout codes` shows the table in force, and the partners' codes that it does not map.

A code of retry class *transient* is tried again by itself {attempts_max} times: after {first_s} seconds, then {factor} times as long each time, at most
{longest_s} seconds, spread by {jitter_percent} %. A *scheduled* one is tried again, as often, at the moment that the table below says for it, which is its
`next_at`; or its step waits by itself. Neither is tried again beyond the day promised (`retry.stopped`). *after-correction* ones wait for somebody's
word, *never* ones for a decision. Where nobody knows whether the partner did the work (it stayed silent, `unclassified`, `SYS-BUG`), no code is tried
again by itself, and whoever tries it again has the partner asked first. Severity 1 is the worst.

The queue is sorted by rank, lower first: 100 times the order's TMF priority (0 first, 4 last), 10 times the place of the customer's tier, and the
days left to the day promised, from -30 (long overdue) to 30 (far off, or none promised); of equals the older one comes first. The tier is the
TMF632 characteristic `tier` of the party, as registered when the order came and again when it was validated; a later change of it moves no order. Places: {tiers}.
A customer whose tier is not among them, or who is not known (and an order taken down before tiers were kept), counts by the order's category.
"""


def code_page() -> str:
    """The page of codes, queues and actions, in Markdown."""
    codes = packaged().newest
    tiers = ", ".join(f"{name} {place}" for name, place in codes.tiers.items())
    parts = [_PAGE.format(**asdict(codes.retries), tiers=tiers)]
    timed = [(code, when, {**WAITS_BY_ITSELF, **MOMENTS}[when]) for code, when in codes.scheduled.items()]
    parts.append(
        "## Scheduled codes\n\nAn operator's own are listed in his file under `[scheduled]`; beside these words, `24h` is so many hours later.\n"
    )
    words = [("", word, meaning) for word, meaning in MOMENTS.items() if word not in codes.scheduled.values()]
    parts.append(_table(("code", "schedule", "tried again"), [*timed, *words]))
    for queue in packaged().queues:
        reasons = [reason for reason in codes.reasons.values() if reason.queue == queue]
        parts.append(f"## {queue}\n\nWorked by: {reasons[0].owner}.\n")
        parts.append(_table(("code", "meaning", "next", "severity", "retry", "waits for", "origin", "usual actions"), [
            (r.code, r.meaning, r.next, str(r.severity), r.retry, r.waiting_for, r.origin, ", ".join(r.actions)) for r in reasons
        ]))  # fmt: skip
    parts.append("## Actions\n\nA pair of action and state that is not listed is refused (exit 4).\n")
    rows = [(a.name, ", ".join(a.stages), a.meaning, a.needs, ", ".join(f"`{event}`" for event in a.events)) for a in ACTIONS.values()]
    parts.append(_table(("action", "states", "what it does", "needs", "events"), rows))
    return "\n".join(parts)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, tuple("---" for _ in heads), *rows)) + "\n"
