"""How an order stands after its paper was changed: what is planned anew, what goes, and which work of before is still being taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from o2c.kernel.frozen import changed
from o2c.kernel.shapes import OfItem
from o2c.kernel.work import NO_RECORD, Record
from o2c.orders.event_parts import HeldProduct, HeldVoucher
from o2c.orders.planned import Planned, planned_of
from o2c.orders.points_of_no_return import STEPS_OF
from o2c.orders.revision_events import OrderRevised
from o2c.orders.rollup import replan
from o2c.orders.wish import CODE, Line

if TYPE_CHECKING:
    from o2c.orders.events import OrderCaptured
    from o2c.orders.state import OrderState


class TakenBack(NamedTuple):
    """A step that is done anew or given up once its work of before is taken back: the item as it was `planned` then, and by which step a
    partner is asked."""

    action: Literal["redo", "undo"]
    recall: str
    planned: Planned


def lines_of(event: OrderCaptured | OrderRevised) -> tuple[Line, ...]:
    """Give the lines of a paper, as the event that took it down has them in two parts."""
    pairs = zip(event.lines, event.details, strict=True)
    return tuple(Line(**{**line.model_dump(), **detail.model_dump(), "prices": line.prices}) for line, detail in pairs)


def as_before_plan(state: OrderState, event: OrderRevised) -> OrderState:
    """Give the order as if it had come with the changed paper and were not planned yet."""
    wished = {"account": event.account, "requested_start": event.requested_start, "requested_completion": event.requested_completion}
    return changed(state, lines=lines_of(event), prices=(), **wished)


def revised(state: OrderState, event: OrderRevised) -> OrderState:
    """Fold the event: other items, those that go left out of the order's state, and the work that is being taken back."""
    places = {line.item: detail.place for line, detail in zip(event.lines, event.details, strict=True)}
    anew = {
        item.item: _planned_anew(
            state.items.get(item.item), planned_of(item, place=places.get(item.line, ""), account=event.account, currency=event.currency)
        )
        for item in event.items
    }
    items = {**state.items, **anew}
    gates = state.records.get("", {})
    if credit := gates.get("credit"):
        gates = {**gates, "credit": changed(credit, outcome={**credit.outcome, "committed_minor": event.committed_minor})}
    if event.vouchers is not None:
        gates = with_vouchers(gates, event.vouchers)
    if event.products is not None:
        gates = with_products(gates, event.products)
    if event.payers:
        # Who pays is pinned, as it was when the order was validated: what is said now of accounts that were named then is not heard.
        gates = _validated_with(gates, payers={**event.payers, **gates.get("validation", NO_RECORD).outcome.get("payers", {})})
    progress = replan(state.progress, ((name, item.waits, item.needs) for name, item in anew.items()), event.removed)
    return changed(
        state,
        account=event.account,
        requested_start=event.requested_start,
        requested_completion=event.requested_completion,
        revisions=(*state.revisions, event.fingerprint),
        items=items,
        relied_on_by=relied_on_by(items),
        progress=progress,
        records={**state.records, "": gates},
        taken_back=_taken_back(state, event),
    )


def with_vouchers(gates: Mapping[str, Record], held: Sequence[HeldVoucher]) -> dict[str, Record]:
    """Give the records of an order's gates as if it had been validated with these vouchers."""
    return _validated_with(gates, vouchers=[one.model_dump(mode="json") for one in held])


def with_products(gates: Mapping[str, Record], held: Sequence[HeldProduct]) -> dict[str, Record]:
    """Give the records of an order's gates as if it had been validated with these products."""
    return _validated_with(gates, products=[one.model_dump(mode="json") for one in held])


def _validated_with(gates: Mapping[str, Record], **told: Any) -> dict[str, Record]:
    validated = gates.get("validation", NO_RECORD)
    return {**gates, "validation": changed(validated, outcome={**validated.outcome, **told})}


