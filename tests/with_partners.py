"""What partners have of an order in a story, by what they were asked and answered."""

from collections import Counter

from o2c.kernel.event import Event
from o2c.kernel.reasons import UNSURE
from o2c.kernel.shapes import Done, FellOut, PartnerSilent, StepRenewed, Undertaken, item_of, step_of
from o2c.plan import STEPS
from tests.given import Story

RECALLED = {step.ending.recall: name for name, step in STEPS.items() if step.ending.recall}
"""By the step that asks a partner to drop something, the step by which the partner got it."""
MAY, TWICE = "may have it", "has that of before too"


def outside(story: Story) -> Counter[tuple[str, str, str]]:
    """What partners have of each item in the end, by their own answers: the numbers whose port they agreed to, how many profiles, whether a visit. What is done for good is nobody's to
    give back: a visit that took place, and a profile that was downloaded, which serves nothing once its line was switched off; be it of an item that ended, or of one that does without it now. What they took on, or never answered, they `may` have; what
    is done anew before that was dropped they have `TWICE`."""
    has: set[tuple[str, str, str]] = set()
    for event in story.events:
        if event.shape in ("done", "fell-out", "accepted", "silent") and step_of(event) in RECALLED.values():
            may = {(item_of(event), step_of(event), MAY)}
            has = has | may if _unsure(event) else has - may
        if isinstance(event, StepRenewed) and (item_of(event), step_of(event), MAY) in has:
            has.add((item_of(event), step_of(event), TWICE))
        if isinstance(event, Done):
            step, item = step_of(event), event.item
            if step in RECALLED.values():
                has.add((item, step, str(getattr(event, "msisdn", "") or _piece(event))))
            elif step in RECALLED:
                has = {one for one in has if one[:2] != (item, RECALLED[step])}
    ended = {name for name, of in story.state.progress.items.items() if of.ended}
    items = story.state.items
    return Counter(
        (item, step, what if what in (MAY, TWICE) or step == "porting" else "")
        for item, step, what in has
        if what in (MAY, TWICE)
        or (item not in ended and step in items[item].waits)
        or not STEPS[step].ending.done_for_good(story.work(item, step))
    )


def too_soon(story: Story) -> list[tuple[str, str]]:
    """The steps that a partner was asked for while it was still to drop the one of before: (item, step)."""
    dropping: set[tuple[str, str]] = set()
    found: list[tuple[str, str]] = []
    for event in story.events:
        place = item_of(event), step_of(event)
        if place[1] in RECALLED and event.shape in ("recall", "done", "cancelled"):
            back = {(place[0], RECALLED[place[1]])}
            dropping = dropping | back if event.shape == "recall" else dropping - back
        elif event.shape == "requested" and place in dropping:
            found.append(place)
    return found


def _unsure(event: Event) -> bool:
    """Whether a partner may have what a step asked of it: it took it on, or nobody knows."""
    if isinstance(event, FellOut):
        return event.partner_code == "silent" or event.reason in UNSURE
    return isinstance(event, Undertaken | PartnerSilent)


def _piece(event: Done) -> str:
    """What a partner keeps for an item: the profile of an eSIM."""
    return str(getattr(event, "iccid", ""))
