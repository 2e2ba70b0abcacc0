"""Events of what an account used: what a bill run took of it, and limits of what it may cost."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.event import Event, Upcast
from o2c.rating.tariff import Allowance

LimitKind = Literal["bill", "roaming"]
"""What a limit is of: all usage of a bill period, or what is used abroad."""


class OfUsage(Event):
    """Base of the events about usage of an account."""

    account: str
    customer: str


class RatedUsage(BaseModel):
    """What a bill run took of one price of a line (`order`, `item`): quantities are exact, in `unit`, as whole numbers or fractions.

    `quantity` was used, `included` of it was covered by allowances and `not_chargeable` of it went beyond a limit without agreement;
    `amount` is what the rest costs, in units of the currency, and `net_minor` that rounded once. `records` of them stand from
    `first_record` to `last_record` in the table, `late` of them for days of an earlier bill; `digest` is the hash over them
    (`kernel.records.digest_of`). What is `prepaid` was paid from the prepaid balance and stands on no invoice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: str
    item: str
    offering: str
    price: str
    usage: str
    unit: str
    quantity: str
    included: str = "0"
    not_chargeable: str = "0"
    amount: str
    net_minor: int
    tax_group: str = "standard"
    prepaid: bool = False
    records: int = 0
    late: int = 0
    first_record: int = 0
    last_record: int = 0
    digest: str = ""


class CarriedUnits(BaseModel):
    """Included units that go on after a bill run: of an allowance of a line, exact, in the base unit, from a day to another (exclusive)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: str
    item: str
    allowance: str
    left: str
    starts: str
    ends: str
    created: str


_OF = {"account": "BA-1001", "customer": "C-1001"}
_ORDER = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"


class UsageRated(OfUsage, name="account.usage-rated", stream="account"):
    """A bill run took the usage of the account before the local day `run_on`: all records up to `through` in the table.

    `unpriced` counts records for which no price held. `spent` is what each period cost so far beyond its recurring prices, exact, by kind
    of limit and the first day of the period. `zonings` are the versions of an operator's own zones and time bands by which records were
    placed, none for those of the market itself.
    """

    example = {
        **_OF, "run_on": "2026-02-08", "through": 1042, "zonings": ["2026-02"],
        "lines": [{"order": _ORDER, "item": "1", "offering": "mobile-line", "price": "Calls", "usage": "voice", "unit": "minute",
                   "quantity": "130", "included": "100", "amount": "3", "net_minor": 300, "records": 12, "late": 1, "first_record": 17,
                   "last_record": 1042, "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}],
        "carried": [{"order": _ORDER, "item": "1", "allowance": "messages", "left": "50", "starts": "2026-02-08", "ends": "2026-03-08",
                     "created": "2026-01-08"}],
        "spent": {"bill": {"2026-01-08": "3"}}, "unpriced": 0,
    }  # fmt: skip
    upcasts = (Upcast(), Upcast(defaults={"zonings": []}))  # lines of the second schema: whether they were prepaid
    run_on: str
    through: int
    lines: tuple[RatedUsage, ...] = ()
    carried: tuple[CarriedUnits, ...] = ()
    spent: dict[str, dict[str, str]] = {}
    unpriced: int = 0
    zonings: tuple[str, ...] = ()


class PackBought(OfUsage, name="account.pack-added", stream="account"):
    """Units were bought once for a line (`order`, `item`) beside what its plan includes, as `offering` sold them: they can be used from the
    local day `bought_on` on, before the day `ends`.

    `allowance` says which and in which turn; its name tells the pack from every other of the account, and nothing of it is carried over.
    The next bill has `net_minor`, net of tax, once.
    """

    example = {
        **_OF, "order": _ORDER, "item": "1", "offering": "data-pack", "net_minor": 500, "currency": "GBP", "tax_group": "standard", "bought_on": "2026-01-20", "ends": "2026-02-08",
        "allowance": {"name": "1 GB more P1", "usage": ["data"], "unit": "GB", "quantity": "1", "priority": 200},
    }  # fmt: skip
    order: str
    item: str
    offering: str
    allowance: Allowance
    net_minor: int
    currency: str
    tax_group: str
    bought_on: str
    ends: str


class LimitSet(OfUsage, name="account.limit-set", stream="account"):
    """The customer chose a limit of what a bill period may cost beyond its recurring prices, net of tax; `amount_minor` is None for none at
    all.

    It holds from `from_at`. The event is the written confirmation of the choice (Communications Act 2003, s. 124S).
    """

    example = {**_OF, "kind": "bill", "amount_minor": 2000, "currency": "GBP", "from_at": "2026-01-10T09:00:00Z"}
    kind: LimitKind
    amount_minor: int | None
    currency: str
    from_at: datetime


class LimitNoticed(OfUsage, name="account.limit-noticed", stream="account"):
    """The customer was told that `percent` of a limit is used in the period that began on `period_from` (80: likely to be reached; 100:
    reached; more: gone beyond by agreement, as the market asks that the customer is reminded)."""

    example = {
        **_OF, "kind": "bill", "notice": "bill-2026-01-08-80", "percent": 80, "period_from": "2026-01-08", "spent_minor": 1640, "amount_minor": 2000,
        "currency": "GBP",
    }  # fmt: skip
    kind: LimitKind
    notice: str
    percent: int
    period_from: str
    spent_minor: int
    amount_minor: int
    currency: str


class LimitExceedAgreed(OfUsage, name="account.limit-exceed-agreed", stream="account"):
    """After a notice the customer agreed to go beyond the limit for the rest of the period that began on `period_from`. Going on to use is
    no agreement."""

    example = {**_OF, "kind": "bill", "notice": "bill-2026-01-08-100", "period_from": "2026-01-08", "from_at": "2026-01-20T10:00:00Z"}
    kind: LimitKind
    notice: str
    period_from: str
    from_at: datetime


class LateUsageReported(OfUsage, name="account.late-usage-reported", stream="account"):
    """Records of usage came after the final bill, on the local day `came_on`: a further final bill is to take them."""

    example = {**_OF, "records": 3, "came_on": "2026-04-20"}
    records: int
    came_on: str


class UsageWaived(OfUsage, name="account.usage-waived", stream="account"):
    """Records of usage came so late, more than `days` after the final bill, that nobody is charged for them: those up to `through` in the
    table of what was used before the local day `before`."""

    example = {**_OF, "records": 2, "came_on": "2026-08-20", "through": 1050, "before": "2026-08-21", "days": 90}
    records: int
    came_on: str
    through: int
    before: str
    days: int
