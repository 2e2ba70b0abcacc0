"""Accounts and files on which the rules of usage can be tried."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.decision import NOTHING
from o2c.kernel.records import UsageRecord
from o2c.quota import rules as quota
from o2c.quota.events import PrepaidToppedUp, QuotaReserved
from o2c.quota.state import KIND as QUOTA
from o2c.rating.events import LimitNoticed
from o2c.rating.late import take_late
from o2c.rating.room import Cost
from o2c.rating.rules import agree, notice, set_limit
from o2c.usage.events import UsageLoaded, ZonesLoaded
from o2c.usage.rules import load_zones, take_in
from o2c.usage.state import KIND, ZONES
from o2c.usage.zoning import book_of
from tests.given import MARKET, MONDAY

PERIOD = "2026-01-08"
NOTICED = ACCOUNT.evolve(AccountState(account="BA-1001"), LimitNoticed.model_validate(LimitNoticed.example))
RESERVED = QUOTA.evolve(QUOTA.initial(""), QuotaReserved.model_validate(QuotaReserved.example))
TOPPED_UP = PrepaidToppedUp.model_validate(PrepaidToppedUp.example)
MONEY = QUOTA.evolve(QUOTA.initial(""), TOPPED_UP)
TO_PAY: Any = {"account": "BA-1001", "customer": "C-1001", "period_from": PERIOD, "currency": "GBP", "at": MONDAY}
LEFT = quota.Leaver("BA-1001", "C-1001", (), "2026-01-02")
ZONING = str(ZonesLoaded.example["document"])
ENDED = AccountState(account="BA-1001", customer="C-1001", settled_on="2026-02-08")
LATE = [UsageRecord(1043, "1/1", "voice", "", "", MONDAY, Decimal(60), "second", "msc-1/2")]
LOADED = UsageLoaded.model_validate(UsageLoaded.example)


TOLD: Any = {"kind": "bill", "amount_minor": 2000, "spent_minor": 2100, "beyond": False, "period_from": PERIOD, "told_percent": 80}
OF_USAGE = [
    pytest.param(
        ACCOUNT, AccountState(account="BA-1001"), lambda s: set_limit(s, kind="bill", amount_minor=2000, at=MONDAY), id="set-a-limit"
    ),
    pytest.param(ACCOUNT, AccountState(account="BA-1001"), lambda s: notice(s, **TOLD), id="tell-of-a-limit"),
    pytest.param(ACCOUNT, NOTICED, lambda s: agree(s, notice="bill-2026-01-08-80", period_from=PERIOD, at=MONDAY), id="agree-to-go-beyond"),
    pytest.param(ACCOUNT, ENDED, lambda s: take_late(s, records=LATE, came_on=date(2026, 2, 20), days=90), id="take-late-usage"),
    pytest.param(KIND, KIND.initial(""), lambda s: take_in(s, loaded=LOADED), id="take-in-usage"),
    pytest.param(
        ZONES, ZONES.initial(""), lambda s: load_zones(s, made=book_of([ZONING]).loaded["GB"][0], document=ZONING), id="load-zones"
    ),
    pytest.param(QUOTA, RESERVED, lambda s: quota.release(s, session=QuotaReserved.example["session"], request=1), id="release-quota"),
    pytest.param(QUOTA, QUOTA.initial(""), lambda s: quota.top_up(s, TOPPED_UP), id="top-up"),
    pytest.param(
        QUOTA,
        MONEY,
        lambda s: quota.give_back(s, LEFT, MARKET, lambda owed, today: NOTHING, at=MONDAY),
        id="give-prepaid-money-back",
    ),
    pytest.param(QUOTA, MONEY, lambda s: quota.charge_records(s, **TO_PAY, cost=Cost(300, 60)), id="charge-records-beside-sessions"),
    pytest.param(QUOTA, MONEY, lambda s: quota.charge_records(s, **TO_PAY, cost=Cost(3000, 600)), id="charge-more-than-there-is"),
]
"""By kind of stream and state, the rule that decides once and, on what it made, nothing."""
