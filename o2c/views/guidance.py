"""What a person is told of a fallout: what its code means, what to do next, and which actions there are, as commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from o2c.engine.app import Engine
from o2c.kernel.decision import Decision
from o2c.kernel.money import from_minor
from o2c.kernel.refusal import Refused
from o2c.kernel.step import Step
from o2c.kernel.work import Work
from o2c.orders.giving_up import no_return_of_port
from o2c.orders.wish import PORT_IN


@dataclass(frozen=True, slots=True)
class Guide:
    """What a reason code means, in a sentence, and what comes next, in a few words."""

    meaning: str
    next: str


GUIDES: Mapping[str, Guide] = {
    "DQ-PARTY": Guide("Nobody is to be billed, or a party that is not among the customers.", "ask whose order it is"),
    "DQ-ITEM": Guide("A line is no item: none at all, an id twice, a cycle, a quantity that cannot be.", "correct the line"),
    "DQ-ACTION": Guide("An action that is none, or a change that names no product.", "correct the line"),
    "DQ-OFFER": Guide("An offering that is not on sale, or a value that it does not have.", "correct offer or value"),
    "DQ-DATE": Guide("A wished date that is past, too far ahead, or no date.", "ask for another date"),
    "DQ-DUP": Guide("The same order came again with other content; the first one is in force.", "compare, then decide"),
    "DQ-ADDR": Guide("The address lacks a part that a delivery or visit needs.", "ask for the address"),
    "DQ-PHONE": Guide("The number to bring cannot be a number that is brought.", "ask for the number"),
    "KYC-DOC": Guide("The identity could not be confirmed from the data alone.", "see a document, decide"),
    "KYC-MATCH": Guide("The person is not who the papers say.", "nothing: it is final"),
    "CR-REFER": Guide("The bureau leaves the decision to an underwriter.", "underwrite, then decide"),
    "CR-DEPOSIT": Guide("Credit is given against a deposit.", "take the deposit"),
    "CR-DECLINE": Guide("Credit was declined.", "nothing: it is final"),
    "CR-TIMEOUT": Guide("The credit bureau did not answer.", "retry the bureau"),
    "KYC-TMO": Guide("The identity agency did not answer.", "retry the agency"),
    "INV-SIM": Guide("No SIM of this kind is in stock.", "load SIMs"),
    "INV-NUM": Guide("No number of this kind is in stock.", "load numbers"),
    "SIM-DPUNK": Guide("The SIM platform does not know the profile.", "mend at platform, retry"),
    "SIM-DL-INST": Guide("The profile could not be installed.", "retry"),
    "SIM-DL-REJ": Guide("The customer refused the eSIM's profile on the device.", "call the customer"),
    "SIM-DL-LIM": Guide("The eSIM's profile was asked for too often and cannot be downloaded any more.", "have it reset"),
    "SIM-DL-DONE": Guide("The profile was downloaded before and cannot be used again.", "see who has it"),
    "NET-HLR": Guide("The network could not take the service on.", "retry the network"),
    "NET-TMO": Guide("The network did not answer.", "retry the network"),
    "NET-CFG": Guide("The network refuses for good: something is not set up for this service.", "have it set up, retry"),
    "NP-CODE": Guide("The porting code is missing, malformed, too old, or not the donor's.", "ask for the code"),
    "NP-NAME": Guide("The donor has the number under another name.", "ask whose number it is"),
    "NP-INACT": Guide("The number is not in service with the donor.", "ask the customer"),
    "NP-NOTPORT": Guide("The number cannot be brought: it is being ported, or was, or is ours.", "ask for the number"),
    "NP-BAR": Guide("The donor holds the number back.", "customer to settle it"),
    "NP-CONFLICT": Guide("The donor says that another port of the number is under way.", "retry when that is over"),
    "NP-CUTOVER": Guide("The cut-over was not carried out.", "retry"),
    "NP-CUTFAIL": Guide("The cut-over failed for good.", "settle with the donor"),
    "NP-LATE": Guide("The agreed window of the port passed without a cut-over.", "agree another window"),
    "LOG-ADDR": Guide("The courier cannot deliver to this address.", "ask for the address"),
    "LOG-TMO": Guide("The courier did not answer.", "retry the courier"),
    "LOG-LOST": Guide("The parcel is lost.", "send another: retry"),
    "LOG-VISIT": Guide("The visit could not be booked.", "retry the visit"),
    "LOG-NOVISIT": Guide("The field force makes no visit there.", "settle, retry or fail"),
    "LOG-ENROUTE": Guide("The parcel is on its way and cannot be called back.", "wait, then force"),
    "PAY-AUTH": Guide("The payment was declined.", "another method, or bank"),
    "PAY-MANDATE": Guide("There is no valid mandate to debit.", "another method, or bank"),
    "PAY-TMO": Guide("The payment provider did not answer.", "retry the provider"),
    "SYS-BUG": Guide("A defect of ours: nothing that was decided moved the step on.", "call engineering"),
}
"""What each reason code means."""
UNKNOWN = Guide("A reason that this program has no words for.", "see the actions")
CORRECTABLE = ("place", "portInNumber", "portInCode", "party", "account", "method")
"""Values by a name of their own that a person may correct; those of an order's lines are named by line."""
_ON_LINES = ("item", "action", "quantity", "offering", "product", "relies_on")
_ANY_VALUE = "?"


