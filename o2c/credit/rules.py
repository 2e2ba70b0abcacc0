"""When the credit gate of an order passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from o2c.credit import reports
from o2c.credit.events import CreditApproved, CreditDeclined, CreditNoticeRequested, CreditNoticeSent, DepositReceived, DepositReleased
from o2c.credit.policy import PACKAGED, CreditPolicies
from o2c.customers.events import CreditCommitted, CreditNoticeOwed, CustomerContacted
from o2c.customers.state import CREDIT_NOTICE, stream_of
from o2c.kernel.balances import DepositFreed, DepositKept, DepositRetained
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.money import from_minor
from o2c.kernel.partner import Answer, Answered, RefusedBy
from o2c.kernel.periods import local_date, stamp
from o2c.kernel.reasons import DEFECT, UNCLASSIFIED
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.orders.changing import payer_in
from o2c.orders.rollup import order_state

NO_REPORT = frozenset({"CR-TIMEOUT", DEFECT, UNCLASSIFIED})
"""The reasons to decline that rest on no report."""
TOO_MUCH_TIMES = 2
"""A deposit of more than so many times what is missing asks again."""


def search(work: Work) -> Mapping[str, Any]:
    """Give the body of a search, consumer or business: customer, commitment and currency.

    The commitment is what the customer commits to in all, in net minor units: by all lines of the order (see `commitment_minor`), and by
    its other orders that still ran when it was given. One search for all, because the bureau may record every call. Source: identifiers,
    inventory and credit facts, section on credit checks.
    """
    return {"customer": work.state.party, "commitment_minor": reports.asked_minor(work), "currency": work.market.currency}


def judged(work: Work, answer: Answer, at: datetime, *, policies: CreditPolicies) -> Answer:
    """Judge a bureau's answer by our own policy (see `CreditPolicy`).

    An approval up to a limit is none for an order that goes beyond it, with all else that the customer commits to: an underwriter decides
    such an order, because the bureau was asked about the customer already. What is approved against the bureau's word is approved up to a
    limit: of what the policy trusts without an underwriter, or of what the customer commits to now where a small deposit is not asked for.
    """
    policy = policies.of(work.market.code)
    match answer:
        case Answered(data) if limit_minor := int(data.get("limit_minor", 0)):
            exposure_minor = reports.exposure_minor(work, at)
            if exposure_minor * 100 > limit_minor * policy.limit_percent:
                return RefusedBy("LIMIT", {**data, "exposure_minor": exposure_minor, "currency": work.market.currency})
        case RefusedBy("REFER", data) if policy.trusted_up_to_minor and reports.exposure_minor(work, at) <= policy.trusted_up_to_minor:
            return Answered({**data, "limit_minor": policy.trusted_up_to_minor, "bureau_code": "REFER"})
        case RefusedBy("DEPOSIT", data) if bureau_minor := int(data.get("deposit_minor", 0)):
            wanted_minor = -(-bureau_minor * policy.deposit_percent // 100)
            if wanted_minor < policy.deposit_from_minor:
                return Answered({**data, "limit_minor": reports.exposure_minor(work, at), "bureau_code": "DEPOSIT"})
            if wanted_minor != bureau_minor:
                return RefusedBy("DEPOSIT", {**data, "deposit_minor": wanted_minor, "bureau_minor": bureau_minor})
    return answer


def approved(work: Work, data: Mapping[str, Any], at: datetime, *, policies: CreditPolicies) -> Decision:
    """Decide that the gate passes by the bureau's answer, with its credit limit in minor units (0: no limit).

    The answer and what the order commits to are kept with the customer in the same command, so that of two orders decided at once the
    second sees the first.
    """
    limit_minor, commitment = int(data.get("limit_minor", 0)), reports.committed(work, at)
    had = "expires_at" in data
    result = reports.RESULTS.get(data.get("bureau_code", ""), "limit" if limit_minor else "approved")
    report = reports.decided(work, data, result, at, policy=policies.version, commitment=commitment)
    done = CreditApproved(
        attempt=work.attempt,
        decided_by="bureau",
        limit_minor=limit_minor,
        policy=policies.version,
        committed_minor=commitment.amount_minor,
        search=data.get("search", "") if had else report.search,
        reused_from=data.get("reused_from", "") if had else "",
        expires_at=data["expires_at"] if had else stamp(report.expires_at),
    )
    return just(done) + (_commit(work, at) if had else _with_customer(work, report))


def decide(work: Work, approve: bool, at: datetime) -> Decision:
    """Decide as an underwriter said, or as the bureau said for good: approved, or declined under the reason on record.

    The customer is told of a decline that rests on a report, where the market's law wants that (see `notice`).
    """
    if approve:
        return _approved_by("person", work, at)
    declined = just(CreditDeclined(attempt=work.attempt, reason=work.reason or "CR-DECLINE"))
    return declined if work.reason in NO_REPORT else declined + notice(work, work.reason or "CR-DECLINE", at)


def asked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the further fields of the fallout: the amount of a deposit (minor units) and its currency, the order that had the search
    made."""
    fields = {"reused_from": data["reused_from"]} if data.get("reused_from") else {}
    if "exposure_minor" in data:
        exposure, limit = (from_minor(int(data[name]), str(data["currency"])) for name in ("exposure_minor", "limit_minor"))
        return {**fields, "detail": f"{exposure} {data['currency']} in all, beyond the limit of {limit}"}
    if "deposit_minor" not in data:
        return fields
    amount_minor, currency = int(data["deposit_minor"]), str(data["currency"])
    detail = f"a deposit of {from_minor(amount_minor, currency)} {currency}"
    return {**fields, "deposit_minor": amount_minor, "currency": currency, "detail": detail}


