"""What the calls of a partner show: that it is down, or that too few met nobody to tell."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from o2c.engine import outages
from o2c.kernel.reasons import OutageRule
from o2c.partners.outages import Call, detected, undecided
from o2c.partners.state import PartnerState
from tests.world import NINE


def call(number: int, *, failed: bool, after_s: int = 0) -> Call:
    return Call(f"order-{number}", NINE + timedelta(seconds=after_s or number), failed)


SHOWN = OutageRule(window_s=60, usual_percent=10, usual_calls=20, once_in=10_000)
"""One call in ten meets nobody until more is known: five in a row come by chance once in 100,000."""
WELL = [call(900 + n, failed=False, after_s=-100 + n) for n in range(100)]
ILL = [call(900 + n, failed=n % 2 == 0, after_s=-100 + n) for n in range(100)]


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        pytest.param([call(n, failed=True) for n in range(5)], True, id="nobody answers"),
        pytest.param([call(n, failed=True) for n in range(4)], False, id="too few to tell"),
        pytest.param([*WELL, *(call(n, failed=True) for n in range(3))], True, id="three of a partner that always answered"),
        pytest.param([*WELL, *(call(n, failed=True) for n in range(2))], False, id="two of it"),
        pytest.param([*ILL, *(call(n, failed=True) for n in range(9))], False, id="nine of one that half the time does not"),
        pytest.param([*ILL, *(call(n, failed=True) for n in range(14))], True, id="fourteen of it"),
        pytest.param([call(n, failed=n % 5 > 0) for n in range(50)], True, id="four of five"),
        pytest.param([call(n, failed=n % 5 > 1) for n in range(50)], False, id="three of five, for long"),
        pytest.param([call(n, failed=n >= 20) for n in range(25)], True, id="it begins in the middle"),
        pytest.param([*WELL, *(call(7, failed=True, after_s=n) for n in range(1, 50))], False, id="one order again and again"),
        pytest.param([*WELL, *(call(7 + (n == 9), failed=True, after_s=n) for n in range(1, 50))], False, id="one order, and another once"),
        pytest.param([*WELL, *(call(n % 2, failed=True, after_s=n) for n in range(1, 7))], True, id="two orders by turns"),
        pytest.param(
            [*WELL, *(call(n % 2, failed=True, after_s=n) for n in range(1, 6))], False, id="two orders twice, as may come of their own"
        ),
        pytest.param([*WELL, *(call(n, failed=True, after_s=40 * n) for n in range(1, 20))], False, id="too seldom to tell"),
        pytest.param([call(n, failed=n < 4) for n in range(9)], False, id="over before it shows"),
    ],
)
def test_what_calls_show(calls: list[Call], found: bool) -> None:
    """So many in a row met nobody as hardly come by chance, by how often it usually happens; whatever the order they are told in."""
    assert (detected(calls, SHOWN) is not None) is found
    assert detected(reversed(calls), SHOWN) == detected(calls, SHOWN)


def test_few_calls_are_looked_at_with_those_before() -> None:
    """One call that met nobody might be the last of many; one or two after an answer might not."""
    assert undecided([call(9, failed=True)], SHOWN)
    assert not undecided([call(9, failed=False)], SHOWN)
    assert not undecided([call(7, failed=False), call(8, failed=True), call(9, failed=True)], SHOWN)
    assert undecided([call(n, failed=n != 0) for n in range(4)], SHOWN)


@pytest.mark.parametrize("more", [0, 300], ids=["one call", "hundreds at once"])
@pytest.mark.parametrize("told", [0, 400], ids=["none of them told", "hundreds of them told"])
@pytest.mark.parametrize(
    ("long_ago", "found"),
    [pytest.param(ILL, False, id="half of its calls always met nobody"), pytest.param(WELL, True, id="it always answered")],
)
def test_a_partner_that_is_seldom_called_is_judged_by_its_own_calls(long_ago: list[Call], found: bool, more: int, told: int) -> None:
    """Its last calls stand far back in the log, behind what others did since; before it is taken for down they are looked up."""
    lately = [
        call(0, failed=False),
        *(call(n, failed=True) for n in range(1, 8)),
        *(call(9_000 + n, failed=False, after_s=8) for n in range(told)),
    ]

    def last_calls(partner: str, events: int) -> list[dict[str, Any]]:
        seen = [*long_ago, *lately] if events > outages.LAST_EVENTS else lately
        return [{"stream": one.stream, "occurred_at": one.at, "answer": "silent" if one.failed else "answered", "code": ""} for one in seen]

    codes = SimpleNamespace(at=lambda at: SimpleNamespace(outage_rule=lambda partner: SHOWN))
    app: Any = SimpleNamespace(reads=SimpleNamespace(last_calls=last_calls), book=SimpleNamespace(codes=codes))

    shown = outages._shown(app, "network", PartnerState(), [call(8, failed=True), *(call(9 + n, failed=False) for n in range(more))])

    assert (shown is not None) is found
