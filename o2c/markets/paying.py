"""How a market collects again what a card or a bank did not pay: by the provider's code, on which days, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgainRules:
    """After which refusals something is collected again by itself, under the provider's code: the days after each refusal, the first
    attempt's first.

    Where the code is not named, or its days are used up, a person decides. `hard` are the codes that say the same whenever one asks: none
    of them has days. ValueError for a hard code with days, and for days below one.
    """

    after_days: Mapping[str, tuple[int, ...]]
    hard: frozenset[str]
    source: str

    def __post_init__(self) -> None:
        if asked := self.hard & set(self.after_days):
            raise ValueError(f"{min(asked)} is refused for good; name no days on which it is collected again")
        if any(days < 1 for each in self.after_days.values() for days in each):
            raise ValueError("what was refused is collected again a day later at the earliest")

    def days(self, code: str, attempt: int) -> int | None:
        """Give how many days after the refusal of an attempt (from 1) it is collected again; None for not by itself."""
        days = self.after_days.get(code, ())
        return days[attempt - 1] if attempt <= len(days) else None


CARDS = AgainRules(
    after_days={"TRY-AGAIN": (1, 3), "INSUFFICIENT-FUNDS": (3, 7), "DO-NOT-HONOUR": (2, 5)},
    hard=frozenset({"LOST", "STOLEN", "CLOSED", "INVALID", "STOPPED"}),
    source="declines that the issuer never approves (pick up, lost, stolen, closed, invalid, stop payment) are not submitted again, others 15 times in 30 days at "
    "the most: Visa Core Rules and Visa Product and Service Rules, declined transaction resubmission; Mastercard merchant advice code 03 [M]; which days: "
    "the operator's own practice",
)
"""For every market: the card schemes' rules do not end at a border."""
