"""Asking simulated partners as the runner does, for the tests of their answers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from o2c.kernel.partner import Accepted, Answer, Partner, Request, Unknown
from o2c.partners.registry import simulated_partners
from o2c.plan import STEPS

KEYS = 20_000
SEED = 7
MONDAY = datetime(2026, 1, 5, 10, tzinfo=UTC)
SIM = {"iccid": "8944100000000000006"}
LINE = {**SIM, "msisdn": "+447700900123"}
ADDRESS = {"address": "1 Mill Lane, Testford, ZZ1 1AA"}
PAPERS = {"kind": "individual", "name": "Ada Example", "birth_date": "1980-02-29"}
BILL = {"number": "BA-1001-20260108", "currency": "GBP", "open_minor": 2399, "issued_on": "2026-01-08", "due_on": "2026-01-22"}
DAY = timedelta(days=1)
BODIES: Mapping[str, Mapping[str, Any]] = {
    "identity": PAPERS,
    "credit": {"customer": "C-1001", "commitment_minor": 47_976, "currency": "GBP"},
    **dict.fromkeys(("esim", "esim-cancel", "esim-download"), SIM),
    "activation": {"offering": "mobile-line", **LINE},
    "qualification": {**ADDRESS, "offering": "fibre"},
    **{key: {**ADDRESS, "line_id": "LINE-0000000001"} for key in ("appointment", "appointment-cancel")},
    "delivery": {**SIM, **ADDRESS},
    "porting": {"msisdn": "+447700900123", "code": "ABC123456"},
    **dict.fromkeys(("cutover", "porting-cancel"), LINE),
    "payment": {**BILL, "method": "card"},
    "refund": {
        "refund": "BA-1001-R1",
        "amount_minor": 500,
        "currency": "GBP",
        "method": "card",
        "reference": "PMT-1",
        "opened_on": "2026-01-05",
    },
    "number-change": {"attributes": ["number"], "offering": "mobile-line", **LINE, "replaced": {"msisdn": "+447700910001"}},
    "service-change": {"product": "A:1", "attributes": ["offering"], "offering": "mobile-plus", **LINE},
    "port-out": {"product": "A:1", "attributes": ["termination"], "offering": "mobile-plus", "status": "terminated", **LINE},
    "switch-out": {"product": "A:1", "attributes": ["termination"], "offering": "fibre", "status": "terminated"},
    "activation-cancel": {"offering": "mobile-line", "status": "terminated", **LINE},
    "service-change-cancel": {"product": "A:1", "attributes": ["offering"], "offering": "mobile-line", "status": "active", **LINE},
    "product-off": {"product": "A:1", "attributes": ["termination"], "offering": "mobile-plus", "status": "terminated", **LINE},
    "reactivation": {"product": "A:1", "attributes": ["status"], "offering": "mobile-plus", "status": "active", **LINE},
    "withdrawal-switch-off": {"product": "A:1", "attributes": ["termination"], "offering": "mobile-line", "status": "terminated", **LINE},
    "switch-match": {"losing": "Other Fibre", "customer": "C-1001", **ADDRESS, "account": ""},
    **{step: {"losing": "Other Fibre", "reference": "SOR-1"} for step in ("switch-order", "switch-trigger", "switch-cancel")},
    "goods-return": {"imei": "001010120000003", "return": True},
    "port-out-cutover": {"reference": "PRT-901", **LINE},
    "barring": {"account": "BA-1001", "level": "soft", "lines": []},
}


def asked(step: str, number: int = 0, *, attempt: int = 1, at: datetime = MONDAY, **body: Any) -> Request:
    """A step's request as the runner sends it."""
    stream = f"order-{number}"
    return Request(f"{stream}/1/{step}/{attempt}", stream, "1", step, attempt, at, {**BODIES[step], **body})


def partner_of(step: str, seed: int = SEED) -> Partner:
    return simulated_partners(seed)[STEPS[step].partner]


def assert_near(count: int, percent: float, of: int = KEYS) -> None:
    """Within four standard deviations of what chance alone would give."""
    share = percent / 100
    assert abs(count - of * share) <= 4 * (of * share * (1 - share)) ** 0.5, (count, percent)


def until_the_end(partner: Partner, request: Request) -> Iterator[tuple[Request, Answer]]:
    """Submit, then query whenever told, as the runner does, up to the last answer."""
    answer = partner.submit(request)
    yield request, answer
    while isinstance(answer, Accepted | Unknown):
        assert answer.ask_again_at > request.at
        request = replace(request, at=answer.ask_again_at)
        answer = partner.query(request)
        yield request, answer
