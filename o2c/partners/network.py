"""The network's provisioning, simulated: switches services on."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.kernel.partner import Answer, Answered, Request
from o2c.partners import faults


@dataclass(frozen=True, slots=True)
class SimulatedNetwork:
    """Switches a service on at once, or fails technically."""

    seed: int
    planned: faults.Faults = faults.NONE_PLANNED

    def submit(self, request: Request) -> Answer:
        """Switch the service on, or give a technical fault."""
        return faults.on_submit(faults.fault(self.seed, request, self.planned), request) or Answered()

    def query(self, request: Request) -> Answer:
        """Say that the service is on, unless a fault lost the request."""
        return faults.on_query(faults.fault(self.seed, request, self.planned), self.seed, request) or Answered()
