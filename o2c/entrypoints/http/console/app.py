"""The console put together: its pages, and the secret that its cookies are sealed with."""

from __future__ import annotations

import os

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from o2c.entrypoints.http.console import (
    accounts,
    assurance,
    audit,
    bills,
    books,
    bulk,
    care,
    catalogue,
    changes,
    changing,
    collecting,
    complaints,
    customers,
    dangers,
    desk,
    fallout,
    figures,
    front,
    hierarchy,
    holdings,
    invoices,
    journeys,
    messages,
    mine,
    numbering,
    orders,
    policies,
    products,
    projections,
    returning,
    stock,
    switching,
    taking_back,
    triggers,
    usage,
    vouchers,
    what_if,
)
from o2c.entrypoints.http.console.frame import Asked, router
from o2c.entrypoints.http.console.visits import SECRET, Visits, new_secret

PAGES = (
    front, desk, bulk, fallout, changing, orders, products, customers, hierarchy, journeys, complaints, messages, returning, switching, taking_back, invoices, changes, accounts, bills, care, policies, dangers, holdings, collecting, books, numbering, assurance, catalogue, vouchers, stock, usage, figures, what_if, triggers, projections, audit, mine,
)  # fmt: skip
rest = router()


@rest.get("/{path:path}")
def nothing(page: Asked, path: str) -> None:
    """What no page answers to."""
    raise HTTPException(404, "there is no such page")


def add_console(made: FastAPI) -> None:
    """Give a service its console."""
    begin(made)
    for part in PAGES:
        made.include_router(part.pages)
    made.include_router(rest)


def begin(made: FastAPI) -> None:
    """Nobody is in yet, and nothing is being rebuilt."""
    made.state.rebuilds = projections.Rebuilds()
    made.state.visits = Visits(os.environ.get(SECRET) or new_secret())
