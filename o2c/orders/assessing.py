"""What a changed paper would take of an order in flight: which work goes on, is done anew, is taken back, or can be changed no more.
Nothing is decided here.

Source: order life cycle, section 4, rules (a) to (e): per line and attribute, significant attributes alone, undo before redo in reverse
order of dependence, no freeze of what is not touched, and what it costs shown first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from o2c.kernel.charges import PriceTerms
from o2c.kernel.frozen import changed
from o2c.orders.ending import no_return, open_item, to_recall
from o2c.orders.events import OrderPlanned, OrderPriced
from o2c.orders.penalties import Penalty, penalties
from o2c.orders.planning import Book, order_price, plan_order, priced_anew
from o2c.orders.points_of_no_return import steps_of
from o2c.orders.promise import Outlook, bases_first
from o2c.orders.releasing import RELEASE, SWITCHED_ON
from o2c.orders.rollup import ItemProgress, Progress, item_state
from o2c.orders.state import OrderState, Planned, evolve
from o2c.orders.vouchers import NAME as VOUCHER
from o2c.orders.wish import CODE, NUMBER, VISIT_DAY, VISIT_WINDOW, Line

Verdict = Literal["free", "soft", "hard"]
"""Nothing of it has begun; work that has begun is taken back or done anew; it can be changed no more by this order."""
_FIELDS = ("action", "quantity", "offering", "product", "place", "account", "requested_start", "requested_completion")
_BEGUN = frozenset({"requested", "held", "pending", "done"})
_STEERING = frozenset({NUMBER, CODE, VISIT_DAY, VISIT_WINDOW, VOUCHER, RELEASE})
"""Characteristics that steer the work or the price of an item and are no offering's."""
Place = tuple[str, str]
"""A step of an item: (item, step)."""


class Difference(NamedTuple):
    """What differs of a line: its attribute, how it stands and how it is wished. A line that comes or goes differs as a whole (`line`).

    What no work and no price depends on is not `significant`: a channel's own characteristics.
    """

    line: str
    attribute: str
    before: str
    after: str
    significant: bool = True


class Work(NamedTuple):
    """A step that begins, begins anew or is taken back, and what it waits for."""

    item: str
    step: str
    action: Literal["do", "redo", "undo"]
    waits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessed:
    """An order and the changed order beside it: what differs, the `plan` as it would have been from the start, and how each line fares
    (verdict, the step that decides it, why). `work` are the steps that begin, begin anew or are taken back, in the order in which they are;
    `penalties` what some of that costs. `agreed` are the items whose day follows from what is agreed with the customer, each with the name
    of that."""

    differences: tuple[Difference, ...]
    plan: OrderPlanned
    verdicts: Mapping[str, tuple[Verdict, str, str]]
    work: tuple[Work, ...]
    before: OrderPriced
    after: OrderPriced
    promised: Mapping[str, str]
    penalties: tuple[Penalty, ...] = ()
    agreed: Mapping[str, str] = field(default_factory=dict)


def as_it_stands(state: OrderState, lines: Sequence[Line]) -> tuple[Line, ...]:
    """Give the lines of before the plan with what was corrected of their items since."""
    items = {name: [item for item in state.items.values() if item.line == name] for name in (line.item for line in lines)}
    return tuple(_corrected(line, items[line.item][0]) if len(items[line.item]) == 1 else line for line in lines)


def _corrected(line: Line, item: Planned) -> Line:
    steering = {name: value for name, value in item.characteristics.items() if name in _STEERING}
    return changed(line, place=item.place, characteristics={**line.characteristics, **steering})


def laid_over(in_force: Sequence[Line], before: Sequence[Line], after: Sequence[Line]) -> tuple[Line, ...]:
    """Give the lines of an order as a changed paper wishes them: what the two papers say alike stays as it stands, corrections and all."""
    stands, said = ({line.item: line for line in lines} for lines in (in_force, before))
    return tuple(
        _laid_over(stands[line.item], said[line.item], line) if line.item in stands.keys() & said.keys() else line for line in after
    )


