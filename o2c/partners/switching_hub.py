"""The hub of One Touch Switch, simulated: carries our messages to the provider that loses the customer, and its answers back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from o2c.kernel.chance import pick
from o2c.kernel.partner import Answer, Answered, RefusedBy, Request
from o2c.partners import faults

MATCH, TRIGGER = "switch-match", "switch-trigger"
KNOWN, NO_MATCH, AMBIGUOUS = "KNOWN", "NO-MATCH", "AMBIGUOUS"
MATCH_PERCENTS = ((KNOWN, 92.0), (NO_MATCH, 5.0), (AMBIGUOUS, 3.0))
"""What a losing provider says of a customer. By the account it tells several services apart; who is not known by a name and address is
known when these are corrected."""
NOT_ORDERED, NOT_ORDERED_PERCENT = "NOT-ORDERED", 1.0
"""How often a losing provider has lost our order when it is told that our service is on, and finds it when it is told again."""


@dataclass(frozen=True, slots=True)
class SimulatedSwitchingHub:
    """A losing provider answers the same question the same way for ever; technical faults, and its silence, come with every message."""

    seed: int
    planned: faults.Faults = faults.NONE_PLANNED

    def submit(self, request: Request) -> Answer:
        """Answer for the losing provider: a match has its `reference`, how it told its customer (`implications_by`) and the `services` that
        end; or is refused with NO-MATCH or AMBIGUOUS. An order is taken, a trigger too, but for NOT-ORDERED."""
        return faults.on_submit(faults.fault(self.seed, request, self.planned), request) or self._losing(request)

    def query(self, request: Request) -> Answer:
        """Give the same answer again, unless a fault lost the message."""
        return faults.on_query(faults.fault(self.seed, request, self.planned), self.seed, request) or self._losing(request)

    def _losing(self, request: Request) -> Answer:
        if request.step == MATCH:
            return self._matched(request)
        if request.step == TRIGGER and request.attempt == 1 and faults.happens(self.seed, request, "not ordered", NOT_ORDERED_PERCENT):
            return RefusedBy(NOT_ORDERED)
        return Answered()

    def _matched(self, request: Request) -> Answer:
        told = {name: request.body.get(name, "") for name in ("losing", "address", "account")}
        found = pick(self.seed, faults.place(request), 0, f"customer {told}", MATCH_PERCENTS)
        if found == NO_MATCH or (found == AMBIGUOUS and not told["account"]):
            return RefusedBy(found)
        reference = str(uuid5(NAMESPACE_URL, f"{self.seed} {faults.place(request)} {request.attempt}"))
        return Answered({"reference": reference, "implications_by": "e-mail", "services": ["broadband"]})
