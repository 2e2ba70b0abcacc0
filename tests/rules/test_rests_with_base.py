"""What was added to a line rests when the line rests, at the same charge, and serves again with it; what has a SIM of its own, or rests by itself, does not."""

import pytest

from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn
from o2c.kernel.frozen import changed
from o2c.products.events import ProductReliedOn, ProductStarted
from o2c.products.state import KIND, ProductState
from tests.given import item
from tests.in_service import BASES, EXTRA, HELD, LINE, InLife, change

SECOND, OF_SECOND = "BASE:5", "BASE:6"
SEASONAL, LOST = ({"status": "suspended", "statusReason": reason} for reason in ("seasonal", "lost-phone"))


def second_line() -> ProductState:
    """A line that relies on the first one and has a SIM of its own."""
    extra = BASES[f"product-{EXTRA}"].standing
    assert extra is not None
    standing = extra.model_copy(update={"holds": {**HELD, "iccid": "8944000000000000099"}, "charge": "BASE/5"})
    told = {"product": SECOND, "order": "BASE", "item": "5", "market": "GB@2026-01", "currency": "GBP", "started_on": "2025-11-03"}
    return KIND.evolve(KIND.initial(""), ProductStarted(standing=standing, relies_on=(LINE,), notices=False, **told))


def stood(story: InLife, product: str) -> tuple[str, str, bool]:
    """Whether a product rests, with which one, and whether it is charged."""
    state = story.kept[f"product-{product}"]
    return state.suspended_for, state.rests_with, state.charged_while


def money(story: InLife) -> list[tuple[str, str, str]]:
    """The charges that began and ended: what, of which product, under which item."""
    told = [event for _, event in story.elsewhere if isinstance(event, ChargeStarted | ChargeWithdrawn)]
    return [(type(event).__name__, event.product, event.item) for event in told]


@pytest.mark.parametrize(("said", "charged"), [(SEASONAL, False), (LOST, True)], ids=["seasonal", "lost-phone"])
def test_an_add_on_rests_with_its_line(said: dict[str, str], charged: bool) -> None:
    """It stayed active and was charged through a season in which the line that it is for served nobody."""
    relied_on = KIND.evolve(BASES[f"product-{LINE}"], ProductReliedOn(by=SECOND))
    left = {**BASES, f"product-{SECOND}": second_line(), f"product-{LINE}": relied_on}
    story = InLife(change("1", LINE, **said), left=left).run()
    assert stood(story, EXTRA) == (said["statusReason"], LINE, charged)
    assert stood(story, SECOND) == ("", "", True)
    ended = [("ChargeWithdrawn", LINE, "1"), ("ChargeWithdrawn", EXTRA, "3")]
    assert money(story) == ([] if charged else ended)


def test_it_serves_again_with_its_line() -> None:
    """Each is charged anew from the day on, at the price of before."""
    rests = InLife(change("1", LINE, **SEASONAL)).run()
    story = InLife(change("1", LINE, status="active"), left=rests.kept, name="1002").run()
    assert [stood(story, product) for product in (LINE, EXTRA)] == [("", "", True)] * 2
    assert money(story) == [("ChargeStarted", LINE, "1"), ("ChargeStarted", EXTRA, "1-added-1")]
    begun = [event for _, event in story.elsewhere if isinstance(event, ChargeStarted)]
    assert [(event.recurring_minor, event.since) for event in begun] == [(1999, "2025-11-03"), (700, "2025-11-03")]
    extra = story.kept[f"product-{EXTRA}"].standing
    assert extra is not None
    assert extra.charge == f"{story.state.order_id}/1-added-1"


def test_what_rests_by_itself_is_left_as_it_is() -> None:
    """It rested before its line did, and rests on when the line serves again."""
    alone = InLife(change("1", EXTRA, **LOST)).run()
    rests = InLife(change("1", LINE, **SEASONAL), left=alone.kept, name="1002").run()
    story = InLife(change("1", LINE, status="active"), left=rests.kept, name="1003").run()
    assert [stood(story, product)[:2] for product in (LINE, EXTRA)] == [("", ""), ("lost-phone", "")]


def test_it_does_not_serve_again_alone() -> None:
    """Its line has to serve first."""
    rests = InLife(change("1", LINE, **SEASONAL)).run()
    story = InLife(change("1", EXTRA, status="active"), left=rests.kept, name="1002")
    story.pass_by(3)
    [why] = [event.detail for event in story.events if event.type_name == "validation.fell-out"]
    assert why == f"item 1 (modify) is to serve again, and rests with product {LINE}; that is to serve again, and this will with it"


def test_what_rests_with_its_line_ends_with_it() -> None:
    """Neither is charged again, and the account waits for nothing."""
    rests = InLife(change("1", LINE, **SEASONAL)).run()
    story = InLife(change("1", LINE, action="delete"), left=rests.kept, name="1002").run()
    assert [bool(story.kept[f"product-{product}"].ended_on) for product in (LINE, EXTRA)] == [True, True]
    assert sorted(event.product for _, event in story.elsewhere if event.type_name == "account.rest-ended") == [LINE, EXTRA]


@pytest.mark.parametrize(("said", "charged"), [(SEASONAL, False), (LOST, True)], ids=["seasonal", "lost-phone"])
def test_what_is_added_to_a_line_at_rest_begins_at_rest(said: dict[str, str], charged: bool) -> None:
    """It began in service, and was charged through a season in which its line served nobody; what it costs once is owed all the same."""
    rests = InLife(change("1", LINE, **said)).run()
    story = InLife(change("1", LINE, action="noChange"), item("2", "roaming", relies_on=("1",)), left=rests.kept, name="1002").run()
    added = f"{story.state.order_id}:2"
    assert stood(story, added) == (said["statusReason"], LINE, charged)
    begun = ("ChargeStarted", "", "2")
    assert money(story) == ([begun] if charged else [begun, ("ChargeWithdrawn", added, "2")])
    serves = InLife(change("1", LINE, status="active"), left=story.kept, name="1003").run()
    assert stood(serves, added) == ("", "", True)
    assert [of for kind, of, _ in money(serves) if kind == "ChargeStarted"] == ([] if charged else [LINE, EXTRA, added])


def test_what_is_added_to_a_line_that_serves_begins_in_service() -> None:
    """Nothing of it rests."""
    story = InLife(change("1", LINE, action="noChange"), item("2", "roaming", relies_on=("1",))).run()
    assert stood(story, f"{story.state.order_id}:2") == ("", "", True)
    assert money(story) == [("ChargeStarted", "", "2")]


def test_what_is_added_to_a_line_that_goes_on_goes_on_with_that() -> None:
    """The line that it is for has a SIM of its own and serves; that this one relies on one that rests is nothing to it."""
    extra = BASES[f"product-{EXTRA}"]
    of_second = changed(extra, product=OF_SECOND, relies_on=(SECOND, LINE), standing=extra.standing)
    relied_on = KIND.evolve(KIND.evolve(BASES[f"product-{LINE}"], ProductReliedOn(by=SECOND)), ProductReliedOn(by=OF_SECOND))
    left = {**BASES, f"product-{SECOND}": second_line(), f"product-{OF_SECOND}": of_second, f"product-{LINE}": relied_on}
    story = InLife(change("1", LINE, **SEASONAL), left=left).run()
    assert [stood(story, product)[1] for product in (EXTRA, SECOND, OF_SECOND)] == [LINE, "", ""]