def refused(work: Work, code: str, data: Mapping[str, Any], at: datetime, *, policies: CreditPolicies) -> Decision:
    """Keep a bureau's refusal with the customer, unless it is one that was had already, and open the duty of a notice about a deposit.

    In the United States a deposit asked for because of a credit report is adverse action as a decline is. Source: 15 USC 1681m; FTC
    advisory opinion to CommNet Cellular, 28 July 1998.
    """
    result = "" if "expires_at" in data else reports.RESULTS.get(code, "")
    kept = _with_customer(work, reports.decided(work, data, result, at, policy=policies.version, commitment=None)) if result else NOTHING
    return kept + (notice(work, "CR-DEPOSIT", at) if code == "DEPOSIT" else NOTHING)


def notice(work: Work, reason: str, at: datetime) -> Decision:
    """Open the duty of a notice to the customer, once an order; nothing where the market's law has no such duty.

    Source: 15 USC 1681m(a), where it is the law; the market names days and source.
    """
    days = work.market.credit.notice_days
    if days is None or "credit-notice" in work.outcomes:
        return NOTHING
    owed_by = (local_date(at, work.market.zone) + timedelta(days=days)).isoformat()
    owed = CreditNoticeOwed(order=work.state.order_id, reason=reason, owed_by=owed_by)
    return just(CreditNoticeRequested(due_at=at)) + _with_customer(work, owed)


