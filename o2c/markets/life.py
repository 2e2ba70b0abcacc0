"""The rules of a market for products in service: when they rest, and how a contract ends before its term."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from o2c.markets.compensating import CompensationRules


@dataclass(frozen=True, slots=True)
class SuspensionRules:
    """A reason for which a product rests: whether it is `charged` meanwhile, and whether its term is longer by those days
    (`extends_term`)."""

    charged: bool
    extends_term: bool
    source: str


LEAVING, SIM_SWAP, LOCKED = "leaving", "sim-swap", "locked"
"""The grounds on which a porting code, and a port, may be refused: the product or its number is ending already; its SIM was changed within
the hold; the customer locked the number. Debt is none."""
CODE, CODE_EXPIRED, PORTING = "code", "code-expired", "porting"
"""The further grounds on which a port may be refused: the code is not the one for the number, or too old for the day; another operator was
given the number."""


@dataclass(frozen=True, slots=True)
class PortOutRules:
    """How a customer takes a number to another operator, by a code that we give.

    The code is `code_prefix`, which names us, and `code_digits` digits (0: the market ports without a code); it is good for
    `code_valid_days` after the day on which it was given. It is refused on no other `grounds` than these. Where the market has no code, the
    new operator names the customer's account with us. `words` are the market's own for the grounds on which the request of another operator
    is rejected.
    """

    code_prefix: str
    code_digits: int
    code_valid_days: int
    grounds: tuple[str, ...]
    words: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class PortDelayRules:
    """What a customer is credited by itself for a port that is late by us: `minor_per_day` for each number and each day late (0: the market
    has no tariff), in calendar days or in its working days. A day that is not whole does not count."""

    minor_per_day: int
    working_days: bool
    source: str

    def due_minor(self, days: int, working_days: int) -> int:
        """Give what is due for so many days late, of which so many are worked; minor units."""
        return self.minor_per_day * self.days(days, working_days)

    def days(self, days: int, working_days: int) -> int:
        """Give the days that count."""
        return max(working_days if self.working_days else days, 0)


NO_MATCH, AMBIGUOUS = "no-match", "ambiguous"
"""Why a fixed service cannot be matched to a new provider's question: none fits, or several do."""


@dataclass(frozen=True, slots=True)
class SwitchingRules:
    """How a fixed service goes to another provider, who leads (One Touch Switch): a match is good for `reference_valid_days` after its day,
    and the customer is told what switching means within `told_within_s` of it. `words` are the hub's own for why nothing was matched."""

    reference_valid_days: int
    told_within_s: int
    words: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class EndNoticeRules:
    """How a customer is told that the fixed term of a contract ends, and what the best prices are.

    The notice is given between `days_before_max` and `days_before_min` days before the first day without a term; we give it
    `told_days_before`. Whoever stays without a new term is told of the best prices again every `best_price_months` (0: never). `businesses`
    says whether organisations are told, too.
    """

    days_before_max: int
    days_before_min: int
    told_days_before: int
    best_price_months: int
    businesses: bool
    source: str


@dataclass(frozen=True, slots=True)
class TransferRules:
    """For how many days after the day on which its owner agreed another customer may take a product over."""

    valid_days: int
    source: str


USUAL_TRANSFER = TransferRules(
    valid_days=14,
    source="no statute sets it; both agree, and the word of the one who leaves is good for 14 days: the operator's own practice",
)


@dataclass(frozen=True, slots=True)
class WithdrawalRules:
    """How a consumer withdraws from a contract that was not concluded in person, without giving a reason.

    The period ends `days` after the day on which the contract was concluded, for goods after that on which the customer got the last of
    them; where `to_working_day`, a last day that is not worked is moved to the next that is. Channels named `in_person` give no such right.
    A service that begins within the period is owed for only where the customer asked for that, which the form of a channel named in
    `asks_to_start` has them do; what the paper of an order says counts first. Money goes back within `refund_days` of the declaration; for
    goods it may wait until they are back or were proven sent, and these days count from then where `days_from_goods`. Goods are sent back
    within `send_back_days`. `kept_percent` is how much of the price of goods is kept for each grade in which they come back.
    """

    days: int
    to_working_day: bool
    in_person: frozenset[str]
    asks_to_start: frozenset[str]
    refund_days: int
    days_from_goods: bool
    send_back_days: int
    kept_percent: Mapping[str, int]
    source: str


GRADES = ("as-new", "used", "damaged", "lost")
"""In which goods come back from a customer who withdrew: only those as new are sold again; those that our own label lost are our loss."""
OWN_GRADES: Mapping[str, int] = {"as-new": 0, "used": 20, "damaged": 50, "lost": 0}
"""How much of the price is kept for a loss of value by more handling than it takes to see what goods are like, in percent: the operator's
own practice."""
IN_PERSON = frozenset({"store", "shop", "dealer", "retail"})
"""The channels by which both sides meet: the operator's own names."""
ASKS_TO_START = frozenset({"web", "app"})
"""The channels whose form has the customer ask, by a box to tick, that the service begins at once: the operator's own practice."""


USUAL_CHANGE_PENALTIES: Mapping[str, int] = {"appointment": 2_500}
"""What it costs to send a fitter another time who was booked: the operator's own price, in minor units of any of its currencies. Order life
cycle, section 4, rule (e). Only what a partner can be asked to drop has one; a number that stays with its donor, and a profile that is
given back, cost nothing."""


@dataclass(frozen=True, slots=True)
class LifeRules:
    """How products in service change and end.

    `suspensions` are the reasons for which a customer may let a product rest. A contract that ends before its term costs `early_percent` of
    the recurring prices that were still to come (0: nothing). An order that is changed while its partners are at work costs
    `change_penalties_minor` by the step that is taken back, net; a step without one nothing. After another SIM was given, a number may not
    be ported out or changed for `sim_swap_hold_days` (0: at once). Where fixed services are not switched by the new provider there are no
    rules for `switching`, and none for `compensation` where no scheme says what a late start or a missed visit is worth.
    """

    suspensions: Mapping[str, SuspensionRules]
    early_percent: int
    sim_swap_hold_days: int
    source: str
    port_out: PortOutRules
    end_notice: EndNoticeRules
    withdrawal: WithdrawalRules
    transfer: TransferRules = USUAL_TRANSFER
    switching: SwitchingRules | None = None
    compensation: CompensationRules | None = None
    change_penalties_minor: Mapping[str, int] = field(default_factory=lambda: USUAL_CHANGE_PENALTIES)
