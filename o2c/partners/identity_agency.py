"""The identity agency, simulated: passes, refers or fails a customer; minors always fail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from o2c.kernel.chance import pick
from o2c.kernel.partner import Answer, Answered, RefusedBy, Request
from o2c.partners import faults

RESULT_PERCENTS = (("", 96.0), ("REFER", 2.5), ("FAIL", 1.5))
ADULT_YEARS = 18


@dataclass(frozen=True, slots=True)
class SimulatedIdentityAgency:
    """Answers at once. The result depends on the papers alone (kind, name, birth date), so only other papers change it."""

    seed: int

    def submit(self, request: Request) -> Answer:
        """Pass, or refuse with REFER or FAIL; an individual under 18 always fails."""
        kind, name, birth_date = (str(request.body.get(key, "")) for key in ("kind", "name", "birth_date"))
        flaw = birth_date_flaw(birth_date, request.at) if kind == "individual" else ""
        code = flaw or pick(self.seed, faults.place(request), 0, f"identity {kind} {name} {birth_date}", RESULT_PERCENTS)
        return RefusedBy(code) if code else Answered()

    def query(self, request: Request) -> Answer:
        """Give the same result again."""
        return self.submit(request)


def birth_date_flaw(birth_date: str, at: datetime) -> str:
    """Give `FAIL` for a minor on that day (UTC), `REFER` for a birth date that is no ISO 8601 date, else empty.

    A person born on 29 February comes of age on 1 March. Source: the table of imperfect orders (design, section 11): minors always fail.
    """
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return "REFER"
    years = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    return "FAIL" if years < ADULT_YEARS else ""