def _laid_over(stands: Line, before: Line, after: Line) -> Line:
    was, wished = asdict(before), asdict(after)
    values = {name: wished[name] for name in (*_FIELDS, "parent", "relies_on") if was[name] != wished[name]}
    names = before.characteristics.keys() | after.characteristics.keys()
    other = {name: after.characteristics.get(name) for name in names if before.characteristics.get(name) != after.characteristics.get(name)}
    kept = {name: value for name, value in {**stands.characteristics, **other}.items() if value is not None}
    return changed(stands, **values, characteristics=kept, prices=())


def differences(before: Sequence[Line], after: Sequence[Line], chosen: Collection[str]) -> tuple[Difference, ...]:
    """Give what differs between the lines of an order and those wished, in their order. `chosen` are the characteristics that the offerings
    know."""
    stands, wished = ({line.item: line for line in lines} for lines in (before, after))
    found: list[Difference] = []
    for line in after:
        found += _differing(stands[line.item], line, chosen) if line.item in stands else [Difference(line.item, "line", "", line.offering)]
    return (*found, *(Difference(line.item, "line", line.offering, "") for line in before if line.item not in wished))


def _differing(before: Line, after: Line, chosen: Collection[str]) -> Iterator[Difference]:
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in _FIELDS]
    pairs.append(("relies_on", ",".join(before.relies_on), ",".join(after.relies_on)))
    names = sorted(before.characteristics.keys() | after.characteristics.keys())
    own = [(name, before.characteristics.get(name, ""), after.characteristics.get(name, "")) for name in names]
    told = [Difference(after.item, *pair) for pair in pairs] + [
        Difference(after.item, *pair, pair[0].partition("#")[0] in chosen) for pair in own
    ]
    return (one for one in told if one.before != one.after)


def _of_the_order(state: OrderState, draft: OrderPlanned, told: Collection[Difference]) -> Iterator[Difference]:
    """What differs of a line because it differs of the whole order, or of the bundle that it is in."""
    known = {(one.line, one.attribute) for one in told}
    for item in draft.items:
        if (stands := state.items.get(item.item)) is None:
            continue
        pairs = (
            ("account", stands.account, item.account),
            ("requested_start", stands.start_on, item.start_on),
            ("requested_completion", stands.wished_on, item.wished_on),
            (VOUCHER, _vouchers(stands.terms), _vouchers(item.terms)),
        )
        for name, before, after in pairs:
            if before != after and (item.line, name) not in known:
                known.add((item.line, name))
                yield Difference(item.line, name, before, after)


def _vouchers(terms: PriceTerms) -> str:
    return ",".join(one.voucher for one in terms.discounts if one.voucher)


def assess(
    state: OrderState, in_force: Sequence[Line], wished: OrderState, at: datetime, book: Book, *, agreed: tuple[str, str] = ("", "")
) -> Assessed:
    """Hold a planned order against the same order with other lines (`wished`, which was judged and is not planned). `agreed` is the day for
    which what is delivered anew is promised by what is agreed with the customer, and the name of that (see `agreements.promised_by`)."""
    draft = plan_order(wished, book, at)
    chosen = _STEERING.union(*(item.characteristics for item in draft.items), *(item.characteristics for item in state.items.values()))
    own = differences(in_force, wished.lines, chosen)
    differing = (*own, *_of_the_order(state, draft, own))
    planned = {item.item: {step.step: step.waits for step in item.steps} for item in draft.items}
    anew = _done_anew(state, planned, {item.item: item.line for item in draft.items}, [one for one in differing if one.significant])
    touched = [(item, step) for item, step in _places(state, planned) if (item, step) in anew or step not in planned.get(item, {})]
    undone = [place for place in touched if _has_begun(state, *place, at, book)]
    back = (Work(item, step, "redo" if (item, step) in anew else "undo", state.items[item].waits[step]) for item, step in reversed(undone))
    fresh = (
        Work(item, step, "do", waits) for item, steps in planned.items() for step, waits in steps.items() if not _has(state, item, step)
    )
    stays = [(item, step) for item, step in undone if item in planned]
    after = _as_changed(state, evolve(changed(wished, progress=Progress(gates=state.progress.gates)), draft), anew)
    promised, by_agreement = _promised(state, after, anew, at, book, agreed[0])
    return Assessed(
        differences=differing,
        plan=draft,
        verdicts=_verdicts(state, differing, planned, touched, undone, at, book)
        | dict(_charged_otherwise(state, draft))
        | dict(_comes_to_nothing(state, draft)),
        work=(*back, *fresh),
        before=priced_anew(state),
        after=order_price(draft),
        promised=promised,
        penalties=tuple(penalties(state, stays, [(one.line, one.attribute) for one in differing], at, book)),
        agreed=dict.fromkeys(by_agreement, agreed[1]),
    )


