"""The porting clearing house, simulated: carries the request to the donor, cuts the number over, and takes requests back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from o2c.kernel.chance import pick
from o2c.kernel.partner import Answer, Answered, RefusedBy, Request
from o2c.kernel.periods import parse_time
from o2c.partners import faults

ACCEPT, DELAY = "ACCEPT", "DELAY"
DONOR_PERCENTS = (
    (ACCEPT, 86.0),
    (DELAY, 5.0),
    ("CODE-EXPIRED", 4.0),
    ("NAME-MISMATCH", 2.0),
    ("NUMBER-INACTIVE", 1.0),
    ("BARRED", 2.0),
)
DELAY_DAYS_MAX = 3
PORTING, CANCEL = "porting", "porting-cancel"
CUT_OFF = timedelta(hours=2)
"""How long before its window opens a port can be taken back no more."""


@dataclass(frozen=True, slots=True)
class SimulatedClearingHouse:
    """The donor answers the same number and code the same way for ever; only the cut-over has technical faults of its own."""

    seed: int

    def submit(self, request: Request) -> Answer:
        if request.step == PORTING:
            return self._donor(request)
        return faults.on_submit(faults.fault(self.seed, request), request) or self._done(request)

    def query(self, request: Request) -> Answer:
        if request.step == PORTING:
            return self._donor(request)
        return faults.on_query(faults.fault(self.seed, request), self.seed, request) or self._done(request)

    def _done(self, request: Request) -> Answer:
        opens_at = str(request.body.get("window_opens_at", ""))
        if request.step == CANCEL and opens_at and request.at >= parse_time(opens_at) - CUT_OFF:
            return RefusedBy("TOO-LATE")
        return Answered()

    def _donor(self, request: Request) -> Answer:
        mark = faults.marked(request)
        asked = f"{request.body.get('msisdn', '')} {request.body.get('code', '')}"
        if mark is not None:
            return faults.on_submit(mark, request) or self._accepted(request)
        code = pick(self.seed, faults.place(request), 0, f"donor {asked}", DONOR_PERCENTS)
        if code == ACCEPT:
            return self._accepted(request)
        if code == DELAY:
            return self._accepted(request, working_days_more=1 + faults.whole(self.seed, request, f"delay {asked}", DELAY_DAYS_MAX))
        return RefusedBy(code)

    def _accepted(self, request: Request, **more: int) -> Answer:
        return Answered({"reference": faults.reference("PRT", self.seed, request), **more})
