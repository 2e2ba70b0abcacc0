"""Which work of an item stands on which of its attributes: the table by which a change in flight is judged, line by line and attribute by
attribute.

When a step is past its point of no return its own `Ending.no_return` says, by the market's rules where these differ.
Source: order life cycle, section 4 (points of no return and compensations, per attribute; rules a to c).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

VERSION = "2027-01"
"""The version of the table, told with every answer that follows from it."""

STEPS_OF: Mapping[str, tuple[str, ...]] = {
    "place": ("delivery", "qualification", "switch-match", "appointment", "service-change"),
    "simType": ("sim", "delivery", "esim", "service-change"),
    "simSwap": ("service-change",),  # whether there is another SIM at all: then its steps come or go
    "numberChange": ("service-change",),
    "portInNumber": ("porting", "cutover", "number-change"),
    "portInCode": ("porting", "cutover", "number-change"),
    "switchFrom": ("switch-match", "switch-order", "switch-trigger"),
    "switchAccount": ("switch-match",),
    "visitOn": ("appointment",),
    "visitWindow": ("appointment",),
    "offering": ("device", "qualification", "activation", "charging", "service-change", "inventory"),
    "account": ("charging", "inventory"),
    "requested_start": ("porting", "appointment", "activation", "charging", "service-change", "inventory"),
    "requested_completion": ("porting", "appointment", "activation", "charging", "service-change", "inventory"),
    "relies_on": ("activation",),
    "voucher": ("charging",),
    "release": (),  # of a bundle: whom its lines wait for is held against the plan, line by line
}
"""By attribute, the steps that were asked for with its value. Any other characteristic is the service's (`OF_THE_SERVICE`)."""
OF_THE_SERVICE = ("device", "activation", "charging", "service-change", "inventory")


def steps_of(attributes: Collection[str]) -> frozenset[str]:
    """Give the steps that work with any of these attributes of an item."""
    return frozenset(step for name in attributes for step in STEPS_OF.get(name, OF_THE_SERVICE))
