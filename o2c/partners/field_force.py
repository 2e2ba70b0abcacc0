"""The field force, simulated: sends a fitter on a weekday, or on the day that was chosen, who sometimes finds nobody at home or does not
come, or calls him off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from o2c.kernel.chance import draw
from o2c.kernel.partner import Accepted, Answer, Answered, RefusedBy, Request
from o2c.partners import faults

VISIT_HOURS = (9, 13)
VISIT_DAYS_MIN, VISIT_DAYS_MAX = 3, 8
WINDOW_HOURS = {"morning": 9, "afternoon": 13}
FULL_PERCENT = 10.0
NOBODY_HOME_PERCENT = 2.0
NOT_KEPT_PERCENT = 1.0
SATURDAY = 5
CANCEL = "appointment-cancel"
EN_ROUTE_PERCENT = 3.0


@dataclass(frozen=True, slots=True)
class SimulatedFieldForce:
    """Visits on weekdays at 9:00 or 13:00 UTC. Whether somebody is at home is drawn for each day, so that visits come to an end; whether a
    day is full is drawn for the day, and so is the same for everybody."""

    seed: int
    planned: faults.Faults = faults.NONE_PLANNED

    def submit(self, request: Request) -> Answer:
        """Book a visit, to be asked about again at its time, or call one off (refused with EN-ROUTE when the fitter is on the way).

        A visit on a day that was chosen (`visit_on`, `window`) is for that day, or refused with DAY-FULL, also when its hour is past.
        """
        return faults.on_submit(faults.fault(self.seed, request, self.planned), request) or self._booked(request)

    def query(self, request: Request) -> Answer:
        """Give the outcome of a visit: done under a `reference`, or refused with NOBODY-HOME, or with NOT-KEPT where no fitter came."""
        kind = faults.fault(self.seed, request, self.planned)
        if trouble := faults.on_query(kind, self.seed, request):
            return trouble
        if request.step == CANCEL:
            return self._called_off(request)
        if kind == "unknown" and not (is_weekday(request.at) and faults.told_moment(request, self._hour(request) * 60)):
            return self._booked(request)
        if self._draw(request, f"nobody home {request.at.date()}") * 100 < NOBODY_HOME_PERCENT:
            return RefusedBy("NOBODY-HOME")
        if self._draw(request, f"not kept {request.at.date()}") * 100 < NOT_KEPT_PERCENT:
            return RefusedBy("NOT-KEPT")
        return Answered({"reference": self._reference(request)})

    def _booked(self, request: Request) -> Answer:
        if request.step == CANCEL:
            return self._called_off(request)
        if chosen := request.body.get("visit_on"):
            answer = self._accepted(request, datetime.fromisoformat(chosen).replace(tzinfo=UTC))
            full = answer.ask_again_at <= request.at or draw(self.seed, str(chosen), 0, "full") * 100 < FULL_PERCENT
            return RefusedBy("DAY-FULL") if full else answer
        days = [request.at + timedelta(days=days) for days in range(VISIT_DAYS_MIN, VISIT_DAYS_MAX + 1)]
        weekdays = [day for day in days if is_weekday(day)]
        return self._accepted(request, weekdays[int(self._draw(request, "visit day") * len(weekdays))])

    def _called_off(self, request: Request) -> Answer:
        return RefusedBy("EN-ROUTE") if faults.happens(self.seed, request, "en route", EN_ROUTE_PERCENT) else Answered()

    def _accepted(self, request: Request, day: datetime) -> Accepted:
        return Accepted(self._reference(request), faults.midnight(day) + timedelta(hours=self._hour(request)))

    def _hour(self, request: Request) -> int:
        if hour := WINDOW_HOURS.get(str(request.body.get("window", ""))):
            return hour
        return VISIT_HOURS[int(self._draw(request, "visit hour") * len(VISIT_HOURS))]

    def _reference(self, request: Request) -> str:
        return faults.reference("VIS", self.seed, request)

    def _draw(self, request: Request, what: str) -> float:
        return draw(self.seed, faults.place(request), request.attempt, what)


def is_weekday(day: datetime) -> bool:
    """Whether a day is none of a weekend (Saturday and Sunday)."""
    return day.weekday() < SATURDAY
