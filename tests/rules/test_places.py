"""The place of an item: the one it is brought to, whatever stands first, and as text however it is written."""

from typing import Any

import pytest

from o2c.markets.addresses import address_flaw
from o2c.markets.gb import GB
from o2c.orders.places import place_of
from tests.given import ADDRESS, item, wish

BILLING = {"role": "billing address", "name": "9 Bank Street, Elsewhere, ZX9 9ZZ"}
STRUCTURED = {
    "@type": "GeographicAddress",
    "streetNr": "1",
    "streetName": "Example Road",
    "city": "Testford",
    "postcode": "ZX1 1AA",
    "country": "GB",
}
LINE = "1 Example Road, Testford, ZX1 1AA, GB"


@pytest.mark.parametrize(
    ("places", "text"),
    [
        pytest.param([], "", id="none"),
        pytest.param([{"name": ADDRESS}], ADDRESS, id="without-a-role"),
        pytest.param([BILLING, {"role": "delivery address", "name": ADDRESS}], ADDRESS, id="billing-first"),
        pytest.param([BILLING, {"role": "deliveryAddress", "name": ADDRESS}], ADDRESS, id="one-word"),
        pytest.param([BILLING, {"role": "Ship-To", "name": ADDRESS}], ADDRESS, id="ship-to"),
        pytest.param([BILLING, {"name": ADDRESS}], ADDRESS, id="no-role-before-billing"),
        pytest.param([{"role": "delivery", "name": "2 Other Road"}, {"role": "installation", "name": ADDRESS}], ADDRESS, id="installed-at"),
        pytest.param([BILLING], "", id="billing-only"),
        pytest.param([BILLING, {"role": "address", "name": ADDRESS}], ADDRESS, id="a-role-of-its-own"),
        pytest.param([{"role": "delivery", **STRUCTURED}], LINE, id="structured"),
        pytest.param([{"role": "delivery", "place": STRUCTURED}], LINE, id="wrapped-as-in-v5"),
        pytest.param([{"role": "delivery", "name": "home", **STRUCTURED}], LINE, id="a-name-beside-the-parts"),
        pytest.param(
            [{**STRUCTURED, "geographicSubAddress": [{"subUnitType": "Flat", "subUnitNumber": "3"}]}], f"Flat 3, {LINE}", id="with-a-flat"
        ),
        pytest.param([{**STRUCTURED, "streetNr": 1, "streetNrSuffix": None}], LINE, id="a-number-as-number"),
        pytest.param([{"role": 7, "name": None, "place": "here"}], "", id="garbled"),
    ],
)
def test_the_place_of_an_item(places: list[dict[str, Any]], text: str) -> None:
    """Roles decide, not the order of the list; the parts of an address make one line of it."""
    assert place_of(places) == text


def test_a_parcel_never_goes_to_the_billing_address() -> None:
    """The line of an order with two places has the delivery address."""
    sent = item()
    sent["product"]["place"] = [BILLING, {"role": "delivery address", "name": ADDRESS}]
    assert [line.place for line in wish(sent).lines] == [ADDRESS]


def test_a_structured_address_can_be_delivered_to() -> None:
    """What is put together from the parts of an address is complete by the market's rules."""
    assert address_flaw(GB.addresses, place_of([STRUCTURED])) == ""
