"""The Netherlands: euros, VAT, porting without a code on a day the donor names, the working days of the country.

Facts marked [M] were written from memory and are to be confirmed before a launch.
"""

from datetime import date, time
from decimal import Decimal

from o2c.markets.base import Market, NumberingRules, PortingRules, TaxRate, WorkCalendar

NL = Market(
    code="NL",
    version="2026-01",
    valid_from=date(2022, 2, 1),
    currency="EUR",
    zone="Europe/Amsterdam",
    tax_rates=(
        TaxRate(
            group="standard",
            percent=Decimal(21),
            valid_from=date(2012, 10, 1),
            source="Wet op de omzetbelasting 1968, art. 9(1)",
        ),
    ),
    bill_cycle_days=(1, 8, 15, 22),
    payment_terms_days=14,
    calendar=WorkCalendar(country="NL", subdivision=None, weekend=(5, 6)),
    porting=PortingRules(
        code_name="",
        code_pattern="",
        cutoff=time(17),
        lead_working_days=1,
        window_opens=time(9),
        donor_names_day=True,
        refusals={
            "NAME-MISMATCH": "NP-NAME",
            "NUMBER-INACTIVE": "NP-INACT",
            "BARRED": "NP-BAR",
            "REFUSED": "NP-BAR",
            "CONTRACT": "NP-CONFLICT",
            "DEBT": "NP-CONFLICT",  # neither an open contract nor a debt is a ground
        },
        source="one working day: Directive (EU) 2018/1972, art. 106; the donor's answer names the first possible date (COIN messages); an open "
        "contract is no ground to block since February 2022, nor is a debt; cut-off and opening hour: the operators' own practice [M]",
    ),
    numbering=NumberingRules(
        region="NL",
        # The right to port a number lasts a month beyond the contract, and the longest month has 31 days.
        quarantine_days_min=31,
        quarantine_days_max=None,
        former_customer_may_claim=True,
        source="Directive (EU) 2018/1972, art. 106(3)",
    ),
    # A house number, and a postcode of four digits and two letters before the town.
    address_pattern=r".*\b[0-9]+\b.*\b[1-9][0-9]{3} ?[A-Z]{2}\b.*",
)
