"""Whether every cut-over happened inside a window that was agreed for it, on a working day: worked out from the log, without the engine."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import holidays

from tests.fates import Claim

HOURS: Mapping[str, tuple[str, time, time]] = {"GB": ("ENG", time(9), time(17)), "NL": ("", time(9), time(17))}
"""By country: the subdivision whose holidays are kept, and the hours of a window, as operators keep them."""
AGREEMENTS = ("porting.scheduled", "porting.rescheduled")
EVENTS_OF_PORTS = """SELECT e.stream, e.body ->> 'item' AS item, e.type, e.occurred_at AS at, e.body, c.body ->> 'market' AS market
    FROM o2c.event e JOIN o2c.event c ON c.stream = e.stream AND c.type = 'order.captured'
    WHERE starts_with(e.type, 'porting.') OR e.type = 'cutover.number-ported-in' OR (e.type = 'partner.silent' AND e.body ->> 'step' = 'cutover')
    ORDER BY e.position"""


class CutOver(NamedTuple):
    """A cut-over and what was agreed for it last; `at` is when the clearing house was asked for it."""

    stream: str
    at: datetime
    opens_at: datetime | None
    country: str
    late_days: int


def claims(rows: Sequence[Mapping[str, Any]]) -> Iterator[Claim]:
    """One claim on the windows, with how many ports were moved or late."""
    found = list(cut_overs(rows))
    wrong = [cut_over for cut_over in found if not _in_window(cut_over)]
    told = Counter(row["type"] for row in rows)
    late = [cut_over.late_days for cut_over in found if cut_over.late_days]
    figures = (
        f"{len(found)} cut-overs, {told['porting.postponed']} windows given up in time, {told['porting.window-missed']} missed, "
        f"{len(late)} ports late by {sum(late)} days in all"
    )
    named = f"; {len(wrong)} not, first {wrong[0].stream} at {wrong[0].at:%Y-%m-%d %H:%M}Z" if wrong else ""
    yield Claim("every cut-over is inside an agreed window on a working day", bool(found) and not wrong, figures + named)


def cut_overs(rows: Sequence[Mapping[str, Any]]) -> Iterator[CutOver]:
    """Every cut-over of the log, with the window agreed for it; one whose answer did not come is taken by the time it was asked for."""
    agreed: dict[tuple[str, str], datetime] = {}
    asked: dict[tuple[str, str], datetime] = defaultdict()
    for row in rows:
        place = (row["stream"], row["item"])
        if row["type"] in AGREEMENTS:
            agreed[place] = datetime.fromisoformat(row["body"]["window_opens_at"])
            asked.pop(place, None)
        elif row["type"] == "partner.silent":
            asked.setdefault(place, row["at"])
        elif row["type"] == "porting.postponed":
            agreed.pop(place, None)
        elif row["type"] == "cutover.number-ported-in":
            late_days = int(row["body"].get("late_days") or 0)
            yield CutOver(row["stream"], asked.get(place, row["at"]), agreed.get(place), row["market"].partition("@")[0], late_days)


def _in_window(cut_over: CutOver) -> bool:
    subdivision, opens, closes = HOURS[cut_over.country]
    zone = ZoneInfo("Europe/London" if cut_over.country == "GB" else "Europe/Amsterdam")
    local, opens_at = cut_over.at.astimezone(zone), cut_over.opens_at
    if opens_at is None or opens_at.astimezone(zone).date() != local.date() or not opens <= local.time() < closes:
        return False
    return _is_worked(cut_over.country, subdivision, local.date())


def _is_worked(country: str, subdivision: str, day: date) -> bool:
    return day.weekday() < 5 and day not in holidays.country_holidays(country, subdiv=subdivision or None, years=day.year)
