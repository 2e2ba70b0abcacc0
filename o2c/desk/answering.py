"""What a customer answers by the link of his order: he corrects what we asked him for, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from o2c.desk.act import act
from o2c.desk.fallout import deed_of
from o2c.engine.app import Context, Engine, Written
from o2c.fallout.rules import Correct
from o2c.kernel.refusal import Refused
from o2c.views.my_order import my_order
from o2c.views.reading import caught_up


def answer_by_link(app: Engine, home: Path, context: Context, link: str, fallout: str, changes: Mapping[str, str]) -> Written:
    """Answer what an order's link says that we need: correct its values, and its step is tried again.

    Raises Refused: missing (no link of this store, or nothing of the kind is needed), gone (the link has ended), usage (a value that was
    not asked for, or that cannot be), conflict (somebody was faster).
    """
    caught_up(app)
    asked = next((need for need in my_order(app, home, link)["needs"] if need["fallout"] == fallout), None)
    if asked is None:
        raise Refused("nothing of the kind is needed any more; open the link again to see how it stands", kind="missing")
    fields = {field["key"] for field in asked["fields"]}
    if not changes or not fields.issuperset(changes):
        raise Refused("say what was asked for, and nothing else; open the link again to see what that is")
    return act(app, context, "orders.answer", deed_of(app, fallout, Correct(dict(changes)), note="by the customer", by=context.actor))