def _planned_anew(before: Planned | None, after: Planned) -> Planned:
    """An item as planned from now on: its steps of before stay, to be taken back, and a code that was corrected is as old as it was."""
    if before is None:
        return after
    same_code = before.characteristics.get(CODE) == after.characteristics.get(CODE)
    left = {step: waits for step, waits in (*before.left.items(), *before.waits.items()) if step not in after.waits}
    return changed(after, left=left, code_given_at=before.code_given_at if same_code else None)


def _taken_back(state: OrderState, event: OrderRevised) -> dict[str, dict[str, TakenBack]]:
    taken = {item: dict(steps) for item, steps in state.taken_back.items()}
    for one in event.steps:
        if one.waiting and one.item in state.items:
            before = taken.setdefault(one.item, {}).get(one.step)
            taken[one.item][one.step] = TakenBack(one.action, one.recall, before.planned if before else state.items[one.item])
    return taken


def without(state: OrderState, item: str, step: str) -> OrderState:
    """Fold the end of a step that the changed paper has no more: nothing of it is left but how often it was asked for."""
    progress = state.progress.items[item]
    steps = {name: status for name, status in progress.steps.items() if name != step}
    items = {**state.progress.items, item: changed(progress, steps=steps)}
    own, due = state.records.get(item, {}), {name: at for name, at in state.due.get(item, {}).items() if name != step}
    records = {**state.records, item: {**own, step: Record(own[step].attempt)}} if step in own else state.records
    taken = {of: {name: one for name, one in steps.items() if (of, name) != (item, step)} for of, steps in state.taken_back.items()}
    return changed(
        state,
        progress=changed(state.progress, items=items),
        records=records,
        due={of: times for of, times in {**state.due, item: due}.items() if times},
        taken_back={of: steps for of, steps in taken.items() if steps},
    )


def gone_on(state: OrderState, event: OfItem, step: str) -> OrderState:
    """Fold what an event of an item means for what is still being taken back of it: no step that is planned anew or given up, and none that
    its partner keeps, with what that builds on."""
    own = dict(state.taken_back[event.item])
    over = {step} if event.shape in ("renewed", "given-up") else set()
    if event.shape == "cancelled" and step not in state.progress.items[event.item].recalls:
        kept = [name for name, one in own.items() if one.recall == step]
        over = {built_on for name in kept for built_on in _built_on(name, own[name].planned)}
        for name in kept:
            state = _as_its_partner_has_it(state, event.item, name, own[name].planned)
    own = {name: one for name, one in own.items() if name not in over}
    rest = {item: dict(steps) for item, steps in state.taken_back.items() if item != event.item}
    return changed(state, taken_back={**rest, event.item: own} if own else rest)


def _as_its_partner_has_it(state: OrderState, item: str, name: str, before: Planned) -> OrderState:
    """Give the item as it is after all, where a partner keeps a step: with that step and what waits for it, and as it was asked for then,
    whatever the paper says."""
    now, progress = state.items[item], state.progress.items[item]
    again = {step: waits for step, waits in before.waits.items() if name in _built_on(step, before)}
    said = {attribute for attribute, steps in STEPS_OF.items() if name in steps}
    stays = {key: value for key, value in now.characteristics.items() if key not in said}
    planned = changed(
        now,
        characteristics={**stays, **{key: value for key, value in before.characteristics.items() if key in said}},
        waits={**now.waits, **again},
        left={step: waits for step, waits in now.left.items() if step not in again},
        code_given_at=before.code_given_at,
    )
    steps = {**progress.steps, **{step: "planned" for step in again if step not in progress.steps}}
    items = {**state.progress.items, item: changed(progress, steps=steps)}
    return changed(state, items={**state.items, item: planned}, progress=changed(state.progress, items=items))


def _built_on(step: str, planned: Planned) -> set[str]:
    """A step with all that it waits for, through others too."""
    found = {step}
    for wait in planned.waits_of(step):
        found |= _built_on(wait, planned)
    return found


def relied_on_by(items: Mapping[str, Planned]) -> dict[str, tuple[str, ...]]:
    """Give, for each item, the items that rely on it or wait for it, in the order of the plan."""
    relying: dict[str, tuple[str, ...]] = {}
    for item in items.values():
        for base in item.needs:
            relying[base] = (*relying.get(base, ()), item.item)
    return relying
