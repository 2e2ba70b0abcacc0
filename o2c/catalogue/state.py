"""The catalogue as a fold of its stream."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from o2c.catalogue.events import OfferingPrice, OfferingPublished, PriceRiseAnnounced
from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind

STREAM = "catalogue-main"
Stage = Literal["draft", "active", "retired"]
ON_SALE = frozenset({"active", "launched"})
NOT_YET = frozenset({"draft", "instudy", "indesign", "intest"})
"""The life-cycle states before an offering is sold, in small letters without spaces and marks."""


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """Offerings by id, all of them with `prices`: each in the version that counts, and beside it (`drafts`) the draft of another version,
    if there is one.

    What was published last counts, but a draft of an offering that is no draft any more, and the retirement of a version that another has
    taken the place of, or of a draft (both stand in `replaced`), change nothing of what is on sale.
    """

    offerings: dict[str, OfferingPublished] = field(default_factory=dict)
    drafts: dict[str, OfferingPublished] = field(default_factory=dict)
    replaced: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rises: tuple[PriceRiseAnnounced, ...] = ()


def evolve(state: CatalogueState, event: Event) -> CatalogueState:
    if isinstance(event, PriceRiseAnnounced):
        return replace(state, rises=(*state.rises, event))
    return _published(state, _priced(event)) if isinstance(event, OfferingPublished) else state


def _published(state: CatalogueState, event: OfferingPublished) -> CatalogueState:
    name, counts, draft = event.offering, state.offerings.get(event.offering), state.drafts.get(event.offering)
    others = {offering: each for offering, each in state.drafts.items() if offering != name}
    # Whatever is published of a version is the end of its draft.
    kept = {**others, name: draft} if draft is not None and draft.version != event.version else others
    before = state.replaced.get(name, ())
    if counts is not None and stage(counts) != "draft" and stage(event) == "draft":
        return replace(state, drafts={**others, name: event})
    withdrawn = draft is not None and counts is not None and draft.version == event.version != counts.version
    if stage(event) == "retired" and (withdrawn or event.version in before):
        over = before if event.version in before else (*before, event.version)
        return replace(state, drafts=kept, replaced={**state.replaced, name: over})
    if counts is not None and counts.version not in before:
        before = (*before, counts.version)
    over = tuple(version for version in before if version != event.version)
    replaced = {**state.replaced, name: over}
    return replace(
        state,
        offerings={**state.offerings, name: event},
        drafts=kept,
        replaced={offering: each for offering, each in replaced.items() if each},
    )


def stage(offering: OfferingPublished) -> Stage:
    """Give where an offering is in its life: not on sale yet, on sale, or no more. A word that is not of the standard counts as no more.

    Source: TMF620 user guide, life cycle of catalogue elements.
    """
    word = re.sub(r"[\W_]", "", offering.status.casefold())
    return "active" if word in ON_SALE else "draft" if word in NOT_YET else "retired"


def _priced(event: OfferingPublished) -> OfferingPublished:
    """Give an offering that was stored before there were `prices` those that it meant."""
    before = {"recurring": event.recurring_minor, "one-time": event.one_time_minor}
    prices = tuple(OfferingPrice.model_validate({"kind": kind, "amount_minor": minor}) for kind, minor in before.items() if minor)
    return event.model_copy(update={"prices": prices, "recurring_minor": 0, "one_time_minor": 0}) if prices else event


KIND = StreamKind(category="catalogue", shape_version=7, state_type=CatalogueState, initial=lambda _: CatalogueState(), evolve=evolve)
