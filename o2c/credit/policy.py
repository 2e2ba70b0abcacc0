"""The credit policy as data: what the operator makes of a bureau's answer, by market. The bureau's own scores stay with the bureau."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

PERCENT_MAX = 1_000
"""No operator goes ten times as far as a bureau; more is a slip of the keyboard."""


@dataclass(frozen=True, slots=True)
class CreditPolicy:
    """What a bureau's answer comes to. Amounts are net minor units of the market's currency.

    An order passes while all that its customer commits to stays within `limit_percent` of the limit that the bureau gave. Of a deposit that
    the bureau wants, `deposit_percent` is asked for, rounded up; one of less than `deposit_from_minor` is not asked for at all. A customer
    whom the bureau refers passes without an underwriter while he commits to no more than `trusted_up_to_minor` in all. Each default is what
    a policy without the field means: the bureau's word as it is.
    """

    limit_percent: int = 100
    deposit_percent: int = 100
    deposit_from_minor: int = 0
    trusted_up_to_minor: int = 0


AS_THE_BUREAU_SAYS = CreditPolicy()


@dataclass(frozen=True, slots=True)
class CreditPolicies:
    """The policies of one version, by market code; a market without one takes the bureau's word as it is."""

    version: str
    by_market: Mapping[str, CreditPolicy] = field(default_factory=dict)

    def of(self, market: str) -> CreditPolicy:
        """The policy of a market."""
        return self.by_market.get(market, AS_THE_BUREAU_SAYS)


PACKAGED = CreditPolicies("credit/2026-02")
"""What is in force. Its version is stored with every approval."""
_NAMES = frozenset(each.name for each in fields(CreditPolicy))


def policies_of(document: Mapping[str, Any], version: str, markets: frozenset[str]) -> CreditPolicies:
    """The policies that a document says: a table for each market that it is about, and in it what differs.

    ValueError for a market that there is not, for a field that a policy does not have, and for a value that is no whole number, or is out
    of bounds.
    """
    found = {}
    for market, table in document.items():
        if market not in markets:
            raise ValueError(f"credit: there is no market {market}; there are {', '.join(sorted(markets))}")
        if not isinstance(table, Mapping) or (table.keys() - _NAMES):
            raise ValueError(f"credit.{market} says no more than {', '.join(sorted(_NAMES))}")
        for name, value in table.items():
            if type(value) is not int or value < 0 or (name.endswith("_percent") and not 0 < value <= PERCENT_MAX):
                raise ValueError(f"credit.{market}: {name} is a whole number {'from 1 to 1000' if name.endswith('_percent') else 'from 0'}")
        found[market] = CreditPolicy(**table)
    return CreditPolicies(version, found)