def _has(state: OrderState, item: str, step: str) -> bool:
    return item in state.items and step in state.items[item].waits


def _has_begun(state: OrderState, item: str, step: str, at: datetime, book: Book) -> bool:
    """Whether there is something of a step to take back: it is planned again where a partner still has it, such as a port whose window was
    given up."""
    status = state.progress.items[item].steps[step]
    return status in _BEGUN or (status == "planned" and bool(to_recall(state, item, (step,), at, book)))


def _places(state: OrderState, planned: Collection[str]) -> Iterator[Place]:
    return ((item, step) for item, stands in state.items.items() if not _left_out(state, item, planned) for step in stands.waits)


def _left_out(state: OrderState, item: str, planned: Collection[str]) -> bool:
    """Whether an item came to nothing, and the paper has it no more: there is nothing of it to change."""
    return bool(state.progress.items[item].ended) and item not in planned


def _done_anew(
    state: OrderState, planned: Mapping[str, Mapping[str, Sequence[str]]], lines: Mapping[str, str], differing: Iterable[Difference]
) -> set[Place]:
    """The steps of both plans that work with something that changes, and those that wait for one of these, through others too."""
    of_line: dict[str, set[str]] = {}
    for one in differing:
        of_line.setdefault(one.line, set()).add(one.attribute)
    common = {item: steps for item, steps in planned.items() if item in state.items}
    uses = {item: steps_of(of_line.get(lines[item], ())) for item in common}
    anew = {(item, step) for item, steps in common.items() for step in steps if step in uses[item] and _has(state, item, step)}
    anew |= {(item, SWITCHED_ON) for item in common if _released_otherwise(state, item, planned)}
    fresh = {(item, step) for item, steps in planned.items() for step in steps if not _has(state, item, step)}
    while more := {place for place in _waiting(planned, anew | fresh) if place not in anew and _has(state, *place)}:
        anew |= more
    return anew


def _released_otherwise(state: OrderState, item: str, planned: Mapping[str, Mapping[str, Sequence[str]]]) -> bool:
    """Whether an item is to be switched on together with others than it was. One that is on, or with the network, is only touched by
    waiting for more."""
    if not _has(state, item, SWITCHED_ON) or state.progress.items[item].ended:
        return False
    had, waits = (
        {wait for wait in named if _of_another(state, item, wait, planned)}
        for named in (state.items[item].waits[SWITCHED_ON], planned[item].get(SWITCHED_ON, ()))
    )
    begun = state.progress.items[item].steps.get(SWITCHED_ON) != "planned"
    return bool(waits - had if begun else waits ^ had)


def _of_another(state: OrderState, item: str, wait: str, planned: Mapping[str, object]) -> bool:
    """Whether an item waits for a step of one that it does not rely on, and that still comes and is to do that step."""
    of, _, step = wait.rpartition("/")
    progress = state.progress.items.get(of, ItemProgress())
    return of in planned and of not in state.items[item].relies_on and progress.steps.get(step) != "given-up"


def _waiting(planned: Mapping[str, Mapping[str, Sequence[str]]], places: set[Place]) -> Iterator[Place]:
    for item, steps in planned.items():
        for step, waits in steps.items():
            if any((wait.rpartition("/")[0] or item, wait.rpartition("/")[2]) in places for wait in waits):
                yield item, step