def guide_of(reason: str) -> Guide:
    """The guide of a reason code; one that says so for a code without words."""
    return GUIDES.get(reason, UNKNOWN)


def actions_of(app: Engine, row: Mapping[str, Any], name: str) -> list[str]:
    """The ways to act on a fallout that its step has as it stands, each the very command. `name` is how its order is called."""
    stream = str(row["stream"])
    state = app.load([stream])[stream].state
    work = app.reading(app.work(stream, state, row["item"], row["step"]))
    if row["state"] != "open" or not work.waiting_for:
        return []
    step = app.book.steps[row["step"]]
    resolve = f"o2c fallout resolve {row['fallout']}"
    keys = correctable(app, stream, state, row["item"]) if step.requested else []
    named = ["line.N.FIELD"] if any(key.startswith("line.") for key in keys) else []
    ways = [f"--correct {key}=VALUE" for key in (*(key for key in keys if not key.startswith("line.")), *named)]
    acts = (f'{resolve} {way} --reason "TEXT"' for way in (*ways, *_ways(app, step, work)))
    return [*_money(row, work, name), *acts, *_without(app, row, work, name)]


def _ways(app: Engine, step: Step, work: Work) -> Iterator[str]:
    """The ways but corrections."""
    for approve in (True, False):
        if step.referral and _decides(app, step, work, approve=approve):
            yield f"--decide {'approve' if approve else 'decline'}"
    if step.requested is not None:
        yield "--retry"
    if step.forceable:
        yield "--force"
    if work.item and not step.recalls:
        yield "--fail"


def _without(app: Engine, row: Mapping[str, Any], work: Work, name: str) -> Iterator[str]:
    """The command by which the customer does without the part of the item that fell out, as long as that can be."""
    if app.book.steps[row["step"]].part == PORT_IN and not no_return_of_port(work.state, work.item, app.clock().now, app.book):
        yield f'o2c ports cancel {shlex.quote(name)} --item {shlex.quote(work.item)} --reason "TEXT"'


def _decides(app: Engine, step: Step, work: Work, *, approve: bool) -> Decision | None:
    try:
        return step.referral.decide(work, approve, app.clock().now) if step.referral else None
    except Refused:
        return None


def correctable(app: Engine, stream: str, state: Any, item: str) -> list[str]:
    """The keys of the values that may still be corrected."""
    lines = range(1, len(getattr(state, "lines", ())) + 1)
    keys = [*CORRECTABLE, *(f"line.{number}.{name}" for number in lines for name in _ON_LINES)] if not item else [*CORRECTABLE]
    return [key for key in keys if _may_correct(app, stream, state, item, key)]


def _may_correct(app: Engine, stream: str, state: Any, item: str, key: str) -> bool:
    """Whether a key names something to correct; a value that is refused for itself has a key that does."""
    try:
        return app.kind(stream).correctable(state, item, {key: _ANY_VALUE})
    except Refused:
        return True


def _money(row: Mapping[str, Any], work: Work, name: str) -> Iterator[str]:
    """The command by which money that is missing is taken down."""
    outcome = work.outcomes.get(work.step, {})
    if row["reason"] == "CR-DEPOSIT":
        amount = from_minor(outcome["deposit_minor"], outcome["currency"]) if outcome.get("deposit_minor") else "AMOUNT"
        yield f"o2c payments deposit {shlex.quote(name)} --amount {amount} --reference REFERENCE"
    if row["queue"] == "payments" and str(row["stream"]).startswith("invoice-"):
        amount = from_minor(work.state.open_minor, work.state.issued.currency)
        yield f"o2c payments record {row['stream'].removeprefix('invoice-')} --amount {amount} --reference REFERENCE"
