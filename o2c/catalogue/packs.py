"""Reading what an offering sells as a pack: units that are bought once."""

from __future__ import annotations

from datetime import datetime

from o2c.catalogue.rules import in_force, price_at, unorderable
from o2c.catalogue.state import CatalogueState
from o2c.kernel.refusal import Refused
from o2c.rating.packs import Pack


def pack_of(state: CatalogueState, *, offering: str, market: str, at: datetime) -> Pack:
    """Give the pack that an offering sells at a time in a market (`GB`): it has one price once, and one price that includes units, and no
    other.

    Raises Refused: missing (it is not sold then and there), conflict (it is no pack).
    """
    why = unorderable(state, offering=offering, at=at, alone=True)
    if not why and state.offerings[offering].market != market:
        why = f"is sold in {state.offerings[offering].market} alone"
    if why:
        raise Refused(f"offering {offering[:60]} {why}; see `o2c catalogue list`", kind="missing")
    sold = in_force(state.offerings[offering], at)
    once, units = price_at(sold, "one-time", at), price_at(sold, "allowance", at)
    if once is None or units is None or units.allowance is None or len(sold.prices) != 2:  # the two above
        raise Refused(
            f"offering {offering[:60]} is no pack: it needs a price once and the units that this includes, and no other", kind="conflict"
        )
    return Pack(offering, units.allowance, once.amount_minor, once.tax_group)
