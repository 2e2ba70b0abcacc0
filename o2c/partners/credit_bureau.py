"""The credit bureau, simulated and over HTTP: approves, approves up to a limit, wants a deposit, refers or declines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from o2c.kernel.chance import pick
from o2c.kernel.partner import Answer, Answered, RefusedBy, Request
from o2c.partners import faults

if TYPE_CHECKING:
    from o2c.partners.http import Endpoint

RESULT_PERCENTS = (("", 88.0), ("LIMIT", 4.0), ("DEPOSIT", 3.0), ("REFER", 3.0), ("DECLINE", 2.0))
LIMIT_STEP_MINOR = 1_000
DEPOSIT_STEP_MINOR = 1_000
DEPOSIT_PERCENT_MIN, DEPOSIT_PERCENT_MAX = 20, 50
ASKED_WITH = ("customer", "commitment_minor", "currency")


@dataclass(frozen=True, slots=True)
class SimulatedCreditBureau:
    """Answers at once. The result depends on the customer and the commitment alone, so only another party or order changes it."""

    seed: int

    def submit(self, request: Request) -> Answer:
        """Approve (with `limit_minor` where there is a limit), or refuse with DEPOSIT (`deposit_minor`, `currency`), REFER or DECLINE."""
        customer, commitment = request.body.get("customer", ""), request.body.get("commitment_minor", 0)
        code = pick(self.seed, faults.place(request), 0, f"credit {customer} {commitment}", RESULT_PERCENTS)
        if code == "LIMIT":
            return Answered({"limit_minor": self._limit_minor(request, int(commitment))})
        if code == "DEPOSIT":
            return RefusedBy(code, self._deposit(request, int(commitment)))
        return RefusedBy(code) if code else Answered()

    def query(self, request: Request) -> Answer:
        """Give the same result again."""
        return self.submit(request)

    def _limit_minor(self, request: Request, commitment_minor: int) -> int:
        """From what was asked for to three times as much, in whole steps and never nothing."""
        percent = 100 + faults.whole(self.seed, request, "limit", 201)
        return _in_steps(commitment_minor * percent, LIMIT_STEP_MINOR)

    def _deposit(self, request: Request, commitment_minor: int) -> dict[str, Any]:
        """A fifth to a half of what was asked for, in whole steps and never nothing."""
        percent = DEPOSIT_PERCENT_MIN + faults.whole(self.seed, request, "deposit", DEPOSIT_PERCENT_MAX - DEPOSIT_PERCENT_MIN + 1)
        amount_minor = _in_steps(commitment_minor * percent, DEPOSIT_STEP_MINOR)
        return {"deposit_minor": amount_minor, "currency": request.body.get("currency", "GBP")}


def _in_steps(hundredths: int, step_minor: int) -> int:
    """Hundredths of a minor unit rounded up to whole steps, at least one."""
    return max(-(-hundredths // (100 * step_minor)), 1) * step_minor


@dataclass(frozen=True, slots=True)
class CreditBureau:
    """The bureau over HTTP: `POST searches` asks for one search, `GET searches/KEY` (the request key, percent-encoded) for its result.

    The request carries `customer`, `commitment_minor` and `currency`. Both answers are an object of `result` (approved, limit, deposit,
    refer, decline), `limit_minor` with a limit, `deposit_minor` with a deposit, and the `currency` of either. An answer that cannot be read
    is an unknown outcome.
    """

    endpoint: Endpoint

    def submit(self, request: Request) -> Answer:
        """Ask for a search, with the request key against doubles. KeyError for a request without customer, commitment or currency."""
        return self.endpoint.submit("searches", request, {name: request.body[name] for name in ASKED_WITH}, partial(_answer, request))

    def query(self, request: Request) -> Answer:
        """Ask for the result of a search that was sent earlier under the same key."""
        return self.endpoint.query(f"searches/{quote(request.key, safe='')}", request, partial(_answer, request))


# JSON carries no larger whole number safely (RFC 8259 section 6).
_Minor = Annotated[int, Field(ge=0, lt=2**53)]


class _Search(BaseModel):
    """The bureau's answer to a search. An amount that does not belong to the result may be missing, null or there."""

    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)

    result: Literal["approved", "limit", "deposit", "refer", "decline"]
    limit_minor: _Minor | None = None
    deposit_minor: _Minor | None = None
    currency: str | None = None


def _answer(request: Request, document: Mapping[str, Any]) -> Answer:
    """Turn the bureau's answer into one like the simulator's. Raises ValueError for an answer that cannot be read: no amount is guessed."""
    search = _Search.model_validate(document)
    match search.result:
        case "approved":
            return Answered()
        case "limit":
            return Answered({"limit_minor": _amount_minor(search.limit_minor, search, request)})
        case "deposit":
            deposit_minor = _amount_minor(search.deposit_minor, search, request)
            return RefusedBy("DEPOSIT", {"deposit_minor": deposit_minor, "currency": search.currency})
        case "refer" | "decline":
            return RefusedBy(search.result.upper())


def _amount_minor(amount_minor: int | None, search: _Search, request: Request) -> int:
    """Give the amount of a result, in the currency asked about. Raises ValueError for zero or none.

    With us a limit of 0 is no limit at all and a deposit of 0 is any deposit, so neither may come from outside.
    """
    if not amount_minor or search.currency != request.body["currency"]:
        raise ValueError("the result lacks its amount, or has it in another currency")
    return amount_minor
