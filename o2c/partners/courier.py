"""The courier, simulated: takes a parcel, delivers it one to three days later, loses few."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from o2c.kernel.chance import draw
from o2c.kernel.partner import Accepted, Answer, Answered, Failed, RefusedBy, Request
from o2c.partners import faults

WRONG_ADDRESS_PERCENT = 1.0
DELIVERY_DAYS_MAX = 3
FIRST_MINUTE, LAST_MINUTE = 9 * 60, 17 * 60


@dataclass(frozen=True, slots=True)
class SimulatedCourier:
    """Judges the address when it takes a parcel; a loss shows only when the delivery is queried.

    It is queried no sooner than the time that it names, so a query gives the final outcome.
    """

    seed: int
    planned: faults.Faults = faults.NONE_PLANNED

    def submit(self, request: Request) -> Answer:
        """Take a parcel, to be asked about again at its delivery time (one to three days later), or refuse its address."""
        kind = faults.fault(self.seed, request, self.planned)
        trouble = None if kind == "permanent" else faults.on_submit(kind, request)
        return trouble or self._refused(request) or self._under_way(request)

    def query(self, request: Request) -> Answer:
        """Give the outcome of a delivery: delivered under a `reference`, LOST, or still under way."""
        kind = faults.fault(self.seed, request, self.planned)
        trouble = None if kind == "permanent" else faults.on_query(kind, self.seed, request)
        if stop := trouble or self._refused(request):
            return stop
        if kind == "permanent":
            return Failed("LOST")
        if kind == "unknown" and not faults.told_moment(request, self._minute_of_day(request)):
            return self._under_way(request)
        return Answered({"reference": faults.reference("PCL", self.seed, request)})

    def _refused(self, request: Request) -> Answer | None:
        what = f"wrong address {request.body.get('address', '')}"
        wrong = faults.marked(request) is None and faults.happens(self.seed, request, what, WRONG_ADDRESS_PERCENT)
        return RefusedBy("WRONG-ADDRESS") if wrong else None

    def _under_way(self, request: Request) -> Answer:
        days = 1 + int(draw(self.seed, faults.place(request), request.attempt, "delivery day") * DELIVERY_DAYS_MAX)
        moment = faults.midnight(request.at) + timedelta(days=days, minutes=self._minute_of_day(request))
        return Accepted(faults.reference("PCL", self.seed, request), moment)

    def _minute_of_day(self, request: Request) -> int:
        share = draw(self.seed, faults.place(request), request.attempt, "delivery minute")
        return FIRST_MINUTE + int(share * (LAST_MINUTE - FIRST_MINUTE + 1))
