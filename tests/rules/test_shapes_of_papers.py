"""Orders as programs send them: POST bodies of TMF622 v4, papers of v5 and of its drafts, bundles told by relations, parties without a role."""

import json
from datetime import timedelta
from typing import Any

import pytest

from o2c.fallout.codes import packaged
from o2c.kernel.periods import stamp
from o2c.orders.document import Unreadable, read
from o2c.orders.receiving import Arrival, receive
from o2c.orders.step import KIND
from o2c.orders.wish import Wish
from tests.given import MARKET, MONDAY, Document, captured, flaw_of, item, paper, wish

NOW = MONDAY + timedelta(hours=3)


def posted(document: Document, **how: Any) -> Wish:
    """A paper read when it is received at NOW."""
    return read(json.dumps(document).encode(), now=NOW, **how)


def without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def item_v5(name: str, sold: str, *relations: tuple[str, str], **wanted: str) -> Document:
    """An item as v5 has it: a type on every object, and a number that its program writes as a float."""
    return {
        "@type": "ProductOrderItem",
        "id": name,
        "quantity": 1.0,
        "action": "add",
        "productOffering": {"@type": "ProductOfferingRef", "id": sold, "name": sold.title()},
        "productOrderItemRelationship": [
            {"@type": "OrderItemRelationship", "relationshipType": kind, "id": other} for kind, other in relations
        ],
        "product": {
            "@type": "Product",
            "isBundle": False,
            "productCharacteristic": [
                {"@type": "StringCharacteristic", "id": key, "name": key, "value": value, "valueType": "string"}
                for key, value in wanted.items()
            ],
        },
    }  # fmt: skip


def paper_v5(*items: Document, **changes: Any) -> Document:
    """A creation of TMF622 v5."""
    return {
        "@type": "ProductOrder",
        "category": "consumer",
        "priority": 1.0,
        "externalIdentifier": [{"@type": "ExternalIdentifier", "owner": "shop", "externalIdentifierType": "basket", "id": "B-77"}],
        "channel": [{"@type": "RelatedChannel", "role": "sales", "channel": {"@type": "ChannelRef", "id": "app", "name": "The app"}}],
        "relatedParty": [
            _party("Seller", "S-1", "PartyRef", "Individual"),
            _party("Customer", "C-1001", "PartyRoleRef", "Customer"),
        ],
        "requestedStartDate": "2026-02-01T00:00:00Z",
        "productOrderItem": list(items),
        **changes,
    }


def _party(role: str, key: str, kind: str, referred: str) -> Document:
    inner = {"@type": kind, "@referredType": referred, "id": key, "name": "Invented"}
    return {"@type": "RelatedPartyRefOrPartyRoleRef", **({"role": role} if role else {}), "partyOrPartyRole": inner}


MOBILE = {"simType": "esim", "commitmentMonths": "12"}


def test_a_paper_of_v5_is_read_as_one_of_v4() -> None:
    """Identifier with its owner, channel and party in their wrappings, numbers as floats, wished times: nothing of it is lost."""
    order = posted(paper_v5(item_v5("1", "line", **MOBILE)))

    assert (order.owner, order.external_id, order.channel, order.party, order.priority) == ("shop", "B-77", "app", "C-1001", 1)
    assert (order.requested_start, order.order_date, order.dated_by_us) == ("2026-02-01T00:00:00Z", NOW, True)
    [line] = order.lines
    assert (line.item, line.action, line.quantity, line.offering, line.characteristics) == ("1", "add", "1", "line", MOBILE)


def test_a_post_body_has_neither_date_nor_id() -> None:
    """The server gives both: it was received now, and its id is the same whenever the same paper comes."""
    body = without(paper(item()), "orderDate", "externalId")
    order, again, other = posted(body), read(json.dumps(body).encode(), now=NOW + timedelta(days=1)), posted({**body, "priority": "1"})

    assert (order.order_date, order.dated_by_us, order.named_by_us) == (NOW, True, True)
    assert order.external_id == again.external_id != other.external_id
    assert order.external_id.startswith("O2C-")
    assert posted({**body, "orderDate": "2026-01-05T10:00:00Z"}).external_id != order.external_id, "of another day is another order"
    assert posted({**body, "relatedParty": [{"id": "C-2", "role": "customer"}]}).external_id != order.external_id


def test_the_event_says_what_we_gave_a_paper() -> None:
    """Whose date and whose id they are stands in the log for good."""
    for document, given in ((without(paper(item()), "orderDate", "externalId"), True), (paper(item()), False)):
        came = Arrival("i", 1, 1, MARKET.pin, NOW)
        _, decision = receive(KIND.initial("order-1"), posted(document), came, original=None, codes=packaged().newest)
        event: Any = decision.events[0]
        assert (event.dated_by_us, event.named_by_us) == (given, given)
        assert event.order_date == stamp(NOW if given else MONDAY)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"orderDate": None}, "orderDate is missing", id="absent"),
        pytest.param({"orderDate": "5 January"}, "orderDate is no time with a zone", id="malformed"),
    ],
)
def test_absent_and_malformed_are_two_messages(changes: Document, why: str) -> None:
    """Where nobody says when a paper came, its date must be there; a date that is none is refused in any case."""
    with pytest.raises(Unreadable, match=why):
        read(json.dumps(paper(item(), **changes)).encode())


