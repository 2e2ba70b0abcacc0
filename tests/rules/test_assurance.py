"""Order-to-bill assurance: each rule finds its planted leak, and nothing in the same story without it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from o2c.checks.assurance import ASSURANCE_RULES, UNBILLED_DAYS, assurance_rules_listed, compared
from o2c.checks.assurance_rules import Leak
from o2c.kernel.event import types_by_name
from tests.histories import Told, seen
from tests.leaks import LEAKS, SOUND, Leaking, told

TODAY = "2026-02-20"


def found(history: Sequence[Told], *, today: str = TODAY, days: int = UNBILLED_DAYS, shares: int = 1) -> list[Leak]:
    """What assurance says of a history."""
    records = seen(history)
    return compared(lambda: records, today, days, shares=shares)


@pytest.mark.parametrize("leak", [pytest.param(leak, id=leak.name) for leak in LEAKS])
def test_a_planted_leak_is_found_and_nothing_beside_it(leak: Leaking) -> None:
    """Given a sound order and the same with one thing wrong, only the latter leaks, by the rule meant, with events of it on the sides that there are."""
    assert found(leak.control) == []
    [row] = found(leak.history)

    assert (row.rule, row.amount_minor, row.currency, row.item) == (leak.rule, leak.amount_minor, "GBP", leak.item)
    ids = {record.event_id for record in seen(leak.history)}
    assert {*row.events_a, *row.events_b} <= ids
    assert row.events_a or row.events_b
    assert set(row.row()) == {"rule", "order", "item", "account", "amount_minor", "currency", "since", "events_a", "events_b"}


def test_every_rule_has_a_planted_leak() -> None:
    """At least twelve leaks are planted, and every rule finds one of them."""
    assert len(LEAKS) >= 12
    assert {leak.rule for leak in LEAKS} == set(ASSURANCE_RULES)
    listed = assurance_rules_listed()
    assert [row["rule"] for row in listed if row["metric"]] == list(ASSURANCE_RULES)


def test_a_sound_order_leaks_only_when_it_is_no_more_billed() -> None:
    """A month after the last day that was billed nothing leaks yet; after the days of grace it does."""
    assert found(SOUND, today="2026-04-11") == []
    [row] = found(SOUND, today="2026-04-12")
    assert (row.rule, row.since) == ("activated-not-billed", "2026-03-08")


def test_what_is_switched_on_anew_has_not_ended() -> None:
    """An order that is changed before its eSIM was downloaded has its service off and on again, and is billed for it."""
    place = next(place for place, each in enumerate(SOUND) if each.type == "service.activated")
    before, on, after = SOUND[:place], SOUND[place], SOUND[place + 1 :]
    off = told(on.stream, "service.deactivated", 5, on.order_id, item="1")

    assert found([*before, on, off, on, *after]) == []
    assert found([*before, on, off, *after]) != []


def test_shares_find_the_same() -> None:
    """However often the log is read, each time for a part of the orders, the same leaks are found."""
    history = [told for leak in LEAKS for told in leak.history]

    assert found(history) == found(history, shares=3)
    assert len(found(history)) == len(LEAKS)


def test_the_events_it_reads_have_the_fields_it_reads() -> None:
    """A field that was renamed would make a rule blind: the examples of the events go through."""
    names = ("order.planned", "service.activated", "charging.started", "account.charge-started", "invoice.issued", "account.deposit-kept")
    bodies: dict[str, Any] = {}
    for name in names:
        cls = types_by_name()[name]
        bodies[name] = json.loads(cls.model_validate(cls.example).model_dump_json(exclude=set(cls.personal)))
    assert {"recurring_minor", "one_time_minor", "terms", "steps", "account"} <= bodies["order.planned"]["items"][0].keys()
    assert {"kind", "from_day", "to_day", "net_minor", "order", "item"} <= bodies["invoice.issued"]["lines"][0].keys()
