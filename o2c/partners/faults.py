"""The base of all simulated partners: draws by request, technical faults, and the fault suffixes of the operator's own resources.

No simulator remembers anything: every answer is a function of the seed and the request, so the same request gets the same answer in any
process. Business outcomes are drawn from the place (stream, item, step) and from the values that a person can correct, never from the
attempt: a retry alone turns no refusal into a yes, a correction may. Technical faults are drawn for each attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from o2c.kernel.chance import draw, pick
from o2c.kernel.partner import Answer, Failed, NeverHeard, Partner, RefusedBy, Request, Unknown
from o2c.partners.events import FaultKind, PlannedFault

Fault = FaultKind

FAULT_PERCENTS: tuple[tuple[Fault, float], ...] = (("none", 0.0), ("transient", 1.5), ("permanent", 0.3), ("unknown", 0.5))
"""How often each fault comes in a store that plans nothing else, at the partners that do technical work."""
SILENT_PERCENT = 50.0
"""How many of the calls that meet an outage get no answer at all; the others get no connection."""
HEARD_PERCENT = 50.0
ASK_AGAIN_MINUTES = 5
OUTAGE_ATTEMPTS = 2
MARKED_NAMES = ("iccid", "imei", "msisdn")
LATENESS_HOURS = 1
"""How long after its time of day a moment still counts as the one that the partner named."""

_ANSWERS: dict[Fault, Answer] = {
    "transient": Failed("UNAVAILABLE"),
    "refused": RefusedBy("REFUSED"),
    "permanent": Failed("PERMANENT"),
}


def place(request: Request) -> str:
    """Give the place of a request, the same for all its attempts: `stream/item/step`."""
    return f"{request.stream}/{request.item}/{request.step}"


def chance(seed: int, request: Request, what: str) -> float:
    """Draw a number in [0, 1) that no retry changes."""
    return draw(seed, place(request), 0, what)


def whole(seed: int, request: Request, what: str, below: int) -> int:
    """Draw a whole number from 0 up to but not including `below` that no retry changes."""
    return int(chance(seed, request, what) * below)


def happens(seed: int, request: Request, what: str, percent: float) -> bool:
    """Whether something comes true for this request, with a chance in percent that no retry changes."""
    return chance(seed, request, what) * 100 < percent


def reference(prefix: str, seed: int, request: Request) -> str:
    """Give the partner's own reference of one attempt: the prefix and six digits."""
    return f"{prefix}-{int(draw(seed, place(request), request.attempt, 'reference') * 1_000_000):06d}"


