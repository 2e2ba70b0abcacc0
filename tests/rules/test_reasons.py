"""Whom a fallout waits for: whoever acts next, by reason code; and what that makes of an order."""

from collections.abc import Mapping

import pytest

from o2c.fallout.codes import packaged
from o2c.markets.registry import MARKETS
from o2c.orders.rollup import GATES, Progress, follow, order_state, plan
from o2c.plan import STEPS

WAITED_FOR: Mapping[str, frozenset[str]] = {
    # Whoever sent the order has to say what was meant.
    "channel": frozenset({"DQ-PARTY", "DQ-ITEM", "DQ-ACTION", "DQ-DATE", "DQ-OFFER", "DQ-PRICE", "DQ-VOUCHER"}),
    # A document, an address, a number, a code, money or another way to pay: only the customer has it.
    "customer": frozenset(
        {
            "DQ-ADDR", "DQ-PHONE", "DQ-TWICE", "KYC-DOC", "CR-DEPOSIT", "CR-DECLINE", "NP-CODE", "NP-NAME", "NP-INACT", "NP-NOTPORT", "NP-BAR", "LOG-ADDR", "LOG-HOME", "LOG-FULL", "SIM-DL-REJ",
            "PAY-AUTH", "PAY-MANDATE", "SW-NONE", "SW-NOMATCH", "SW-AMBIG",
        }
    ),
    # Stock comes from its supplier.
    "partner": frozenset({"INV-SIM", "INV-NUM", "INV-DEVICE"}),
    # Our own desks decide (underwriters, order desk, care), our engine tries again, our people mend what failed.
    "us": frozenset(
        {
            "DQ-DUP", "KYC-MATCH", "CR-REFER", "CR-TIMEOUT", "KYC-TMO", "SIM-DPUNK", "SIM-DL-INST", "SIM-DL-DONE", "SIM-DL-LIM", "NET-HLR", "NET-TMO",
            "NET-CFG", "NP-CONFLICT", "NP-CUTOVER", "NP-CUTFAIL", "NP-LATE", "NP-REACT", "LOG-TMO", "LOG-LOST", "LOG-VISIT", "LOG-NOVISIT", "LOG-MISSED", "LOG-ENROUTE", "LOG-RETURN", "LOG-NOLABEL",
            "BIL-SERIES", "OPS-TASK", "ORD-SUSP", "PAY-REFUND", "PAY-TMO", "SW-EXPIRED", "SW-TRIGGER", "SW-TMO", "SYS-BUG", "unclassified",
        }
    ),
}  # fmt: skip
"""By who acts next, in the column "usual action" of the fallout facts, the codes. Design, section 11, for stock, addresses and numbers."""
REASONS = packaged().newest.reasons
PARTNER_CODES = {code for step in packaged().newest.steps.values() for code in (*step.codes.values(), step.silence)} | {
    code for step in STEPS.values() if step.referral for code in step.referral.declines
} | {step.draw.out_of_stock for step in STEPS.values() if step.draw} | {
    code for versions in MARKETS.values() for market in versions for code in market.porting.refusals.values()
}  # fmt: skip


def test_every_code_says_who_acts_next() -> None:
    """A code stands under exactly one party, and none is missing here or there."""
    listed = [code for codes in WAITED_FOR.values() for code in codes]
    assert sorted(listed) == sorted(REASONS)
    assert {code: reason.waiting_for for code, reason in REASONS.items()} == {
        code: party for party, codes in WAITED_FOR.items() for code in codes
    }


def test_every_code_that_a_step_can_fall_out_with_is_in_the_table() -> None:
    """What partners, pools and markets are mapped to has a reason behind it."""
    assert PARTNER_CODES - REASONS.keys() == set()
    assert len(PARTNER_CODES) > 20


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_gate_is_never_held(gate: str, code: str) -> None:
    """An order that waits at a gate is pending, though it may be us who must act. Source: design, section 11."""
    assert order_state(follow(Progress(), "fell-out", gate, "", REASONS[code].waiting_for)) == "pending"


@pytest.mark.parametrize("code", sorted(REASONS))
def test_an_item_that_waits_for_us_is_held(code: str) -> None:
    """Behind the gates what we must move is held, and what anybody else must move is pending."""
    item = follow(plan(Progress(), [("1", ("activation",), ())]), "fell-out", "activation", "1", REASONS[code].waiting_for)
    assert order_state(item) == ("held" if code in WAITED_FOR["us"] else "pending")
