"""Who was told of a promise while it stood: the customer, by the first message or contact, or only the channel that sent the order."""

from datetime import UTC, datetime
from typing import Any

import pytest

from o2c.views.promised import told_of


def day(number: int) -> datetime:
    return datetime(2026, 1, number, 9, tzinfo=UTC)


CALL = {"contacted_at": day(8), "medium": "call"}
MAIL = {"sent_at": day(7), "medium": "email"}


@pytest.mark.parametrize(
    ("until", "spoken", "message", "audience", "channel", "at"),
    [
        pytest.param(None, [], None, "channel", "web", day(6), id="nobody told the customer"),
        pytest.param(None, [CALL], None, "customer", "call", day(8), id="on the telephone"),
        pytest.param(None, [], MAIL, "customer", "email", day(7), id="by a message that names the day"),
        pytest.param(None, [CALL], MAIL, "customer", "email", day(7), id="by whichever came first"),
        pytest.param(day(7), [CALL], MAIL, "channel", "web", day(6), id="when it stood no more"),
        pytest.param(
            None, [{**CALL, "contacted_at": day(5)}], {**MAIL, "sent_at": day(5)}, "channel", "web", day(6), id="before it was made"
        ),
    ],
)
def test_who_was_told(
    until: datetime | None, spoken: list[Any], message: dict[str, Any] | None, audience: str, channel: str, at: datetime
) -> None:
    """Of a promise that was made on the 6th to an order from the web."""
    told = told_of({"made_at": day(6), "until": until}, spoken, "web", message)
    assert (told["audience"], told["channel"], told["told_at"]) == (audience, channel, at)
