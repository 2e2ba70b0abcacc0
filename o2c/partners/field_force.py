"""The field force, simulated: sends a fitter on a weekday, who sometimes finds nobody at home, or calls him off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from o2c.kernel.chance import draw
from o2c.kernel.partner import Accepted, Answer, Answered, RefusedBy, Request
from o2c.partners import faults

VISIT_HOURS = (9, 13)
VISIT_DAYS_MIN, VISIT_DAYS_MAX = 3, 8
NEXT_VISIT_DAYS = 2
NOBODY_HOME_PERCENT = 2.0
SATURDAY = 5
CANCEL = "appointment-cancel"
EN_ROUTE_PERCENT = 3.0


@dataclass(frozen=True, slots=True)
class SimulatedFieldForce:
    """Visits on weekdays at 9:00 or 13:00 UTC. Whether somebody is at home is drawn for each day, so that visits come to an end."""

    seed: int
    planned: faults.Faults = faults.NONE_PLANNED

    def submit(self, request: Request) -> Answer:
        """Book a visit, to be asked about again at its time, or call one off (refused with EN-ROUTE when the fitter is on the way)."""
        return faults.on_submit(faults.fault(self.seed, request, self.planned), request) or self._booked(request)

    def query(self, request: Request) -> Answer:
        """Give the outcome of a visit: done under a `reference`, or another visit two days later because nobody was at home."""
        kind = faults.fault(self.seed, request, self.planned)
        if trouble := faults.on_query(kind, self.seed, request):
            return trouble
        if request.step == CANCEL:
            return self._called_off(request)
        if kind == "unknown" and not (is_weekday(request.at) and faults.told_moment(request, self._hour(request) * 60)):
            return self._booked(request)
        if self._draw(request, f"nobody home {request.at.date()}") * 100 < NOBODY_HOME_PERCENT:
            return self._accepted(request, next_visit_day(request.at))
        return Answered({"reference": self._reference(request)})

    def _booked(self, request: Request) -> Answer:
        if request.step == CANCEL:
            return self._called_off(request)
        days = [request.at + timedelta(days=days) for days in range(VISIT_DAYS_MIN, VISIT_DAYS_MAX + 1)]
        weekdays = [day for day in days if is_weekday(day)]
        return self._accepted(request, weekdays[int(self._draw(request, "visit day") * len(weekdays))])

    def _called_off(self, request: Request) -> Answer:
        return RefusedBy("EN-ROUTE") if faults.happens(self.seed, request, "en route", EN_ROUTE_PERCENT) else Answered()

    def _accepted(self, request: Request, day: datetime) -> Answer:
        return Accepted(self._reference(request), faults.midnight(day) + timedelta(hours=self._hour(request)))

    def _hour(self, request: Request) -> int:
        return VISIT_HOURS[int(self._draw(request, "visit hour") * len(VISIT_HOURS))]

    def _reference(self, request: Request) -> str:
        return faults.reference("VIS", self.seed, request)

    def _draw(self, request: Request, what: str) -> float:
        return draw(self.seed, faults.place(request), request.attempt, what)


def is_weekday(day: datetime) -> bool:
    """Whether a day is none of a weekend (Saturday and Sunday)."""
    return day.weekday() < SATURDAY


def next_visit_day(day: datetime) -> datetime:
    """Give the day two days on, or the Monday after where that is a weekend."""
    day += timedelta(days=NEXT_VISIT_DAYS)
    while not is_weekday(day):
        day += timedelta(days=1)
    return day