def _verdicts(
    state: OrderState,
    differing: Iterable[Difference],
    planned: Collection[str],
    touched: Sequence[Place],
    undone: Sequence[Place],
    at: datetime,
    book: Book,
) -> dict[str, tuple[Verdict, str, str]]:
    """How each line that differs, or whose work does because of another line, can still be changed."""
    verdicts: dict[str, tuple[Verdict, str, str]] = {one.line: ("free", "", "") for one in differing}
    lines = [*verdicts, *(line for item, _ in touched if (line := state.items[item].line) not in verdicts)]
    for line in dict.fromkeys(lines):
        items = [item for item, stands in state.items.items() if stands.line == line and not _left_out(state, item, planned)]
        over = next((f"it is {item_state(state.progress.items[item])}" for item in items if not open_item(state, item)), "")
        past = [(step, why) for item, step in touched if item in items and (why := no_return(state, item, (step,), at, book))]
        begun = [step for item, step in undone if item in items]
        if over or past:
            verdicts[line] = ("hard", *(past[-1] if past else ("", over)))
        elif begun:
            verdicts[line] = ("soft", begun[0], f"{', '.join(begun)} had begun")
        elif line not in verdicts:
            verdicts[line] = ("free", "", "")
    return verdicts


def _charged_otherwise(state: OrderState, draft: OrderPlanned) -> Iterator[tuple[str, tuple[Verdict, str, str]]]:
    """The lines of items that are charged and would cost otherwise beside the other lines: a part of a bundle whose price is shared out
    anew. A charge never changes (decisions/0041), so another price takes an order of its own."""
    for each in draft.items:
        progress = state.progress.items.get(each.item)
        if progress is None or progress.ended or progress.steps.get("charging") != "done":
            continue
        stands = state.items[each.item]
        if (each.recurring_minor, each.one_time_minor, each.terms) != (stands.recurring_minor, stands.one_time_minor, stands.terms):
            yield stands.line, ("hard", "charging", "it is charged, and would cost otherwise")


def _comes_to_nothing(state: OrderState, draft: OrderPlanned) -> Iterator[tuple[str, tuple[Verdict, str, str]]]:
    """The lines that rely on an item which failed or was cancelled, and would wait for it for ever; and the last of an order that goes on,
    where its paper would be of such items alone: that is a cancellation, which is assessed as one."""
    ended = {name: of.ended for name, of in state.progress.items.items() if of.ended}
    for each in draft.items:
        if each.item not in ended and (base := next((one for one in each.relies_on if one in ended), "")):
            yield each.line, ("hard", "", f"item {base}, on which it relies, is {ended[base]}")
    if ended.keys() >= {each.item for each in draft.items}:
        for line in {planned.line: "" for name, planned in state.items.items() if name not in ended}:
            yield line, ("hard", "", "nothing else of the order goes on; cancel the order instead")


def _as_changed(state: OrderState, planned: OrderState, anew: set[Place]) -> OrderState:
    """The changed order with the work of the one in flight that stays."""
    items = {}
    for item, of_item in planned.progress.items.items():
        had = state.progress.items.get(item, ItemProgress())
        stays = {step for step in of_item.steps if (item, step) not in anew and _has(state, item, step)}
        steps = {step: had.steps.get(step, "planned") if step in stays else "planned" for step in of_item.steps}
        items[item] = ItemProgress(steps, of_item.relies_on, had.ended, had.recalls)
    return changed(planned, progress=changed(planned.progress, items=items), records=state.records, due=state.due)


def _promised(
    state: OrderState, after: OrderState, anew: set[Place], at: datetime, book: Book, agreed_on: str
) -> tuple[dict[str, str], set[str]]:
    """The day by which each item would be promised: as it is where nothing of its work changes, else by what is agreed or what its steps
    take, and never before what it relies on; and the items of which it is what is agreed."""
    outlook, still_open, by_agreement = Outlook(after, at, book), list(bases_first(after, after.items)), set[str]()
    days = {item: state.items[item].promised_on for item in after.items.keys() - set(still_open)}
    for item in still_open:
        planned = after.items[item]
        same = item in state.items and not any((item, step) in anew or not _has(state, item, step) for step in planned.waits)
        agrees = bool(agreed_on) and not planned.product and not same
        if agrees:
            own = max(agreed_on, planned.wished_on, planned.start_on)
        else:
            own = state.items[item].promised_on if same else outlook.day(outlook.item(item), item)
        days[item] = max(own, *(days[base] for base in planned.relies_on), "")
        by_agreement |= {item} if agrees and days[item] == own else set()
    return {item: days[item] for item in after.items}, by_agreement