def noticed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the notice goes out: a letter to the customer, about this order."""
    told = CustomerContacted(customer=work.state.party, medium="mail", direction="outbound", topic=CREDIT_NOTICE, order=work.state.order_id)
    return just(CreditNoticeSent(attempt=work.attempt)) + _with_customer(work, told)


def _approved_by(whom: str, work: Work, at: datetime) -> Decision:
    amount_minor = reports.committed(work, at).amount_minor
    done = CreditApproved(attempt=work.attempt, decided_by=whom, limit_minor=0, policy=PACKAGED.version, committed_minor=amount_minor)
    return just(done) + _commit(work, at)


def _commit(work: Work, at: datetime) -> Decision:
    amount_minor, runs_to = reports.committed(work, at)
    event = CreditCommitted(order=work.state.order_id, committed_minor=amount_minor, currency=work.market.currency, committed_to=runs_to)
    return _with_customer(work, event)


def _with_customer(work: Work, event: Event) -> Decision:
    return Decision(elsewhere=((stream_of(work.state.party), event),))


def deposit(
    work: Work,
    *,
    amount_minor: int,
    currency: str,
    reference: str,
    method: str,
    arrived_on: str = "",
    today: str = "",
    sure: bool = False,
    at: datetime,
) -> Decision:
    """Record money that came as a deposit; the gate passes once all instalments reach the amount that the bureau wanted.

    Amounts are minor units. Any amount will do where the bureau named none, and more than wanted is taken too: money that came cannot be
    refused. Nor can what comes once the order waits for it no more: an order that goes on keeps it, and of one that is over it is what any
    deposit is then (`release`). More than twice what is missing, and money for an order that never waited for a deposit, is a slip of the
    keyboard until somebody is `sure`. The account that pays for that of the order keeps the deposit. A deposit is told by its reference,
    its day and its amount: all three the same are the same deposit and change nothing. Days are ISO dates; where `arrived_on` is empty,
    `today` is meant.

    Raises Refused: conflict (the order never waited for a deposit, or is not validated, so that no account is its own; the same reference
    and amount on another day and nobody said which day is meant; far more than is missing), usage (an amount of nothing, another currency).
    """
    state, day = work.state, arrived_on or today
    if _came_before(work, amount_minor, currency, reference, arrived_on, today):
        return just()
    wanted = work.outcomes.get("credit", {})
    waits = work.reason == "CR-DEPOSIT" and bool(work.waiting_for)
    if not waits:
        _refuse_unasked(work, asked="deposit_minor" in wanted or work.reason == "CR-DEPOSIT" or bool(state.had("", "credit")), sure=sure)
    if currency != (wanted.get("currency") or work.market.currency):
        raise Refused(f"{work.stream}: the deposit is wanted in {wanted.get('currency') or work.market.currency}, not in {currency}")
    if amount_minor <= 0:
        raise Refused(f"{work.stream}: a deposit is more than nothing; say how much came")
    wanted_minor = int(wanted.get("deposit_minor", 0))
    open_minor = max(wanted_minor - sum(one["amount_minor"] for one in state.kept("", "credit")), 0)
    if open_minor and amount_minor > TOO_MUCH_TIMES * open_minor and not sure:
        told, missing = (f"{from_minor(minor, currency)} {currency}" for minor in (amount_minor, open_minor))
        raise Refused(f"{work.stream}: {told} is far above the {missing} that is missing; say `--yes` if so much came", kind="conflict")
    missing_minor = max(open_minor - amount_minor, 0) if waits else 0
    received = DepositReceived(
        amount_minor=amount_minor,
        currency=currency,
        method=method,
        reference=reference,
        wanted_minor=wanted_minor if waits else 0,
        missing_minor=missing_minor,
        arrived_on=day,
    )
    payer = payer_in(state, state.account)
    kept = DepositKept(
        account=payer, customer=state.party, currency=currency, amount_minor=amount_minor, order=state.order_id, method=method
    )
    came = Decision((received,), ((account_stream(payer), kept),))
    if not waits:
        return came + (_freed(work, amount_minor, currency) if state.closed else NOTHING)
    return came if missing_minor else came + _approved_by("deposit", work, at)


def _came_before(work: Work, amount_minor: int, currency: str, reference: str, arrived_on: str, today: str) -> bool:
    """Whether a deposit was recorded before. Raises Refused (conflict) when the same came on another day and nobody said which is meant."""
    told = reference, amount_minor, currency
    same = [one["arrived_on"] for one in work.state.had("", "credit") if (one["reference"], one["amount_minor"], one["currency"]) == told]
    if (arrived_on or today) in same or "" in same:
        return True
    if same and not arrived_on:
        raise Refused(f"{work.stream}: the same came on {same[-1]}; say `--on {today}` if this is another deposit", kind="conflict")
    return False


def _refuse_unasked(work: Work, *, asked: bool, sure: bool) -> None:
    """Raises Refused (conflict) for money of an order that never waited for a deposit, unless somebody is sure, and of one without its own
    account."""
    if work.state.progress.gates.get("validation") != "done":
        why = "is not validated, so that no account is known to be its customer's"
        raise Refused(f"{work.stream} waits for no deposit and {why}; keep the money apart until it is", kind="conflict")
    if not asked and not sure:
        raise Refused(f"{work.stream} waits for no deposit and never did; say `--yes` if the money came for it", kind="conflict")


def release(work: Work, at: datetime) -> Decision:
    """Let go of the deposit of an order that is over: of a completed one the account retains it for as many good bills as the market wants,
    or has it as a credit at once where that wants none; of any other it is owed back."""
    kept = work.state.kept("", "credit")
    if not kept:
        return just()
    return _freed(work, sum(one["amount_minor"] for one in kept), kept[-1]["currency"])


def _freed(work: Work, amount_minor: int, currency: str) -> Decision:
    state, good_bills = work.state, work.market.credit.deposit_good_bills
    payer = payer_in(state, state.account)
    stream, completed = account_stream(payer), order_state(state.progress) in ("completed", "partial")
    of_order = {
        "account": payer,
        "customer": state.party,
        "currency": currency,
        "amount_minor": amount_minor,
        "order": state.order_id,
    }
    if completed and good_bills:
        retained = DepositRetained.model_validate({**of_order, "good_bills": good_bills})
        return Decision((DepositReleased(amount_minor=amount_minor, currency=currency, becomes="retained"),), ((stream, retained),))
    becomes: Literal["credit", "owed"] = "credit" if completed else "owed"
    freed = DepositFreed.model_validate({**of_order, "becomes": becomes})
    return Decision((DepositReleased(amount_minor=amount_minor, currency=currency, becomes=becomes),), ((stream, freed),))
