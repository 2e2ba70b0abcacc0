"""Contacts with customers: what is noted down, and what is not."""

from typing import Any

import pytest

from o2c.customers.rules import MEDIA, TOPICS, contact
from o2c.customers.state import CustomerState
from o2c.customers.state import evolve as customer_after
from o2c.kernel.refusal import Refused
from tests.given import CUSTOMER

CALL: dict[str, Any] = {"medium": "call", "topic": "where-is-my-order", "direction": "inbound", "order": "", "note": "asked for Tuesday"}


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("topic", TOPICS)
def test_every_medium_and_topic_is_noted_down(medium: str, topic: str) -> None:
    """One event says who spoke, how and about what."""
    [event] = contact(CUSTOMER, **{**CALL, "medium": medium, "topic": topic})

    assert (event.customer, event.medium, event.topic, event.direction) == ("C-1001", medium, topic, "inbound")


def test_a_contact_is_an_occurrence() -> None:
    """The same call twice is two calls; the customer stays as it was, however many there are."""
    [event] = contact(CUSTOMER, **CALL)

    assert contact(customer_after(CUSTOMER, event), **CALL) == [event]
    assert customer_after(CUSTOMER, event) == CUSTOMER


@pytest.mark.parametrize(
    ("state", "changes", "kind", "says"),
    [
        pytest.param(CustomerState(), {}, "missing", "registered customers only", id="nobody"),
        pytest.param(CUSTOMER, {"medium": "pigeon"}, "usage", "use one of call, mail", id="a medium there is not"),
        pytest.param(CUSTOMER, {"topic": "weather"}, "usage", "use one of where-is-my-order", id="a topic there is not"),
    ],
)
def test_what_is_no_contact_is_refused(state: CustomerState, changes: dict[str, str], kind: str, says: str) -> None:
    """The refusal says what to do, and nothing of the note."""
    with pytest.raises(Refused, match=says) as caught:
        contact(state, **{**CALL, **changes})

    assert caught.value.kind == kind
    assert "Tuesday" not in str(caught.value)
