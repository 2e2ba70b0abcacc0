"""Events of the catalogue. The version of its stream is the catalogue version that orders pin."""

from __future__ import annotations

from o2c.kernel.event import Event


class OfferingPublished(Event, name="catalogue.offering-published", stream="catalogue"):
    """An offering in force from `valid_from` (exclusive end `valid_to`, empty: open). Prices are net of tax, in minor units; it is sold
    in one market."""

    example = {
        "offering": "mobile-line", "version": "1.0", "specification": "spec-mobile", "status": "Active", "bundle": False,
        "valid_from": "2026-01-01T00:00:00Z", "market": "GB", "currency": "GBP", "recurring_minor": 1999, "one_time_minor": 1000,
        "characteristics": {"simType": ["esim", "physical"]},
    }  # fmt: skip
    offering: str
    version: str
    specification: str
    status: str
    bundle: bool
    valid_from: str
    valid_to: str = ""
    market: str
    currency: str
    recurring_minor: int
    one_time_minor: int
    characteristics: dict[str, tuple[str, ...]] = {}