@pytest.mark.parametrize(
    ("changes", "owner", "external_id"),
    [
        pytest.param({}, "C-1001", "WEB-1001", id="v4-text-is-the-customers"),
        pytest.param({"relatedParty": []}, "web", "WEB-1001", id="v4-without-customer-is-the-channels"),
        pytest.param({"externalId": None, "id": "TMF-7"}, "C-1001", "TMF-7", id="its-own-id"),
        pytest.param({"externalId": [{"owner": "shop", "id": "7"}]}, "shop", "7", id="draft-of-v5"),
        pytest.param({"externalId": [{"id": "6"}, {"owner": "shop", "id": "7"}]}, "shop", "7", id="the-first-with-an-owner"),
        pytest.param({"externalId": [{"id": "6"}, {"id": "7"}]}, "C-1001", "6", id="no-owner-said"),
        pytest.param({"externalId": [{"owner": "shop", "id": 7.0}]}, "shop", "7", id="a-number-as-a-float"),
        pytest.param({"externalId": "X", "externalIdentifier": [{"owner": "shop", "id": "7"}]}, "shop", "7", id="v5-before-v4"),
    ],
)
def test_the_owner_of_an_id(changes: Document, owner: str, external_id: str) -> None:
    """v5 says it, v4 means the customer, and where nobody is named the channel numbers its orders."""
    order = wish(item(), **changes)
    assert (order.owner, order.external_id) == (owner, external_id)


@pytest.mark.parametrize(
    ("parties", "party"),
    [
        pytest.param([{"id": "C-1", "@referredType": "Customer"}], "C-1", id="one-of-type-customer"),
        pytest.param([{"id": "C-1", "@type": "individual"}], "C-1", id="one-individual"),
        pytest.param([{"id": "C-1", "@referredType": "Organization"}, {"id": "S-1", "role": "seller", "@referredType": "Individual"}], "C-1",
                     id="the-seller-has-a-role"),
        pytest.param([{"id": "C-1", "@referredType": "Customer"}, {"id": "C-2", "role": "customer"}], "C-2", id="the-role-is-stronger"),
        pytest.param([{"id": "C-1", "@referredType": "Customer"}, {"id": "C-2", "@referredType": "Individual"}], "", id="several"),
        pytest.param([{"id": "C-1", "@referredType": "PartnershipSpecification"}], "", id="a-type-that-pays-nothing"),
        pytest.param([{"id": "C-1"}], "", id="nothing-said"),
        pytest.param([_party("", "C-1", "PartyRoleRef", "Customer")], "C-1", id="v5-without-role"),
    ],
)  # fmt: skip
def test_who_the_customer_is(parties: list[Document], party: str) -> None:
    """TMF622 v4 asks for id and type of a party, not for its role: a single one that can be the customer is; of several nobody guesses."""
    assert wish(item(), relatedParty=parties).party == party
    if not party:
        assert flaw_of(captured(item(), relatedParty=parties)) == "DQ-PARTY: no related party has the role customer"


def related(name: str, sold: str, *relations: tuple[str, str]) -> Document:
    return item(name, sold, productOrderItemRelationship=[{"id": other, "relationshipType": kind} for kind, other in relations])


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([related("1", "office", ("bundles", "2"), ("bundles", "3")), item("2"), item("3", "fibre")], id="bundles"),
        pytest.param([related("1", "office", ("HasChild", "2"), ("hasChild", "3")), item("2"), item("3", "fibre")], id="has-child"),
        pytest.param([item("1", "office"), related("2", "line", ("HasParent", "1")), related("3", "fibre", ("bundledBy", "1"))], id="has-parent"),
        pytest.param([related("1", "office", ("bundles", "2"), ("bundles", "3")), related("2", "line", ("hasparent", "1")), item("3", "fibre")],
                     id="told-from-both-ends"),
    ],
)  # fmt: skip
def test_a_bundle_told_by_relations_equals_a_nested_one(items: list[Document]) -> None:
    """Whichever end names the other, in whatever case."""
    nested = wish(item("1", "office", productOrderItem=[item("2"), item("3", "fibre")])).lines
    assert [(line.item, line.parent, line.relies_on) for line in wish(*items).lines] == [(x.item, x.parent, x.relies_on) for x in nested]
    assert flaw_of(captured(*items)) == ""


@pytest.mark.parametrize(
    ("items", "why"),
    [
        pytest.param([related("1", "office", ("bundles", "2"), ("bundles", "9")), item("2")], "DQ-ITEM: item 1 relies on 9", id="a-child-that-is-not-there"),
        pytest.param([item("1", "office"), related("2", "line", ("hasParent", "9"))], "DQ-ITEM: item 2 relies on 9", id="a-parent-that-is-not-there"),
        pytest.param([related("1", "office", ("bundles", "3")), related("2", "office", ("bundles", "3")), item("3")],
                     "DQ-OFFER: item 1 is a bundle without children", id="a-child-of-two"),
        pytest.param([related("1", "office", ("bundles", "2")), related("2", "office", ("bundles", "1")), item("3")], "DQ-ITEM: reliesOn of item 1",
                     id="bundles-in-a-circle"),
        pytest.param([related("1", "office", ("bundles", "1")), item("3")], "DQ-ITEM: reliesOn of item 1", id="a-bundle-of-itself"),
    ],
)  # fmt: skip
def test_a_bundle_that_cannot_be_is_judged(items: list[Document], why: str) -> None:
    """No relation to a bundle is dropped without a word."""
    assert flaw_of(captured(*items)).startswith(why)


def test_relations_are_known_in_any_case() -> None:
    """`RELIESON` is `reliesOn`."""
    assert [line.relies_on for line in wish(item("1"), related("2", "roaming", ("RELIESON", "1"))).lines] == [(), ("1",)]


def test_a_channel_may_give_only_its_name() -> None:
    """A channel without an id is known by its name; the service's own counts where the paper has none."""
    assert posted(paper(item(), channel=[{"name": "The app"}])).channel == "The app"
    assert posted(paper(item(), channel=[]), channel="desk").channel == "desk"
