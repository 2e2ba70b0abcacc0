"""The credit bureau, simulated: approves, approves up to a limit, wants a deposit, refers or declines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from o2c.kernel.chance import pick
from o2c.kernel.partner import Answer, Answered, RefusedBy, Request
from o2c.partners import faults

RESULT_PERCENTS = (("", 88.0), ("LIMIT", 4.0), ("DEPOSIT", 3.0), ("REFER", 3.0), ("DECLINE", 2.0))
LIMIT_STEP_MINOR = 1_000
DEPOSIT_STEP_MINOR = 1_000
DEPOSIT_PERCENT_MIN, DEPOSIT_PERCENT_MAX = 20, 50


@dataclass(frozen=True, slots=True)
class SimulatedCreditBureau:
    """Answers at once. The result hangs on the customer and the commitment asked for: only another party or order can change it."""

    seed: int

    def submit(self, request: Request) -> Answer:
        customer, commitment = request.body.get("customer", ""), request.body.get("commitment_minor", 0)
        code = pick(self.seed, faults.place(request), 0, f"credit {customer} {commitment}", RESULT_PERCENTS)
        if code == "LIMIT":
            return Answered({"limit_minor": self._limit_minor(request, int(commitment))})
        if code == "DEPOSIT":
            return RefusedBy(code, self._deposit(request, int(commitment)))
        return RefusedBy(code) if code else Answered()

    def query(self, request: Request) -> Answer:
        return self.submit(request)

    def _limit_minor(self, request: Request, commitment_minor: int) -> int:
        """From what was asked for to three times as much, in whole steps and never nothing."""
        percent = 100 + faults.whole(self.seed, request, "limit", 201)
        return _in_steps(commitment_minor * percent, LIMIT_STEP_MINOR)

    def _deposit(self, request: Request, commitment_minor: int) -> dict[str, Any]:
        """A fifth to a half of what was asked for, in whole steps and never nothing."""
        percent = DEPOSIT_PERCENT_MIN + faults.whole(self.seed, request, "deposit", DEPOSIT_PERCENT_MAX - DEPOSIT_PERCENT_MIN + 1)
        amount_minor = _in_steps(commitment_minor * percent, DEPOSIT_STEP_MINOR)
        return {"deposit_minor": amount_minor, "currency": request.body.get("currency", "GBP")}


def _in_steps(hundredths: int, step_minor: int) -> int:
    """Hundredths of a minor unit rounded up to whole steps, at least one."""
    return max(-(-hundredths // (100 * step_minor)), 1) * step_minor
