"""Portugal: euros, IVA, SEPA direct debits, porting by a validation code (CVP) of twelve digits, and a fixed sum for each day that a number
is late.

The rules on porting changed twice: three versions. Facts marked [M] were written from memory and are to be confirmed before a launch.
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
from o2c.markets.usage import EU_EEA, USUAL_PREPAID_REFUND, WEEKDAYS, LimitRules, PrepaidRefundRules, TimeBand, UsageRules, Zone

PT = Market(
    code="PT",
    version="2025-11",
    valid_from=date(2025, 11, 10),
    currency="EUR",
    zone="Europe/Lisbon",
    # The rates of the mainland; Madeira and the Azores have lower ones.
    tax_rates=(
        TaxRate(
            group="standard",
            percent=Decimal(23),
            valid_from=date(2011, 1, 1),
            source="Código do IVA, art. 18(1)(c)",
            names=("IVA", "VAT", "S", "normal"),  # S: standard rate in UNCL 5305, the categories of EN 16931
        ),
        TaxRate(
            group="intermediate",
            percent=Decimal(13),
            valid_from=date(2011, 1, 1),
            source="Código do IVA, art. 18(1)(b) and Lista II [M]",
            names=("intermédia",),
        ),
        TaxRate(
            group="reduced",
            percent=Decimal(6),
            valid_from=date(2011, 1, 1),
            source="Código do IVA, art. 18(1)(a) and Lista I [M]",
            names=("reduzida",),
        ),
        TaxRate(
            group="zero",
            percent=Decimal(0),
            valid_from=date(1986, 1, 1),
            source="Código do IVA, art. 14 (exports and the like) [M]",
            names=("Z",),
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
        source="settlement on TARGET days (European Central Bank, TARGET calendar); pre-notification 14 calendar days before the due date unless agreed otherwise "
        "(EPC016-06, SEPA Direct Debit Core Scheme Rulebook) [M]",
        again=AgainRules(
            after_days={"INSUFFICIENT-FUNDS": (5,)},
            hard=frozenset({"RETURNED", "NO-MANDATE", "CLOSED", "DECEASED"}),
            source="AM04 (no funds) may be presented again; AC04 (closed), MD01 (no mandate) and MD07 (deceased) not (EPC173-14, guidance on reason codes for SEPA "
            "Direct Debit R-transactions) [M]; once, five days later: the operator's own practice",
        ),
    ),
    cards=CARDS,
    order_horizon_days=180,  # the operators' own practice
    calendar=WorkCalendar(country="PT", subdivision=None, weekend=(5, 6)),
    porting=PortingRules(
        code_name="CVP",
        code_pattern="[0-9]{12}",
        cutoff=time(17),
        lead_working_days=1,
        window_opens=time(9),
        window_closes=time(17),
        change_until=time(17),
        code_valid_days=None,
        bulk_from=None,
        donor_names_day=False,
        refusals={
            "CODE-EXPIRED": "NP-CODE",
            "NAME-MISMATCH": "NP-NAME",
            "NUMBER-INACTIVE": "NP-INACT",
            "BARRED": "NP-BAR",
            "REFUSED": "NP-BAR",
            "CONTRACT": "NP-CONFLICT",
            "DEBT": "NP-CONFLICT",  # neither a contract that binds nor a debt is a ground [M]
        },
        delay=PortDelayRules(
            minor_per_day=300,
            working_days=False,
            source="3 EUR a number and whole day late: Regulamento ANACOM n.º 38/2025 of 9 January, in force 10 November 2025 (boino.pt, 2025-11)",
        ),
        source="on the day agreed, and within one working day of it: Lei n.º 16/2022, art. 141, and Regulamento ANACOM n.º 38/2025 (anacom.pt; dinheirovivo.dn.pt, "
        "2025-11-10); the CVP has 12 digits, stands on the bill and does not age: Regulamento n.º 257/2018 (sicnoticias.pt, 2019-05-13); cut-offs and opening hours: the "
        "operators' own practice [M]",
    ),
    numbering=NumberingRules(
        region="PT",
        rests={
            # Nobody was ever called under it: a day, so that whatever was asked for it in the network is over.
            "never-used": NumberRest(days_min=1, days_max=7, former_customer_may_claim=False, source="the operator's own practice"),
            # In service for days, and known to few; its line goes on under the number brought in, so nobody lost it.
            "temporary": NumberRest(days_min=14, days_max=60, former_customer_may_claim=False, source="the operator's own practice"),
            "in-use": NumberRest(
                days_min=180,
                days_max=None,
                former_customer_may_claim=True,
                source="given to nobody else for 180 days, the first 90 of which its former customer may port it: Regulamento ANACOM n.º 38/2025 (macedovitorino.com, "
                "Portuguese new Portability Regulation); that he may have it back for all of them: the operator's own practice",
            ),
        },
        returned_by="a ported number that ceases goes back to the holder of its range, told through the reference entity [M]",
    ),
    # The card, its packing and its postage: an operator's own figure.
    sim_replacement_minor=500,
    # An operator's own terms.
    esim_charged_from="first-use",
    addresses=AddressRules(
        # Four digits, a dash and three: it is shown as it is written.
        postcode="([1-9][0-9]{3}-[0-9]{3})",
        # The number follows its street, with the floor and the side behind it; structured addresses may put it first.
        premises=r"(?:[^\W\d_]{2}.*\W[0-9]{1,5}[A-Z]?(?:\W.*)?|[0-9]{1,5}[A-Z]? [^\W\d_]{2}.*)",
        unit="(?:andar|apartamento|apt|loja|fração)\\.? [0-9A-Z]{1,5}",
        house_names=True,
        countries=frozenset({"portugal", "pt", "prt"}),
        source="postal codes of seven digits, and lots and houses with a name: CTT, Código Postal [M]",
    ),
    credit=CreditRules(
        decision_days=30,
        notice_days=None,
        source="how long a decision holds: the operator's own policy; notice: Directive 2008/48/EC, art. 9(2) binds creditors, and a contract for "
        "service without a loan is no credit agreement [M]",
    ),
    invoicing=InvoicingRules(
        # The invented operator of the simulation. Its NIF is the one that invoices give for a buyer who names none, so that it is nobody's.
        supplier=Supplier(
            entity="PT1",
            name="Exemplo Móvel, S.A.",
            address=("Praça do Exemplo 1",),
            postcode="0000-000",
            city="Vila do Teste",
            country="PT",
            tax_id="PT999999990",
        ),
        note_approved_above_minor=10_000,
        refund_approved_above_minor=10_000,
        law="Directive 2006/112/EC, art. 226; Código do IVA, art. 36(5); the NIF of seller and buyer, each of nine digits with a check digit: Decreto-Lei n.º 14/2013 [M]",
    ),
    usage=UsageRules(
        zones=(
            Zone("national", ("351",)),
            Zone("mobile", ("3519",)),
            Zone("premium", ("3516", "35176", "35170")),
            Zone("europe", countries=EU_EEA),
        ),
        other_zone="world",
        bands=(TimeBand("day", WEEKDAYS, 9, 21),),
        other_band="evening",
        kept_days=180,
        kept_source="traffic data may be kept for billing as long as a bill can be challenged: Lei n.º 41/2004, art. 6(2) and (3); six months: Lei n.º 23/96, art. 10 [M]; "
        "numbers: Plano Nacional de Numeração [M]",
        limits=LimitRules(
            offered_before_contract=False,
            told_percent=80,
            roaming_minor=5000,
            roaming_reminder_minor=10000,
            source="Regulation (EU) 2022/612, art. 14: a cut-off near but not above 50 EUR without VAT unless another was chosen, a message at 80 % "
            "of it [M], another above 100 EUR",
        ),
        prepaid_refund=PrepaidRefundRules(
            days=10,
            working_days=True,
            fee_minor=100,
            fee_max_minor=100,
            source="to a consumer who ports and asks, within 10 working days, for a fee of at most 1 EUR that the contract has and that is proportionate: Regulamento ANACOM n.º 38/2025 "
            "(boino.pt, 2025-11), after Lei n.º 16/2022 and directive (EU) 2018/1972, art. 106(6); the fee itself, and that who gives the service up gets it alike: the operator's own practice",
        ),
    ),
    collections=CollectionRules(
        stages=USUAL_STAGES,
        warning_days=20,
        channels=("e-mail", "text-message"),
        promise_days_max=14,
        promises_max=2,
        source="stages and promises: the operator's own practice (billing facts, section 6.6); notice of 20 days before service is suspended for a bill that was not "
        "paid: Lei n.º 23/96, art. 5(2) [M]",
        agency="Exemplo Cobranças, Lda.",  # invented
        relief=BadDebtRelief(months=12, source="more than 12 months after the debt was due: Código do IVA, art. 78-A(2)(a) [M]"),
        late_interest=LateInterest(
            points=Decimal(8),
            rates=ECB_MAIN_REFINANCING,
            fixed_days_before=0,
            follows=True,
            sums=((0, 4_000),),
            source="Directive 2011/7/EU, art. 2(6) and (7) (8 points above the rate in force on 1 January or 1 July, for that half-year), 3 and 6 (40 EUR); "
            "Decreto-Lei n.º 62/2013, art. 4 and 7 [M]; of 365 days: practice [M]",
        ),
    ),
    price_changes=PriceChangeRules(
        notice_days=31,
        exit_right=True,
        source="at least one month's notice, and the longest month has 31 days; the right to end the contract without costs: Directive (EU) "
        "2018/1972, art. 105(4), Lei n.º 16/2022, art. 135 [M]",
    ),
    life=LifeRules(
        suspensions={
            "lost-phone": SuspensionRules(charged=True, extends_term=False, source="the operator's own practice"),
            "stolen-phone": SuspensionRules(charged=True, extends_term=False, source="the operator's own practice"),
            "seasonal": SuspensionRules(charged=False, extends_term=True, source="the operator's own practice"),
        },
        early_percent=30,
        sim_swap_hold_days=0,
        source="no more than the advantages that were given, nor than half of what was to come in the first half of the term and 30 % in the second: Lei n.º 16/2022, "
        "art. 136 [M]; 30 % throughout, and no hold after another SIM: the operator's own practice",
        port_out=PortOutRules(
            code_prefix="",
            code_digits=12,
            code_valid_days=3_650,
            grounds=("leaving", "locked"),
            words={
                "code": "CODE-MISMATCH",
                "code-expired": "CODE-EXPIRED",
                "leaving": "NUMBER-INACTIVE",
                "locked": "BARRED",
                "porting": "PORTING",
            },
            source="the CVP: see the rules for ports; it does not age, which ten years stand for; a lock by the customer: the operator's own practice; the words: as the "
            "simulated clearing house has them",
        ),
        end_notice=EndNoticeRules(
            days_before_max=60,
            days_before_min=10,
            told_days_before=30,
            best_price_months=12,
            businesses=True,
            source="in good time before a contract goes on by itself, with the best prices, and these once a year: Directive (EU) 2018/1972, art. 105(3); Lei n.º 16/2022, art. 131 [M]; the days: "
            "the operator's own practice; small businesses are told as consumers are, art. 105(2), and their size is not known here",
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
            source="Decreto-Lei n.º 24/2014, art. 10 (14 days after the day of the contract, of goods after the last came), 12 (refund within 14 days of the declaration, of goods not before "
            "they are back or proven sent), 13 (sent back within 14 days), 14 (loss of value), 15 (a service that was asked to begin is owed in proportion), 16 (ancillary contracts end); Regulation (EEC, Euratom) "
            "No 1182/71, art. 3(4), by recital 41 of Directive 2011/83/EU (a last day that is not worked) [M]; the percentages: the operator's own practice",
        ),
    ),
    care=CareRules(
        prospects=ProspectRules(
            kept_days=30,
            source="no longer than is necessary: Regulation (EU) 2016/679, art. 5(1)(e); thirty days of a basket that was left: the operator's own practice",
        ),
        complaints=ComplaintRules(
            answer_days=21,
            outside_days=0,
            deadlock_letter=False,
            body="the arbitration centre for consumer disputes of the district",
            source="an answer within 15 working days, taken as 21 days: Decreto-Lei n.º 156/2005, art. 5-B; arbitration at any time: Lei n.º 23/96, art. 15 [M]",
        ),
    ),
)


def _before(version: str, since: date, lead_working_days: int, law: str) -> Market:
    """The market as it was: numbers were late at 2.50 EUR a day, and no days were set for prepaid money that is asked back [M]."""
    delay = PortDelayRules(minor_per_day=250, working_days=False, source=f"2.50 EUR a number and day late: {law} [M]")
    ports = replace(PT.porting, lead_working_days=lead_working_days, delay=delay, source=f"{law} [M]; {PT.porting.source}")
    return replace(PT, version=version, valid_from=since, porting=ports, usage=replace(PT.usage, prepaid_refund=USUAL_PREPAID_REFUND))


PT_2012 = _before(
    "2012-03",
    date(2012, 3, 13),
    1,
    "one working day: Lei n.º 5/2004, art. 54(3), as amended by Lei n.º 51/2011, and Regulamento n.º 58/2005 as republished by Regulamento n.º 114/2012",
)
PT_2009 = _before(
    "2009-02",
    date(2009, 2, 18),
    3,
    "three working days for mobile numbers: Regulamento n.º 58/2005 as republished by Regulamento n.º 87/2009 (anacom.pt, contentId 1059170)",
)
