"""Money in Python: all parts of it in one."""

from __future__ import annotations

from o2c.entrypoints.python_balance import Balances
from o2c.entrypoints.python_collections import Collections
from o2c.entrypoints.python_invoices import Invoices
from o2c.entrypoints.python_ledger import Ledger
from o2c.entrypoints.python_payments import TakenBack


class Money(Balances, Collections, Invoices, Ledger, TakenBack):
    """The part of `OrderToCash` that is about money: balances, invoices, collections and the books."""
