"""The United Kingdom: sterling, VAT, porting by PAC on the next working day, the working days of England."""

from datetime import date, time
from decimal import Decimal

from o2c.markets.base import Market, NumberingRules, PortingRules, TaxRate, WorkCalendar

GB = Market(
    code="GB",
    version="2026-01",
    valid_from=date(2023, 4, 3),
    currency="GBP",
    zone="Europe/London",
    tax_rates=(
        TaxRate(
            group="standard",
            percent=Decimal(20),
            valid_from=date(2011, 1, 4),
            source="Value Added Tax Act 1994, s. 2(1)",
        ),
    ),
    bill_cycle_days=(1, 8, 15, 22),
    payment_terms_days=14,
    calendar=WorkCalendar(country="GB", subdivision="ENG", weekend=(5, 6)),
    porting=PortingRules(
        code_name="PAC",
        code_pattern="[A-Z]{3}[0-9]{6}",
        cutoff=time(17),
        lead_working_days=1,
        window_opens=time(9),
        donor_names_day=False,
        refusals={
            "CODE-EXPIRED": "NP-CODE",
            "NAME-MISMATCH": "NP-NAME",
            "NUMBER-INACTIVE": "NP-INACT",
            "BARRED": "NP-BAR",
            "REFUSED": "NP-BAR",
        },
        source="one working day: Ofcom General Conditions of Entitlement on switching and number portability; "
        "cut-off and opening hour: the operators' own practice",
    ),
    numbering=NumberingRules(
        region="GB",
        # "At least one month", and the longest month has 31 days.
        quarantine_days_min=31,
        quarantine_days_max=None,
        former_customer_may_claim=True,
        source="Ofcom General Conditions of Entitlement, C7.6(b), in force 3 April 2023",
    ),
    # A house number first, a postcode last (form of BS 7666: one or two letters, district, sector, unit).
    address_pattern=r"[0-9].*\b[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}",
)
