"""The one list of projections."""

from __future__ import annotations

from projections import (
    balances,
    cancellations,
    captures,
    care,
    closings,
    collections,
    contacts,
    fallout,
    fallout_records,
    intakes,
    invoices,
    items,
    launches,
    messages,
    milestones,
    orders,
    ports,
    postings,
    prepaid,
    products,
    promises,
    stock,
    waits,
)
from projections.engine.projection import Projection

ALL: tuple[Projection, ...] = (
    orders.ORDERS,
    items.ITEMS,
    milestones.MILESTONES,
    fallout.FALLOUT,
    fallout_records.FALLOUT_RECORDS,
    promises.PROMISES,
    captures.CAPTURES,
    waits.WAITS,
    cancellations.CANCELLATIONS,
    launches.LAUNCHES,
    ports.PORTS,
    stock.STOCK,
    invoices.INVOICES,
    balances.BALANCES,
    postings.POSTINGS,
    prepaid.PREPAID,
    products.PRODUCTS,
    collections.COLLECTIONS,
    closings.CLOSINGS,
    intakes.INTAKES,
    contacts.CONTACTS,
    messages.MESSAGES,
    care.CARE,
)

BY_NAME = {projection.name: projection for projection in ALL}
