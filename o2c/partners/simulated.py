"""All simulated partners by the names the steps call them."""

from __future__ import annotations

from collections.abc import Mapping

from o2c.kernel.partner import Partner
from o2c.partners.access_network import SimulatedAccessNetwork
from o2c.partners.clearing_house import SimulatedClearingHouse
from o2c.partners.courier import SimulatedCourier
from o2c.partners.credit_bureau import SimulatedCreditBureau
from o2c.partners.field_force import SimulatedFieldForce
from o2c.partners.identity_agency import SimulatedIdentityAgency
from o2c.partners.network import SimulatedNetwork
from o2c.partners.payment_provider import SimulatedPaymentProvider
from o2c.partners.sim_platform import SimulatedSimPlatform


def simulated_partners(seed: int) -> Mapping[str, Partner]:
    """The world outside under a seed: the same seed and requests, the same answers."""
    return {
        "identity-agency": SimulatedIdentityAgency(seed),
        "credit-bureau": SimulatedCreditBureau(seed),
        "sim-platform": SimulatedSimPlatform(seed),
        "network": SimulatedNetwork(seed),
        "access-network": SimulatedAccessNetwork(seed),
        "courier": SimulatedCourier(seed),
        "field-force": SimulatedFieldForce(seed),
        "clearing-house": SimulatedClearingHouse(seed),
        "payment-provider": SimulatedPaymentProvider(seed),
    }
