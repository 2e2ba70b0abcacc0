"""The United Kingdom: sterling, VAT, Bacs direct debits, porting by PAC on the next working day, the working days of England.

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
from o2c.markets.compensating import CompensationRules
from o2c.markets.interest import BANK_RATE
from o2c.markets.life import (
    ASKS_TO_START,
    IN_PERSON,
    OWN_GRADES,
    EndNoticeRules,
    LifeRules,
    PortDelayRules,
    PortOutRules,
    SuspensionRules,
    SwitchingRules,
    WithdrawalRules,
)
from o2c.markets.paying import CARDS, AgainRules
from o2c.markets.usage import EU_EEA, USUAL_PREPAID_REFUND, WEEKDAYS, LimitRules, TimeBand, UsageRules, Zone

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
            names=("VAT", "S"),  # S: standard rate in UNCL 5305, the categories of EN 16931
        ),
        TaxRate(
            group="reduced",
            percent=Decimal(5),
            valid_from=date(2001, 11, 1),
            source="Value Added Tax Act 1994, s. 29A and Schedule 7A [M]",
        ),
        TaxRate(
            group="zero",
            percent=Decimal(0),
            valid_from=date(1994, 9, 1),
            source="Value Added Tax Act 1994, s. 30 and Schedule 8 [M]",
            names=("Z", "zero-rated"),
            category="Z",
        ),
    ),
    bill_cycle_days=(1, 8, 15, 22),
    payment_terms_days=14,
    debits=DebitRules(
        scheme="Bacs Direct Debit",
        calendar=WorkCalendar(country="GB", subdivision="ENG", weekend=(5, 6)),
        notice_days=10,
        notice_in_bank_days=True,
        source="Bacs processing days: Monday to Friday without the bank holidays of England (Service User's Guide and Rules to the Direct Debit "
        "Scheme); advance notice of 10 working days unless another was agreed (Direct Debit Guarantee) [M]",
        again=AgainRules(
            after_days={"INSUFFICIENT-FUNDS": (3,)},
            hard=frozenset({"RETURNED", "NO-MANDATE", "CLOSED", "DECEASED"}),
            source="of the ARUDD reasons, 0 (refer to payer) may be presented again for the same amount within a month, 1 (cancelled), 2 (deceased), 5, 6 (no account, no "
            "instruction) and B (closed) not (Service User's Guide and Rules to the Direct Debit Scheme) [M]; once, three days later: the operator's own practice",
        ),
    ),
    cards=CARDS,
    order_horizon_days=180,  # the operators' own practice
    calendar=WorkCalendar(country="GB", subdivision="ENG", weekend=(5, 6)),
    porting=PortingRules(
        code_name="PAC",
        code_pattern="[A-Z]{3}[0-9]{6}",
        cutoff=time(17),
        lead_working_days=1,
        window_opens=time(9),
        window_closes=time(17),
        change_until=time(17),
        code_valid_days=30,
        bulk_from=25,
        donor_names_day=False,
        refusals={
            "CODE-EXPIRED": "NP-CODE",
            "NAME-MISMATCH": "NP-NAME",
            "NUMBER-INACTIVE": "NP-INACT",
            "BARRED": "NP-BAR",
            "REFUSED": "NP-BAR",
        },
        delay=PortDelayRules(
            minor_per_day=0,
            working_days=False,
            source="a duty to compensate in a reasonable way, without a tariff; Ofcom's automatic scheme covers fixed lines only: porting facts, section 3.1 [M]",
        ),
        source="one working day, a PAC valid for 30 days, the automatic process for 1 to 24 numbers: Ofcom General Conditions of "
        "Entitlement, C7, and Ofcom's rules on text-to-switch of 1 July 2019; requests frozen from 17:00 on the working day before: "
        "central clearing as an operator publishes it (developers.transatel.com, UK portability); opening hours: the operators' own practice",
    ),
    numbering=NumberingRules(
        region="GB",
        rests={
            # Nobody was ever called under it: a day, so that whatever was asked for it in the network is over.
            "never-used": NumberRest(days_min=1, days_max=7, former_customer_may_claim=False, source="the operator's own practice"),
            # In service for days, and known to few; its line goes on under the number brought in, so nobody lost it.
            "temporary": NumberRest(days_min=14, days_max=60, former_customer_may_claim=False, source="the operator's own practice"),
            # "At least one month", and the longest month has 31 days.
            "in-use": NumberRest(
                days_min=31,
                days_max=None,
                former_customer_may_claim=True,
                source="Ofcom General Conditions of Entitlement, C7.6(b), in force 3 April 2023",
            ),
        },
        returned_by="a ported number that ceases goes back to the operator to which its block was allocated: National Telephone Numbering Plan, "
        "and the operators' MNP manual [M]",
    ),
    # The card, its packing and its postage: an operator's own figure.
    sim_replacement_minor=450,
    # An operator's own terms.
    esim_charged_from="download",
    addresses=AddressRules(
        # No postcode area begins with Q, V or X, and no inward code has C, I, K, M, O or V.
        postcode="([A-PR-UWYZ][A-Z]?[0-9][A-Z0-9]?) ?([0-9][ABD-HJLNP-UW-Z]{2})",
        premises=r"[0-9]{1,5}[A-Z]?(?: ?[-/] ?[0-9]{1,5}[A-Z]?)? (?:.*\W)?[^\W\d_]{2}.*",
        unit="(?:flat|apartment|apt|unit|suite|studio|room|floor)\\.? [0-9A-Z]{1,5}",
        house_names=True,
        countries=frozenset({"united kingdom", "uk", "gb", "gbr", "great britain", "england", "scotland", "wales", "northern ireland"}),
        source="form of addresses: BS 7666; a building name in place of a number, and the letters of a postcode: Royal Mail Postcode Address "
        "File, programmers' guide [M]; postcodes in any case and spacing: GOV.UK Design System, addresses",
    ),
    credit=CreditRules(
        decision_days=30,
        notice_days=None,
        source="how long a decision holds: the operator's own policy; notice: Consumer Credit Act 1974, s. 157(A1) and (1) bind creditors under "
        "regulated agreements (with the decision, or on request), and a contract for service without a loan is none [M]; how long a deposit is kept: no "
        "statute says it for telecoms, so the operators' own practice, three bills paid in time [M]",
        deposit_good_bills=3,
    ),
    invoicing=InvoicingRules(
        # The invented operator of the simulation; its VAT number has the check digits of one and was made up.
        supplier=Supplier(
            entity="GB1",
            name="Example Mobile Ltd",
            address=("1 Exchange Square",),
            postcode="ZZ1 1AA",
            city="Testford",
            country="GB",
            tax_id="GB123456782",
        ),
        note_approved_above_minor=10_000,
        refund_approved_above_minor=10_000,
        law="The Value Added Tax Regulations 1995, reg. 14(1); credit notes: reg. 15C [M]",
        instalments_at_end="on-plan",
        credit_returned_source="providers give what who leaves has in credit back by themselves, as Ofcom had them do (unused credit of customers who switch, 2012) [M]; 14 days: the operator's own practice",
        instalments_source="Consumer Credit Act 1974, s. 87(1) [M]: what is not due yet is demanded of a consumer only after a default notice; "
        "s. 94 [M]: the customer may pay early at any time",
    ),
    usage=UsageRules(
        zones=(
            Zone("national", ("44",)),
            Zone("mobile", ("447",)),
            Zone("premium", ("449", "44118", "4470", "4484", "4487")),
            Zone("europe", countries=EU_EEA),
        ),
        other_zone="world",
        bands=(TimeBand("day", WEEKDAYS, 7, 19),),
        other_band="evening",
        kept_days=365,
        kept_source="traffic data may be kept for billing until a bill can no longer be challenged: Privacy and Electronic Communications (EC "
        "Directive) Regulations 2003, reg. 7(2) and 8(2); a year: the operator's own practice; numbers: National Telephone Numbering Plan [M]",
        limits=LimitRules(
            offered_before_contract=True,
            told_percent=80,
            roaming_minor=4500,
            roaming_reminder_minor=None,
            source="Communications Act 2003, s. 124S, in force 1 October 2018; 45 GBP for mobile data abroad: the Mobile Roaming (EU Exit) "
            "Regulations 2019, reg. 3, no longer in force, kept as the operator's own practice [M]; told at 80 %: the operator's own practice",
        ),
        prepaid_refund=replace(
            USUAL_PREPAID_REFUND,
            source="to a consumer who switches and asks, for a fee only if the contract has one, proportionate to what it costs: Ofcom General Conditions of Entitlement, C7, made after "
            "directive (EU) 2018/1972, art. 106(6) [M]; no days and no sum are set there; 14 days, no fee, and that who gives the service up gets it alike: the operator's own practice",
        ),
    ),
    collections=CollectionRules(
        stages=USUAL_STAGES,
        warning_days=7,
        channels=("e-mail", "text-message"),
        promise_days_max=14,
        promises_max=2,
        plan_source="the operator's own practice; payment plans for who cannot pay at once: Ofcom, Treating vulnerable customers fairly guide [M]",
        source="stages and promises: the operator's own practice (billing facts, section 6.6); due warning, and measures that are proportionate and do not "
        "discriminate: Ofcom General Conditions of Entitlement, C3 [M]",
        agency="Example Collections Ltd",  # invented
        relief=BadDebtRelief(
            months=6,
            source="six months after the later of supply and due day, once written off in the accounts: Value Added Tax Act 1994, s. 36; The Value Added "
            "Tax Regulations 1995, reg. 166; VAT Notice 700/18, s. 2 [M]",
        ),
        late_interest=LateInterest(
            points=Decimal(8),
            rates=BANK_RATE,
            fixed_days_before=1,
            follows=False,
            sums=((0, 4_000), (100_000, 7_000), (1_000_000, 10_000)),
            source="Late Payment of Commercial Debts (Interest) Act 1998, s. 1, 4 (simple, from the day after the due day) and 5A (40, 70 or 100 GBP for a debt "
            "below 1,000, below 10,000, from 10,000 GBP on); 8 % above the official dealing rate in force on 30 June or 31 December before the interest "
            "begins to run: Late Payment of Commercial Debts (Rate of Interest) (No. 3) Order 2002, SI 2002/1675, art. 4; of 365 days: practice [M]",
            charged=True,
            charged_source="it is an implied term of the contract that the debt carries interest, without any demand: Late Payment of Commercial Debts "
            "(Interest) Act 1998, s. 1(1), and the fixed sum with it, s. 5A(1); that bills charge it: the operator's own practice",
        ),
    ),
    price_changes=PriceChangeRules(
        notice_days=30,
        exit_right=True,
        source="notice of at least 30 days and the right to exit: Ofcom General Conditions of Entitlement, C1.14 to C1.17 [M]; a rise that a contract "
        "provides for is stated in pounds and pence, in contracts of from 17 January 2025 on: C1.8 as amended by Ofcom's statement of 19 July 2024 [M]",
    ),
    life=LifeRules(
        suspensions={
            "lost-phone": SuspensionRules(charged=True, extends_term=False, source="the operator's own practice"),
            "stolen-phone": SuspensionRules(charged=True, extends_term=False, source="the operator's own practice"),
            "seasonal": SuspensionRules(charged=False, extends_term=True, source="the operator's own practice"),
        },
        early_percent=100,
        sim_swap_hold_days=0,
        source="charges that stand in the contract, no more than what was still to come: Ofcom General Conditions of Entitlement, C1.8 [M]; no hold after another SIM by law: the operator's own practice",
        port_out=PortOutRules(
            code_prefix="EXO",  # invented
            code_digits=6,
            code_valid_days=30,
            grounds=("leaving", "sim-swap", "locked"),
            words={
                "code": "CODE-MISMATCH",
                "code-expired": "CODE-EXPIRED",
                "leaving": "NUMBER-INACTIVE",
                "sim-swap": "BARRED",
                "locked": "BARRED",
                "porting": "PORTING",
            },
            source="a PAC is three letters that name the provider and six digits, is good for 30 days, and is given within a minute of a text to 65075, with the charge for an "
            "early end and the balance: Ofcom General Conditions of Entitlement, C7.7 to C7.20 [M]; debt is no ground; a hold after another SIM and a lock by the customer: the operator's own practice; "
            "the words: as the simulated clearing house has them",
        ),
        switching=SwitchingRules(
            reference_valid_days=30,
            told_within_s=60,
            words={"no-match": "NO-MATCH", "ambiguous": "AMBIGUOUS"},
            source="One Touch Switch since 12 September 2024: the gaining provider asks, matches by name and address, and the losing one tells the customer at once what switching means: Ofcom "
            "General Conditions of Entitlement, C7; within 60 seconds, and good for 30 days: TOTSCO, OTS industry process [M]; the words: this house's own",
        ),
        end_notice=EndNoticeRules(
            days_before_max=40,
            days_before_min=10,
            told_days_before=30,
            best_price_months=12,
            businesses=True,
            source="an end-of-contract notification between 10 and 40 days before the end of the fixed commitment period, and best tariff information each year after it: "
            "Ofcom General Conditions of Entitlement, C1.21 to C1.26 [M]; 30 days: the operator's own practice; how large a business is is not known here, so that all are told, "
            "as small ones must be [M]",
        ),
        compensation=CompensationRules(
            specifications=frozenset({"spec-access"}),
            late_start=(
                (date(2019, 4, 1), 500),
                (date(2021, 4, 1), 504),
                (date(2022, 4, 1), 525),
                (date(2023, 4, 1), 583),
                (date(2024, 4, 1), 610),
                (date(2025, 4, 1), 624),
                (date(2026, 4, 1), 646),
            ),
            missed_visit=(
                (date(2019, 4, 1), 2_500),
                (date(2021, 4, 1), 2_518),
                (date(2022, 4, 1), 2_624),
                (date(2023, 4, 1), 2_915),
                (date(2024, 4, 1), 3_049),
                (date(2025, 4, 1), 3_119),
                (date(2026, 4, 1), 3_231),
            ),
            businesses=False,
            within_days=30,
            source="Ofcom, automatic compensation: statement of 10 November 2017 and the industry's voluntary code of practice, which this operator is taken to have signed: a sum for each calendar day "
            "from the missed start date, that one included, and for each visit that nobody makes or that is called off within 24 hours; residential landline and broadband; credited within 30 calendar days; since "
            "April 2021 raised each 1 April by the consumer price index of the October before. Of 2019 and from 2023 on as published, 2021 and 2022 [M]; not owed for days that the customer brought about",
        ),
        withdrawal=WithdrawalRules(
            days=14,
            to_working_day=False,
            in_person=IN_PERSON,
            asks_to_start=ASKS_TO_START,
            refund_days=14,
            days_from_goods=True,
            send_back_days=14,
            kept_percent=OWN_GRADES,
            source="Consumer Contracts (Information, Cancellation and Additional Charges) Regulations 2013, SI 2013/3134: reg. 29 (the right), 30 (14 days after the day of the "
            "contract, of goods after the last came), 34 (refund within 14 days, of goods after they are back or proven sent; what is kept for a loss of value), 35 (sent back within 14 "
            "days), 36 (a service that was asked to begin within the period is owed in proportion), 38 (ancillary contracts end); the percentages: the operator's own practice",
        ),
    ),
    care=CareRules(
        prospects=ProspectRules(
            kept_days=30,
            source="no longer than is necessary: UK GDPR, art. 5(1)(e); thirty days of a basket that was left: the operator's own practice",
        ),
        complaints=ComplaintRules(
            answer_days=0,
            outside_days=56,
            deadlock_letter=True,
            body="the operator's scheme for alternative dispute resolution",
            source="eight weeks, or a letter of deadlock before: Ofcom General Conditions of Entitlement, C4 and the Ofcom Approved Complaints Code [M]",
        ),
    ),
)
