"""The books on which the rule of closing can be tried."""

from datetime import date

import pytest

from o2c.ledger.events import LedgerClosed
from o2c.ledger.rules import close
from o2c.ledger.state import KIND
from tests.noted import OF_NOTES

CLOSED = LedgerClosed.model_validate({**LedgerClosed.example, "since": ""})
OF_LEDGER = [pytest.param(KIND, KIND.initial(""), lambda s: close(s, CLOSED, today=date(2026, 2, 1)), id="close-the-ledger"), *OF_NOTES]
"""By kind of stream and state, the rule that decides once and, on what it made, nothing."""
