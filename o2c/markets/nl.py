"""The Netherlands: euros, VAT, SEPA direct debits, porting without a code on a day the donor names, the working days of the country.

Facts marked [M] were written from memory and are to be confirmed before a launch.
"""

from dataclasses import replace
from datetime import date, time
from decimal import Decimal

from o2c.markets.addresses import AddressRules
from o2c.markets.base import (
    CreditRules,
    DebitRules,
    InvoicingRules,
    Market,
    NumberingRules,
    NumberRest,
    PortingRules,
    PriceChangeRules,
    Supplier,
    TaxRate,
    WorkCalendar,
)
from o2c.markets.care import CareRules, ComplaintRules, ProspectRules
from o2c.markets.collecting import USUAL_STAGES, BadDebtRelief, CollectionRules, LateInterest
from o2c.markets.interest import ECB_MAIN_REFINANCING
from o2c.markets.life import (
    ASKS_TO_START,
    IN_PERSON,
    OWN_GRADES,
    EndNoticeRules,
    LifeRules,
    PortDelayRules,
    PortOutRules,
    SuspensionRules,
    WithdrawalRules,
)
from o2c.markets.paying import CARDS, AgainRules
from o2c.markets.usage import EU_EEA, USUAL_PREPAID_REFUND, WEEKDAYS, LimitRules, TimeBand, UsageRules, Zone

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
            names=("BTW", "VAT", "S"),  # S: standard rate in UNCL 5305, the categories of EN 16931
        ),
        TaxRate(
            group="reduced",
            percent=Decimal(9),
            valid_from=date(2019, 1, 1),
            source="Wet op de omzetbelasting 1968, art. 9(2)(a) and Tabel I [M]",
            names=("laag",),
        ),
        TaxRate(
            group="zero",
            percent=Decimal(0),
            valid_from=date(1993, 1, 1),
            source="Wet op de omzetbelasting 1968, art. 9(2)(b) and Tabel II [M]",
            names=("Z", "nultarief"),
            category="Z",
        ),
    ),
    bill_cycle_days=(1, 8, 15, 22),
    payment_terms_days=14,
    debits=DebitRules(
        scheme="SEPA Direct Debit Core",
        calendar=WorkCalendar(country="XECB", subdivision=None, weekend=(5, 6), financial=True),
        notice_days=14,
        notice_in_bank_days=False,
        source="settlement on TARGET days: the closing days are 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December and weekends "
        "(European Central Bank, TARGET calendar); pre-notification 14 calendar days before the due date unless agreed otherwise (EPC016-06, "
        "SEPA Direct Debit Core Scheme Rulebook) [M]",
        again=AgainRules(
            after_days={"INSUFFICIENT-FUNDS": (5,)},
            hard=frozenset({"RETURNED", "NO-MANDATE", "CLOSED", "DECEASED"}),
            source="AM04 (no funds) may be presented again; AC04 (closed), MD01 (no mandate) and MD07 (deceased) not (EPC173-14, guidance on reason codes for SEPA "
            "Direct Debit R-transactions) [M]; once, five days later: the operator's own practice",
        ),
    ),
    cards=CARDS,
    order_horizon_days=180,  # the operators' own practice
    calendar=WorkCalendar(country="NL", subdivision=None, weekend=(5, 6)),
    porting=PortingRules(
        code_name="",
        code_pattern="",
        cutoff=time(17),
        lead_working_days=1,
        window_opens=time(9),
        window_closes=time(17),
        change_until=time(17),
        code_valid_days=None,
        bulk_from=None,
        donor_names_day=True,
        refusals={
            "NAME-MISMATCH": "NP-NAME",
            "NUMBER-INACTIVE": "NP-INACT",
            "BARRED": "NP-BAR",
            "REFUSED": "NP-BAR",
            "CONTRACT": "NP-CONFLICT",
            "DEBT": "NP-CONFLICT",  # neither an open contract nor a debt is a ground
        },
        delay=PortDelayRules(
            minor_per_day=0,
            working_days=False,
            source="rules on compensation are for each country to make (Directive (EU) 2018/1972, art. 106(8)); no tariff known: porting facts, section 3.1 [M]",
        ),
        source="one working day: Directive (EU) 2018/1972, art. 106; the donor's answer names the first possible date (COIN messages); an open "
        "contract is no ground to block since February 2022, nor is a debt; cut-offs and opening hours: the operators' own practice [M]",
    ),
    numbering=NumberingRules(
        region="NL",
        rests={
            # Nobody was ever called under it: a day, so that whatever was asked for it in the network is over.
            "never-used": NumberRest(days_min=1, days_max=7, former_customer_may_claim=False, source="the operator's own practice"),
            # In service for days, and known to few; its line goes on under the number brought in, so nobody lost it.
            "temporary": NumberRest(days_min=14, days_max=60, former_customer_may_claim=False, source="the operator's own practice"),
            # The right to port a number lasts a month beyond the contract, and the longest month has 31 days.
            "in-use": NumberRest(
                days_min=31, days_max=None, former_customer_may_claim=True, source="Directive (EU) 2018/1972, art. 106(3)"
            ),
        },
        returned_by="a ported number that ceases is told to all operators (COIN deactivation message) and goes back to the holder of its range [M]",
    ),
    # The card, its packing and its postage: an operator's own figure.
    sim_replacement_minor=500,
    # An operator's own terms.
    esim_charged_from="first-use",
    addresses=AddressRules(
        # Four digits, the first no zero, and two letters, which are never SA, SD or SS.
        postcode="([1-9][0-9]{3}) ?((?!S[ADS])[A-Z]{2})",
        # The number follows its street; structured addresses may put it first.
        premises=r"(?:[^\W\d_]{2}.*\W[0-9]{1,5}(?: ?[A-Z]{1,4}|[ -][0-9A-Z]{1,4})?|[0-9]{1,5}[A-Z]? [^\W\d_]{2}.*)",
        unit="(?:kamer|unit|etage)\\.? [0-9A-Z]{1,5}",
        # Every address of the register has a number.
        house_names=False,
        countries=frozenset({"nederland", "netherlands", "the netherlands", "holland", "nl", "nld"}),
        source="NEN 5825 [M]; a number for every address: Wet basisregistratie adressen en gebouwen, art. 6 [M]",
    ),
    credit=CreditRules(
        decision_days=30,
        notice_days=None,
        source="how long a decision holds: the operator's own policy; notice: Directive 2008/48/EC, art. 9(2) binds creditors, and a contract for "
        "service without a loan is no credit agreement [M]; how long a deposit is kept: no statute says it for telecoms, so the operators' own practice, six "
        "bills paid in time [M]",
        deposit_good_bills=6,
    ),
    invoicing=InvoicingRules(
        # The invented operator of the simulation; its VAT number has the check digits of one and was made up.
        supplier=Supplier(
            entity="NL1",
            name="Voorbeeld Mobiel B.V.",
            address=("Beursplein 1",),
            postcode="0000 ZZ",
            city="Teststad",
            country="NL",
            tax_id="NL123456782B01",
        ),
        note_approved_above_minor=10_000,
        refund_approved_above_minor=10_000,
        law="Directive 2006/112/EC, art. 226; Wet op de omzetbelasting 1968, art. 35a",
        instalments_at_end="on-plan",
        instalments_source="Burgerlijk Wetboek, art. 7:77(1)(c) [M]: of a consumer all is due at once only when at least two months are in arrears after a "
        "notice of default; art. 7:68 [M]: the customer may pay early at any time",
    ),
    usage=UsageRules(
        zones=(
            Zone("national", ("31",)),
            Zone("mobile", ("316",)),
            Zone("premium", ("3190",)),
            Zone("europe", countries=EU_EEA),
        ),
        other_zone="world",
        bands=(TimeBand("day", WEEKDAYS, 7, 19),),
        other_band="evening",
        kept_days=180,
        kept_source="traffic data may be kept for billing as long as a bill can be challenged: Telecommunicatiewet, art. 11.5(2); six months: the "
        "operator's own practice [M]",
        limits=LimitRules(
            offered_before_contract=False,
            told_percent=80,
            roaming_minor=5000,
            roaming_reminder_minor=10000,
            source="Regulation (EU) 2022/612, art. 14: a cut-off near but not above 50 EUR without VAT unless another was chosen, a message at 80 % "
            "of it [M], another above 100 EUR (uke.gov.pl)",
        ),
        prepaid_refund=replace(
            USUAL_PREPAID_REFUND,
            source="to a consumer who switches and asks, for a fee only if the contract has one, proportionate to what it costs: directive (EU) 2018/1972, art. 106(6); Telecommunicatiewet, ch. 7 [M]; "
            "no days and no sum are set there; 14 days, no fee, and that who gives the service up gets it alike: the operator's own practice",
        ),
    ),
    collections=CollectionRules(
        stages=USUAL_STAGES,
        warning_days=7,
        channels=("e-mail", "text-message"),
        promise_days_max=14,
        promises_max=2,
        source="stages and promises: the operator's own practice (billing facts, section 6.6); a reminder that gives 14 days before costs are charged: "
        "Burgerlijk Wetboek 6:96(6) [M]",
        agency="Voorbeeld Incasso B.V.",  # invented
        relief=BadDebtRelief(
            months=12, source="a year after the debt was due at the latest: Wet op de omzetbelasting 1968, art. 29(2) [M]"
        ),
        late_interest=LateInterest(
            points=Decimal(8),
            rates=ECB_MAIN_REFINANCING,
            fixed_days_before=0,
            follows=True,
            sums=((0, 4_000),),
            source="Directive 2011/7/EU, art. 2(6) and (7) (8 points above the rate in force on 1 January or 1 July, for that half-year), 3 and 6 (40 EUR); "
            "Burgerlijk Wetboek 6:119a, 6:120(2) and 6:96(4) [M]; of 365 days: practice [M]",
            charged=True,
            charged_source="owed by law from the day after the due day, and the 40 EUR without a demand: Burgerlijk Wetboek 6:119a(1) and 6:96(4) [M]; that "
            "bills charge it: the operator's own practice",
        ),
    ),
    price_changes=PriceChangeRules(
        notice_days=31,
        exit_right=True,
        source="at least one month's notice, and the longest month has 31 days; the right to end the contract without costs: Directive (EU) "
        "2018/1972, art. 105(4), Telecommunicatiewet, art. 7.2 [M]",
    ),
    life=LifeRules(
        suspensions={
            "lost-phone": SuspensionRules(charged=True, extends_term=False, source="the operator's own practice"),
            "stolen-phone": SuspensionRules(charged=True, extends_term=False, source="the operator's own practice"),
            "seasonal": SuspensionRules(charged=False, extends_term=True, source="the operator's own practice"),
        },
        early_percent=100,
        sim_swap_hold_days=0,
        source="no more than the value that was promised and not paid: Telecommunicatiewet, art. 7.2a [M]; no hold after another SIM by law: the operator's own practice",
        port_out=PortOutRules(
            code_prefix="",
            code_digits=0,
            code_valid_days=0,
            grounds=("leaving", "locked"),
            words={"code": "NAME-MISMATCH", "leaving": "NUMBER-INACTIVE", "locked": "BARRED", "porting": "PORTING"},
            source="the gaining operator asks by the number and the contract, without a code: COIN procedures [M]",
        ),
        end_notice=EndNoticeRules(
            days_before_max=60,
            days_before_min=30,
            told_days_before=45,
            best_price_months=12,
            businesses=True,
            source="in good time before a contract goes on by itself, with the best prices, and these once a year: Directive (EU) 2018/1972, art. 105(3); a month before at the latest: "
            "Telecommunicatiewet, art. 7.2a [M]; 45 days, and not before 60: the operator's own practice; small businesses are told as consumers are, art. 105(2), and their size is not known here",
        ),
        withdrawal=WithdrawalRules(
            days=14,
            to_working_day=True,
            in_person=IN_PERSON,
            asks_to_start=ASKS_TO_START,
            refund_days=14,
            days_from_goods=False,
            send_back_days=14,
            kept_percent=OWN_GRADES,
            source="Burgerlijk Wetboek, art. 6:230o (14 days after the day of the contract, of goods after the last came), 6:230r (refund within 14 days of the declaration, of goods not "
            "before they are back or proven sent), 6:230s (sent back within 14 days; loss of value; a service that was asked to begin is owed in proportion), 6:230q (ancillary contracts end); Algemene "
            "termijnenwet, art. 1 [M] (a last day that is not worked); the percentages: the operator's own practice",
        ),
    ),
    care=CareRules(
        prospects=ProspectRules(
            kept_days=30,
            source="no longer than is necessary: Regulation (EU) 2016/679, art. 5(1)(e); thirty days of a basket that was left: the operator's own practice",
        ),
        complaints=ComplaintRules(
            answer_days=28,
            outside_days=28,
            deadlock_letter=False,
            body="Geschillencommissie Telecommunicatiediensten",
            source="four weeks for an answer, and the committee when there is none: rules of the Geschillencommissie Telecommunicatiediensten [M]",
        ),
    ),
)
