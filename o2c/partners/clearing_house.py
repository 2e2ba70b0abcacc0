"""The porting clearing house, simulated: carries the request to the donor, cuts the number over, and takes requests back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from o2c.kernel.chance import pick
from o2c.kernel.partner import Answer, Answered, RefusedBy, Request
from o2c.kernel.periods import parse_time
from o2c.markets.base import Market, PortingRules
from o2c.markets.ports import window_of
from o2c.markets.registry import HOME, current
from o2c.partners import faults

ACCEPT, DELAY = "ACCEPT", "DELAY"
OTHER_PERCENTS = (
    (DELAY, 5.0),
    ("CODE-EXPIRED", 4.0),
    ("NAME-MISMATCH", 2.0),
    ("NUMBER-INACTIVE", 1.0),
    ("BARRED", 2.0),
    ("DEBT", 1.0),
    ("CONTRACT", 1.0),
)
"""What a donor says instead of a plain yes, as far as the market has such an answer. Some donors still name what is no ground there."""
DELAY_DAYS_MAX = 3
PORTING = "porting"


@dataclass(frozen=True, slots=True)
class SimulatedClearingHouse:
    """A donor answers the same number and code the same way for ever; technical faults come with all that follows its first answer."""

    seed: int
    planned: faults.Faults = faults.NONE_PLANNED

    def submit(self, request: Request) -> Answer:
        """Answer for the donor, cut a number over, or move or drop a port: refused with TOO-LATE from the market's cut-off until its window
        is over.

        A donor accepts with a `reference`, delays with `working_days_more` (or names the day, `first_possible_on` as an ISO date, where
        donors do), or refuses.
        """
        if request.step == PORTING and not request.body.get("replaces"):
            return self._donor(request)
        return faults.on_submit(faults.fault(self.seed, request, self.planned), request) or self._done(request)

    def query(self, request: Request) -> Answer:
        """Give the donor's answer again, or the outcome of a cut-over or cancellation, unless a fault lost the request."""
        if request.step == PORTING and not request.body.get("replaces"):
            return self._donor(request)
        return faults.on_query(faults.fault(self.seed, request, self.planned), self.seed, request) or self._done(request)

    def _done(self, request: Request) -> Answer:
        opens_at = str(request.body.get("replaces") or request.body.get("window_opens_at") or "")
        if opens_at and window_of(_market(request), parse_time(opens_at)).frozen(request.at):
            return RefusedBy("TOO-LATE")
        if request.body.get("postpone"):
            return Answered({"postponed": True})
        return self._donor(request) if request.step == PORTING else Answered()

    def _donor(self, request: Request) -> Answer:
        mark = faults.marked(request)
        asked = f"{request.body.get('msisdn', '')} {request.body.get('code', '')}"
        if mark is not None:
            return faults.on_submit(mark, request) or self._accepted(request)
        rules = _market(request).porting
        code = pick(self.seed, faults.place(request), 0, f"donor {asked}", _percents(rules))
        if code not in (ACCEPT, DELAY):
            # What is no ground is dropped when the donor is asked again.
            return self._accepted(request) if rules.refusals[code] == "NP-CONFLICT" and request.attempt > 1 else RefusedBy(code)
        days = 1 + faults.whole(self.seed, request, f"delay {asked}", DELAY_DAYS_MAX) if code == DELAY else 0
        if rules.donor_names_day:
            first_on = max((request.at + timedelta(days=1 + days)).date(), date.fromisoformat(request.body.get("not_before", "0001-01-01")))
            return self._accepted(request, first_possible_on=first_on.isoformat())
        return self._accepted(request, working_days_more=days) if days else self._accepted(request)

    def _accepted(self, request: Request, **more: Any) -> Answer:
        return Answered({"reference": faults.reference("PRT", self.seed, request), **more})


def _market(request: Request) -> Market:
    return current(str(request.body.get("market") or HOME), request.at.date())


def _percents(rules: PortingRules) -> tuple[tuple[str, float], ...]:
    """How often a donor of the market gives each answer; what is left of a hundred is a plain yes."""
    others = tuple((code, percent) for code, percent in OTHER_PERCENTS if code == DELAY or code in rules.refusals)
    return ((ACCEPT, 100 - sum(percent for _, percent in others)), *others)
