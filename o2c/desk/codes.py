"""Loading reason codes over the table, and a rate card over the one before, each as a deed on its stream."""

from __future__ import annotations

from datetime import datetime

from o2c.desk.act import Deed
from o2c.fallout import codes, rates
from o2c.fallout.actions import ACTIONS
from o2c.fallout.events import CodesLoaded, RatesLoaded
from o2c.fallout.state import CodesState, RatesState
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.reasons import STREAM
from o2c.markets.registry import MARKETS


def load_deed(document: str) -> Deed:
    """Put the text of a file of codes over the table; loaded again unchanged, it does nothing. Its rule raises Refused (see
    `codes.checked`)."""

    def rule(state: CodesState, at: datetime) -> Decision:
        if document in state.documents:
            return NOTHING
        made = codes.checked(codes.book_of(state.documents), document, frozenset(ACTIONS))
        return just(CodesLoaded(version=made.version, valid_from=made.valid_from, document=document))

    return Deed(STREAM, (rule,), document)


def load_rates_deed(document: str) -> Deed:
    """Put the text of a rate card over the one before; loaded again unchanged, it does nothing. Its rule raises Refused (see
    `rates.checked`)."""

    def rule(state: RatesState, at: datetime) -> Decision:
        if document in state.documents:
            return NOTHING
        made = rates.checked(rates.book_of(state.documents), document, {code: versions[-1].currency for code, versions in MARKETS.items()})
        return just(RatesLoaded(version=made.version, valid_from=made.valid_from, document=document))

    return Deed(rates.STREAM, (rule,), document)
