"""The access network's operator, simulated: finds the line that serves an address."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.kernel.partner import Answer, Answered, Request
from o2c.partners import faults

LINES = 10**10


@dataclass(frozen=True, slots=True)
class SimulatedAccessNetwork:
    """Serves every address, on a line of its own."""

    seed: int
    planned: faults.Faults = faults.NONE_PLANNED

    def submit(self, request: Request) -> Answer:
        """Give the line that serves the address (`line_id`), or a technical fault."""
        return faults.on_submit(faults.fault(self.seed, request, self.planned), request) or self._found(request)

    def query(self, request: Request) -> Answer:
        """Give the same line again, unless a fault lost the request."""
        return faults.on_query(faults.fault(self.seed, request, self.planned), self.seed, request) or self._found(request)

    def _found(self, request: Request) -> Answer:
        line = faults.whole(self.seed, request, f"line {request.body.get('address', '')}", LINES)
        return Answered({"line_id": f"LINE-{line:010d}"})
