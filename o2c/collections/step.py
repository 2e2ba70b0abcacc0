"""Collections' entries for the plan: the look at an account, and the bar that the network sets or lifts."""

from __future__ import annotations

from o2c.collections import barring, rules
from o2c.collections.events import BarRequested, BarringFellOut, LookFellOut, LookRequested
from o2c.kernel.step import ByPartner, Step

STEP = Step(
    name="collections",
    requested=LookRequested,
    fell_out=LookFellOut,
    complete=rules.look,
    due=rules.next_look,
    wanted=rules.owing,
)
BARRING = Step(
    name="barring",
    requested=BarRequested,
    fell_out=BarringFellOut,
    complete=rules.barred,
    reads=barring.account_streams,
    facts=barring.bar_asked,
    ask=ByPartner(partner="network", payload=barring.bar),
)
