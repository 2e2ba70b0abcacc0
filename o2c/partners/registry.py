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
from o2c.partners.events import PartnerLinked
from o2c.partners.field_force import SimulatedFieldForce
from o2c.partners.identity_agency import SimulatedIdentityAgency
from o2c.partners.network import SimulatedNetwork
from o2c.partners.payment_provider import SimulatedPaymentProvider
from o2c.partners.sim_platform import SimulatedSimPlatform
from o2c.partners.state import PartnerState

if TYPE_CHECKING:
    from o2c.partners.http import Endpoint


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of a partner: a simulator made from a seed, and the real one over an endpoint, None where there is none."""

    simulated: Callable[[int], Partner]
    real: Callable[[Endpoint], Partner] | None = None


PARTNERS: Mapping[str, Clients] = {
    "identity-agency": Clients(SimulatedIdentityAgency),
    "credit-bureau": Clients(SimulatedCreditBureau, CreditBureau),
    "sim-platform": Clients(SimulatedSimPlatform),
    "network": Clients(SimulatedNetwork),
    "access-network": Clients(SimulatedAccessNetwork),
    "courier": Clients(SimulatedCourier),
    "field-force": Clients(SimulatedFieldForce),
    "clearing-house": Clients(SimulatedClearingHouse),
    "payment-provider": Clients(SimulatedPaymentProvider),
}
REAL = frozenset(name for name, clients in PARTNERS.items() if clients.real)
"""The partners that can be reached over the network."""


def simulated_partners(seed: int) -> Mapping[str, Partner]:
    """Give a simulator of every partner. The same seed and the same requests get the same answers."""
    return {name: clients.simulated(seed) for name, clients in PARTNERS.items()}


def links(states: Mapping[str, PartnerState], *, seed: int) -> Mapping[str, Link]:
    """Give the link to every partner in a store, by the states of the partners' streams.

    Raises Refused where the environment holds no usable token, or the address is none.
    """
    return {name: _link(name, states[name].linked, seed) for name in PARTNERS}


def _link(name: str, linked: PartnerLinked | None, seed: int) -> Link:
    clients = PARTNERS[name]
    if linked is None or clients.real is None:
        return Link(clients.simulated(seed))
    # Only where it is needed: the library for HTTP costs every command a fifth of a second.
    from o2c.partners.http import Endpoint

    timeout_s = linked.timeout_ms / 1000
    endpoint = Endpoint(linked.url, linked.credential, connect_s=min(timeout_s, 3.0), read_s=timeout_s)
    return Link(clients.real(endpoint), timeout_s, linked.calls_max, endpoint.close)
