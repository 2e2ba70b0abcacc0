"""The partners by the names under which the steps call them: each with its simulator and, where there is one, its real client.

The configuration of a store says which of the two it uses; it is kept in the stream of the partner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from o2c.kernel.partner import Link, Partner
from o2c.partners.access_network import SimulatedAccessNetwork
from o2c.partners.clearing_house import SimulatedClearingHouse
from o2c.partners.courier import SimulatedCourier
from o2c.partners.credit_bureau import CreditBureau, SimulatedCreditBureau
from o2c.partners.faults import FAULT_PERCENTS, NONE_PLANNED, Disturbed, Faults
from o2c.partners.field_force import SimulatedFieldForce
from o2c.partners.identity_agency import SimulatedIdentityAgency
from o2c.partners.network import SimulatedNetwork
from o2c.partners.payment_provider import SimulatedPaymentProvider
from o2c.partners.sim_platform import SimulatedSimPlatform
from o2c.partners.state import PartnerState
from o2c.partners.switching_hub import SimulatedSwitchingHub

if TYPE_CHECKING:
    from o2c.partners.http import Endpoint


Simulating = Callable[[int, Faults], Partner]


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of a partner: a simulator made from a seed and planned faults, and the real one over an endpoint, None where there is
    none."""

    simulated: Simulating
    real: Callable[[Endpoint], Partner] | None = None

    def simulator(self, seed: int, faults: Faults) -> Partner:
        """Give the simulator, behind the faults that are planned for it."""
        simulator = self.simulated(seed, faults)
        return Disturbed(simulator, seed, faults) if faults.planned else simulator


def _faultless(simulated: Callable[[int], Partner]) -> Simulating:
    """Make the simulator of a FAULTLESS partner."""
    return lambda seed, _: simulated(seed)


PARTNERS: Mapping[str, Clients] = {
    "identity-agency": Clients(_faultless(SimulatedIdentityAgency)),
    "credit-bureau": Clients(_faultless(SimulatedCreditBureau), CreditBureau),
    "sim-platform": Clients(SimulatedSimPlatform),
    "network": Clients(SimulatedNetwork),
    "access-network": Clients(SimulatedAccessNetwork),
    "courier": Clients(SimulatedCourier),
    "field-force": Clients(SimulatedFieldForce),
    "clearing-house": Clients(SimulatedClearingHouse),
    "payment-provider": Clients(_faultless(SimulatedPaymentProvider)),
    "switching-hub": Clients(SimulatedSwitchingHub),
}
NOTHING_PLANNED: Mapping[str, Faults] = {}
REAL = frozenset(name for name, clients in PARTNERS.items() if clients.real)
"""The partners that can be reached over the network."""


FAULTLESS = frozenset({"identity-agency", "credit-bureau", "payment-provider"})
"""The partners whose simulators meet no fault but planned ones: they answer from their books."""


def usual_faults(partner: str) -> tuple[tuple[str, float], ...]:
    """Give the faults that a partner's simulator meets while nothing else is planned, each with how many calls in a hundred meet it."""
    return () if partner in FAULTLESS else FAULT_PERCENTS[1:]


def simulated_partners(seed: int, planned: Mapping[str, Faults] = NOTHING_PLANNED) -> Mapping[str, Partner]:
    """Give a simulator of every partner. The same seed, faults and requests get the same answers."""
    return {name: clients.simulator(seed, planned.get(name, NONE_PLANNED)) for name, clients in PARTNERS.items()}


def links(states: Mapping[str, PartnerState], *, seed: int) -> Mapping[str, Link]:
    """Give the link to every partner in a store, by the states of the partners' streams.

    Raises Refused where the environment holds no usable token, or the address is none.
    """
    return {name: _link(name, states[name], seed) for name in PARTNERS}


def _link(name: str, state: PartnerState, seed: int) -> Link:
    clients, linked = PARTNERS[name], state.linked
    if linked is None or clients.real is None:
        return Link(clients.simulator(seed, Faults(state.planned)))
    # Only where it is needed: the library for HTTP costs every command a fifth of a second.
    from o2c.partners.http import Endpoint

    timeout_s = linked.timeout_ms / 1000
    endpoint = Endpoint(linked.url, linked.credential, connect_s=min(timeout_s, 3.0), read_s=timeout_s)
    return Link(clients.real(endpoint), timeout_s, linked.calls_max, endpoint.close)
