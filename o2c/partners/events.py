"""Events of the link to a partner: the operator reaches a real one, or goes back to its simulator."""

from __future__ import annotations

from o2c.kernel.event import Event


class PartnerLinked(Event, name="partner.linked", stream="partner"):
    """The partner is reached over the network at `url`. `credential` names the environment variable that holds the token, never the token."""

    example = {
        "partner": "credit-bureau", "url": "https://bureau.example.org/v1", "credential": "BUREAU_TOKEN", "timeout_ms": 10000,
        "calls_max": 8,
    }  # fmt: skip
    partner: str
    url: str
    credential: str
    timeout_ms: int
    calls_max: int


class PartnerSimulated(Event, name="partner.simulated", stream="partner"):
    """The partner is simulated again, with all its faults."""

    example = {"partner": "credit-bureau"}
    partner: str
