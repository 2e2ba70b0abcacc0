"""What a bureau said about a customer, and how long and for which orders that holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.customers.events import CreditDecided
from o2c.customers.state import Credit, CustomerState, stream_of
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.names import folded
from o2c.kernel.partner import Answer, Answered, RefusedBy
from o2c.kernel.periods import local_date, stamp
from o2c.kernel.recurrence import Recurrence
from o2c.kernel.work import Work
from o2c.orders.planning import commitment_minor, commitment_months

_MONTH = Recurrence("month")
RESULTS = {"REFER": "refer", "DEPOSIT": "deposit", "DECLINE": "decline", "LIMIT": "limit"}
"""Our word for a result of the bureau, by its code of refusal."""


class Commitment(NamedTuple):
    """What an order commits to, in net minor units, and the day (ISO, local to the market) up to which."""

    amount_minor: int
    runs_to: str


def streams_read(work: Work) -> tuple[str, ...]:
    """Name the streams that the gate reads: the catalogue version that the order pinned, for the prices, and the customer's own."""
    return (_catalogue(work), stream_of(work.state.party))


def committed(work: Work, at: datetime) -> Commitment:
    """Give what the order commits to from now on."""
    catalogue = work.read[_catalogue(work)]
    runs_to = _MONTH.begins(local_date(at, work.market.zone), commitment_months(work.state, catalogue))
    return Commitment(commitment_minor(work.state, catalogue), runs_to.isoformat())


def exposure_minor(work: Work, at: datetime) -> int:
    """Give what the customer commits to in all, in net minor units: by this order, and by all others that did not end and still run."""
    today = local_date(at, work.market.zone).isoformat()
    used_minor = credit_of(work).used_minor(work.market.currency, today, but=work.state.order_id)
    return used_minor + committed(work, at).amount_minor


def asked_minor(work: Work) -> int:
    """Give what the bureau is asked about, in net minor units: all that the customer commits to as of the time of the order."""
    return exposure_minor(work, work.state.captured_at)


def credit_of(work: Work) -> Credit:
    """Give how the order's customer stands with credit."""
    return _customer(work).credit


def applicant(work: Work) -> str:
    """Give the digest of the applicant's data: while it is the same, so is the applicant. It tells spellings of one name apart from no
    other."""
    papers = _customer(work).papers
    return digest(json.dumps([papers.kind, folded(papers.name), papers.birth_date, folded(papers.address)])) if papers else ""


def search_key(work: Work) -> str:
    """Give the key of the next search about the customer, the same for all its orders and for every attempt, until an answer is had.

    So two orders decided at once are one search, and so is an attempt after a failure. It holds nothing of the customer's that can be read.
    Source: identifiers, inventory and credit facts, section on credit checks (repeat only with the same reference).
    """
    return derived_id("credit-search", work.state.party, str(credit_of(work).searches))


def report_had(work: Work, at: datetime) -> Answer | None:
    """Give the bureau's answer that still holds, so that no search is made: not expired, and about the same data of the applicant.

    An order that was referred before answers were kept with the customer stays referred under the answer on its own record.
    """
    report = credit_of(work).reports.get(work.market.currency)
    if report is None:
        return _on_own_record(work)
    return _answer(work, report, at) if report.expires_at > at and report.applicant == applicant(work) else None


def _on_own_record(work: Work) -> Answer | None:
    known = {"CR-REFER": "REFER", "CR-DEPOSIT": "DEPOSIT"}.get(work.reason, "")
    wanted = work.outcomes.get("credit", {})
    data = {name: wanted[name] for name in ("deposit_minor", "currency") if wanted.get(name)}
    return RefusedBy(known, {**data, "expires_at": ""}) if known else None


def _answer(work: Work, report: CreditDecided, at: datetime) -> Answer:
    own = report.order == work.state.order_id
    facts = {"search": report.search, "reused_from": "" if own else report.order, "expires_at": stamp(report.expires_at)}
    match report.result:
        case "approved":
            return Answered(facts)
        case "limit":
            return Answered({**facts, "limit_minor": report.limit_minor})
        case "deposit":
            return RefusedBy("DEPOSIT", {**facts, "deposit_minor": _share_minor(work, report, at), "currency": report.currency})
        case "refer" | "decline":
            return RefusedBy(report.result.upper(), facts)


def _share_minor(work: Work, report: CreditDecided, at: datetime) -> int:
    """Give the deposit for this order: as large a part of what it is about as the bureau wanted, rounded up to a minor unit."""
    if report.order == work.state.order_id or not report.asked_minor or not report.deposit_minor:
        return report.deposit_minor
    return max(-(-report.deposit_minor * committed(work, at).amount_minor // report.asked_minor), 1)


def decided(work: Work, data: Mapping[str, Any], result: str, at: datetime, *, policy: str, commitment: Commitment | None) -> CreditDecided:
    """Give the bureau's answer as it is kept with the customer; `commitment` is that of the order, None unless it was approved by it."""
    return CreditDecided.model_validate(
        {
            "order": work.state.order_id,
            "search": search_key(work),
            "result": result,
            "asked_minor": asked_minor(work),
            # The bureau's own words, not what our policy made of them: each order is judged by the policy of its own day.
            "limit_minor": int(data.get("limit_minor", 0)) if result == "limit" else 0,
            "deposit_minor": int(data.get("bureau_minor", data.get("deposit_minor", 0))),
            "currency": work.market.currency,
            "committed_minor": commitment.amount_minor if commitment else 0,
            "committed_to": commitment.runs_to if commitment else "",
            "expires_at": at + timedelta(days=work.market.credit.decision_days),
            "policy": policy,
            "applicant": applicant(work),
        }
    )


def _catalogue(work: Work) -> str:
    return f"{CATALOGUE}@{work.state.catalogue_version}"


def _customer(work: Work) -> CustomerState:
    return work.read[stream_of(work.state.party)] or CustomerState()
