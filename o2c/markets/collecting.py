"""How a market collects what is owed past its due day: stages as data, and what holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from o2c.kernel.charges import WhileBarred

Action = Literal["none", "remind", "warn", "soft-bar", "hard-bar", "terminate", "agency"]
"""What a stage does: nothing, tell of the debt, warn of a bar, bar outgoing traffic, bar all of it, end the services, hand the debt
over."""
LEVELS: Mapping[Action, str] = {"soft-bar": "soft", "hard-bar": "hard", "terminate": "ended", "agency": "ended"}
"""The level at which lines are barred in a stage that does this. A soft bar leaves emergency calls and everything that comes in."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage and when it holds, all conditions together: `after_days` since the due day of the earliest unpaid invoice, at least so many
    invoices and so much money, one of `answers` to the last attempt to collect (empty: any), a hold of each kind in `only_held`, of none in
    `not_held`. A notice is given up to `attempts` times, `days_between` apart. A stage that `writes_off` has the books give up each invoice
    that was due so long ago; it is owed, and collected, all the same.

    Source: Kill Bill, overdue conditions; Lago, dunning campaigns (threshold, attempts, days between).
    """

    name: str
    after_days: int
    action: Action = "none"
    invoices_min: int = 1
    balance_min_minor: int = 1
    answers: frozenset[str] = frozenset()
    only_held: frozenset[str] = frozenset()
    not_held: frozenset[str] = frozenset()
    attempts: int = 1
    days_between: int = 1
    writes_off: bool = False


@dataclass(frozen=True, slots=True)
class HoldRule:
    """What a hold does: one that `freezes` lets nothing become worse and no notice be given; any other only counts in the stages'
    conditions. It lasts `days_max` days at most (None: until it is released)."""

    freezes: bool
    days_max: int | None = None


@dataclass(frozen=True, slots=True)
class BadDebtRelief:
    """The tax of an invoice that was written off can be claimed back so many months after its due day; what comes afterwards is taxed
    again."""

    months: int
    source: str


@dataclass(frozen=True, slots=True)
class LateInterest:
    """What a business owes by law for paying late: `points` percent a year above a reference rate, simple, and a fixed sum for each
    invoice.

    The reference rate of a half-year is the one in force so many days before it begins (`fixed_days_before`), out of `rates`, the percent
    from each day on, the earliest first. It `follows` the half-years, or stays for each debt as it was when its first day counted. `sums`
    are in minor units of the market's currency, each with the debt from which on it is owed, the smallest first. The parties may have
    agreed otherwise, which no market knows.

    Bills charge it where it is `charged`; else it is told, and charged by nobody. Whether an operator asks for it is its own policy, by
    `charged_source`.
    """

    points: Decimal
    rates: tuple[tuple[date, Decimal], ...]
    fixed_days_before: int
    follows: bool
    sums: tuple[tuple[int, int], ...]
    source: str
    days_of_year: int = 365
    charged: bool = False
    charged_source: str = "what is owed by law may be asked for, or not: the operator's own practice"

    def percent_on(self, day: date) -> Decimal:
        """Give the percent a year on a day. ValueError for a day before all rates."""
        fixed_on = date(day.year, 1 if day.month <= 6 else 7, 1) - timedelta(days=self.fixed_days_before)
        known = [percent for since, percent in self.rates if since <= fixed_on]
        if not known:
            raise ValueError(f"no reference rate is known for {fixed_on}; add it to the market's rates of interest")
        return known[-1] + self.points

    def fixed_minor(self, debt_minor: int) -> int:
        """Give the fixed sum for a debt, both in minor units; 0 for one that none is owed for."""
        return next((sum_minor for from_minor, sum_minor in reversed(self.sums) if debt_minor >= from_minor), 0)


@dataclass(frozen=True, slots=True)
class CollectionRules:
    """The stages, the worst first, of which the first that holds is the one an account is in. Nothing is barred before `warning_days` days
    are over since the customer was warned, by the `channels`, of one of the invoices that the bar rests on.

    A debt in a stage of the action `agency` is placed with that `agency` (empty: with none), and held from our own notices and promises.
    `relief` is what the market's law gives back of the tax of a bad debt (None: nothing), `late_interest` what a business owes for paying
    late (None: nothing).

    A plan pays a debt in at most `plan_parts_max` parts within `plan_days_max` days, and none any more is agreed after `plans_max` were
    broken. It is broken when a part, or what fell due beside the plan, is not there `plan_late_days` days after its day.

    `while_barred` says, by level, whether the days on which a line is barred are charged (a level that is not named: they are).

    A promise to pay is taken for at most `promise_days_max` days, and none any more after `promises_max` were broken. ValueError when a
    stage bars and none before it warns.
    """

    stages: tuple[Stage, ...]
    warning_days: int
    channels: tuple[str, ...]
    promise_days_max: int
    promises_max: int
    source: str
    plan_parts_max: int = 12
    plan_days_max: int = 366
    plan_late_days: int = 5
    plans_max: int = 1
    plan_source: str = "the operator's own practice"
    while_barred: Mapping[str, WhileBarred] = field(default_factory=lambda: {"soft": "charged", "hard": "charged"})
    barred_source: str = (
        "the operator's own practice; billing facts, section 6.4, lesson 9 (whether barred days are charged is each operator's to decide)"
    )
    agency: str = ""
    relief: BadDebtRelief | None = None
    late_interest: LateInterest | None = None
    holds: Mapping[str, HoldRule] = field(
        default_factory=lambda: {
            "dispute": HoldRule(freezes=True),
            "vulnerable": HoldRule(freezes=False),
            "payment-pending": HoldRule(freezes=True, days_max=10),
            "key-account": HoldRule(freezes=True),
        }
    )

    def __post_init__(self) -> None:
        warned = False
        for stage in reversed(self.stages):
            if stage.action in LEVELS and not warned:
                raise ValueError(f"stage {stage.name} bars before any stage warns; put one that warns before it")
            warned = warned or stage.action == "warn"

    @property
    def charges_late(self) -> bool:
        """Whether bills charge businesses for paying late."""
        return self.late_interest is not None and self.late_interest.charged

    def stage(self, name: str) -> Stage | None:
        """Give a stage by its name; None for a name that the market has not (any more)."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def rank(self, name: str) -> int:
        """How bad a stage is: 0 for none, then more the worse it is."""
        names = [stage.name for stage in self.stages]
        return len(names) - names.index(name) if name in names else 0


_VULNERABLE = frozenset({"vulnerable"})
USUAL_STAGES = (
    Stage("agency", 90, "agency", not_held=_VULNERABLE, writes_off=True),
    Stage("terminated", 60, "terminate", not_held=_VULNERABLE),
    Stage("hard-bar", 30, "hard-bar", not_held=_VULNERABLE),
    Stage("soft-bar", 17, "soft-bar", not_held=_VULNERABLE),
    Stage("final-notice", 10, "warn"),
    Stage("reminder", 3, "remind"),
    Stage("due", 0),
)
"""Source: billing facts, section 6.6, proposed default; a customer who is vulnerable is told and not barred."""