def marked(request: Request) -> Fault | None:
    """Give the fault that an ICCID or MSISDN asks for by its last three digits; None for one without a mark.

    999 is never available, 998 always refused, 997 unavailable twice and then without any fault. Where two marks meet, the outage comes
    first: a partner that is not there refuses nothing.
    """
    endings = {str(request.body.get(name, ""))[-3:] for name in MARKED_NAMES}
    if "999" in endings or ("997" in endings and request.attempt <= OUTAGE_ATTEMPTS):
        return "transient"
    if "998" in endings:
        return "refused"
    return "none" if "997" in endings else None


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults that a store plans for a partner. While one holds, it stands in place of the usual rate of its kind."""

    planned: tuple[PlannedFault, ...] = ()

    def usual(self, at: datetime) -> tuple[tuple[Fault, float], ...]:
        """Give the usual rates of the kinds for which nothing is planned at a time."""
        if not self.planned:
            return FAULT_PERCENTS
        named = {fault.kind for fault in self.planned if fault.holds(at)}
        return tuple((kind, percent) for kind, percent in FAULT_PERCENTS if kind not in named)

    def rates(self, at: datetime) -> dict[Fault, float]:
        """Give the rate of each kind that is planned for a time; of two rows of one kind the later one counts."""
        return {fault.kind: float(fault.percent) for fault in self.planned if fault.holds(at)}


NONE_PLANNED = Faults()


def fault(seed: int, request: Request, faults: Faults) -> Fault:
    """Give the technical fault of this attempt: by the marks of the resource, else drawn at the usual rates."""
    mark = marked(request)
    return pick(seed, place(request), request.attempt, "fault", faults.usual(request.at)) if mark is None else mark


@dataclass(frozen=True, slots=True)
class Disturbed:
    """A simulator at which the faults that its store plans come first, whatever the step."""

    simulator: Partner
    seed: int
    faults: Faults

    def submit(self, request: Request) -> Answer:
        """Give the planned fault of this call, else the simulator's answer."""
        rates = self.faults.rates(request.at)
        return self._nobody(request, rates) or on_submit(self._drawn(request, rates), request) or self.simulator.submit(request)

    def query(self, request: Request) -> Answer:
        """Give the planned fault of this call, else the simulator's answer: a request that met silence counts as taken."""
        rates = self.faults.rates(request.at)
        return self._nobody(request, rates) or on_query(self._drawn(request, rates), self.seed, request) or self.simulator.query(request)

    def _drawn(self, request: Request, rates: dict[Fault, float]) -> Fault:
        """The fault of this attempt; whether the line is bad is drawn by the moment, for a call that is made again meets another one."""
        lasting: list[tuple[Fault, float]] = [
            ("none", 0.0),
            *((kind, rates[kind]) for kind in rates if kind not in ("outage", "transient")),
        ]
        kind = pick(self.seed, place(request), request.attempt, "planned fault", lasting)
        if kind != "none" or not rates.get("transient"):
            return kind
        moment, left = f"{place(request)} {request.at.isoformat()}", 100 - sum(percent for _, percent in lasting)
        return "transient" if draw(self.seed, moment, request.attempt, "planned bad line") * left < rates["transient"] else "none"

    def _nobody(self, request: Request, rates: dict[Fault, float]) -> Answer | None:
        """Nobody answers: silence, or no connection. Drawn by the moment too, for an outage ends for a call that is made again."""
        percent = rates.get("outage", 0.0)
        if not percent or draw(self.seed, f"{place(request)} {request.at.isoformat()}", request.attempt, "outage") * 100 >= percent:
            return None
        silent = draw(self.seed, place(request), request.attempt, "silent outage") * 100 < SILENT_PERCENT
        return on_submit("unknown" if silent else "transient", request)


def on_submit(kind: Fault, request: Request) -> Answer | None:
    """Give the answer of a fault to a submit; None when it does not stand in the way."""
    return Unknown(request.at + timedelta(minutes=ASK_AGAIN_MINUTES)) if kind == "unknown" else _ANSWERS.get(kind)


def on_query(kind: Fault, seed: int, request: Request) -> Answer | None:
    """Give the answer of a fault to a query; None when the work was done or is under way.

    A partner that stayed silent had lost the request in half of the cases (NeverHeard). A line that was bad for the attempt is bad for half
    of the queries, drawn by the moment: else nobody would ever hear what came of a request that met an outage first.
    """
    if (
        kind == "transient"
        and marked(request) is None
        and draw(seed, f"{place(request)} {request.at.isoformat()}", request.attempt, "bad line") >= 0.5
    ):
        return None
    if kind == "unknown":
        return None if heard(seed, request) else NeverHeard()
    return _ANSWERS.get(kind)


def heard(seed: int, request: Request) -> bool:
    """Whether a partner that stayed silent had taken the request nevertheless."""
    return draw(seed, place(request), request.attempt, "heard") * 100 < HEARD_PERCENT


def told_moment(request: Request, minute_of_day: int) -> bool:
    """Whether a query comes at the time of day (UTC) that the partner named for it, or within an hour after.

    A silent partner is queried twice for work that takes time: soon after the silence, and at the moment that it then names. Without memory
    only the time of day tells the two apart.
    """
    since_midnight = request.at - midnight(request.at)
    return timedelta() <= since_midnight - timedelta(minutes=minute_of_day) < timedelta(hours=LATENESS_HOURS)


def midnight(at: datetime) -> datetime:
    """Give the start of a day in UTC."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
