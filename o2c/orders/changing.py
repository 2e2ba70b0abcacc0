"""What an order changes of products in service: each line that names one, held against how the product stands.

Source: TM Forum TMF622 v4.0.0 ProductOrderItem.action (modify, delete, noChange) and .product; order life cycle, section 3 (upgrade,
add-on, SIM swap, suspend, number change, cease).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.markets.base import Market
from o2c.orders.event_parts import HeldProduct
from o2c.orders.state import OrderState
from o2c.orders.wish import Line, around
from o2c.products.events import ProductChangeAccepted, ProductChangeDropped, product_stream
from o2c.products.state import OWNER, TERMINATION, ProductState
from o2c.products.transfers import transfer_in_force

MODIFY, DELETE, NO_CHANGE = "modify", "delete", "noChange"
SIM_SWAP, NUMBER_CHANGE, STATUS, REASON = "simSwap", "numberChange", "status", "statusReason"
"""The characteristics by which a line asks for another SIM (why), another number (`true`), and that a product rests or serves again
(why)."""
SUSPENDED, ACTIVE = "suspended", "active"
EFFECTIVE, AT_ONCE, ON_BILL_DATE = "effective", "at-once", "bill-date"
"""The characteristic that says when another offering begins, and its values: at once, as without it, or on the day of the next bill."""
COMMITMENT = "commitment"
"""The characteristic by which a line that takes a product over says what becomes of its term (`Commitment`); without it, what its owner
agreed to."""
_KNOWN = {
    SIM_SWAP: ("lost", "stolen", "damaged", "form"),
    NUMBER_CHANGE: ("true", "false"),
    STATUS: (SUSPENDED, ACTIVE),
    EFFECTIVE: (AT_ONCE, ON_BILL_DATE),
}
"""What a line may say by these characteristics: a SIM is replaced that was lost or stolen, is damaged, or is to have another form."""
ASKING = (SIM_SWAP, NUMBER_CHANGE, STATUS, REASON, EFFECTIVE, COMMITMENT)
CHANGE, TAKEN_BACK = "service-change", "service-change-cancel"
"""The step by which the network changes a product, and the one by which it is asked to take that back."""
STAYS = "stays for "
"""With the id of an order, what it asks of a product that it names as it is: several orders may do so at once."""
Products = Mapping[str, ProductState | None]
"""The products that an order names, by stream."""


def streams_named(lines: Sequence[Line]) -> tuple[str, ...]:
    """Name the streams of the products that lines change or stay on; a line that adds one names none that is."""
    return tuple(dict.fromkeys(product_stream(line.product) for line in lines if names_product(line)))


def names_product(line: Line) -> bool:
    """Whether a line is about a product in service."""
    return bool(line.product) and line.action in (MODIFY, DELETE, NO_CHANGE)


def attributes(line: Line, product: ProductState, party: str) -> tuple[str, ...]:
    """Give the attributes of a product that a line changes in an order of a party: of a product that stays as it is, none; of another's,
    its owner."""
    if line.action == DELETE:
        return (TERMINATION,)
    if line.action != MODIFY or product.standing is None:
        return ()
    own = _own(line, product)
    return own if product.standing.customer == party else (OWNER, *(name for name in own if name != "account"))


def _own(line: Line, product: ProductState) -> tuple[str, ...]:
    """The attributes that a line changes of a product beside its owner."""
    assert product.standing is not None
    stands, wanted = product.standing, line.characteristics
    asked = {
        "offering": line.offering not in ("", stands.offering),
        "sim": bool(wanted.get(SIM_SWAP)) or wanted.get("simType", "") not in ("", stands.characteristics.get("simType", "physical")),
        "number": wanted.get(NUMBER_CHANGE) == "true",
        "place": bool(line.place) and stands.specification == "spec-access",
        "status": wanted.get(STATUS, "") in (SUSPENDED, ACTIVE) and wanted[STATUS] != product.status,
        "account": line.account not in ("", stands.account),
    }
    return tuple(name for name, changes in asked.items() if changes)


def flaw_of_changes(
    lines: Sequence[Line], products: Products, party: str, market: Market, order: str, at: datetime, known: Collection[str] = ()
) -> str:
    """Give the first line that names a product in a way that cannot be carried out (`DQ-ACTION: detail`); empty for none. `at` is when the
    order was given. The lines that are `known` were judged before, and are not judged again: their product may be as they wish by now."""
    for line in lines:
        if line.item in known:
            continue
        if line.action not in ("add", MODIFY, DELETE, NO_CHANGE):
            return f"DQ-ACTION: item {line.item} has an unknown action"
        if names_product(line) or line.action in (MODIFY, DELETE) or (line.action == NO_CHANGE and not line.offering):
            product = products.get(product_stream(line.product))
            why = _why_not(line, product, party, market, order, at)
            if why or (why := _parted(line, product, party, lines)):
                return f"DQ-ACTION: item {line.item} ({line.action}) {why}"
    twice = [line.product for line in lines if names_product(line) and line.action != NO_CHANGE]
    if len(set(twice)) < len(twice):
        return "DQ-ACTION: two items change the same product; say all that is to change in one"
    return _added_to_what_ends(lines, products)


def _added_to_what_ends(lines: Sequence[Line], products: Products) -> str:
    """The first line that is added to something which its own order ends, or which ends with that; empty for none."""
    by_id, ended = {line.item: line for line in lines}, {line.product for line in lines if line.action == DELETE}
    ends = {line.item for line in lines if names_product(line) and _end_with(products.get(product_stream(line.product)), ended)}
    for line in lines if ends else ():
        base = next((base for upper in around(line, by_id) for base in upper.relies_on if base in ends), "")
        if base and line.action == "add":
            return f"DQ-ACTION: item {line.item} is added to item {base}, which the order ends; name one that stays"
    return ""


def _end_with(product: ProductState | None, ended: Collection[str]) -> bool:
    return product is not None and not {product.product, *product.relies_on}.isdisjoint(ended)


def _parted(line: Line, product: ProductState | None, party: str, lines: Sequence[Line]) -> str:
    """Why a product cannot be taken over without others: what relies on it goes along, and it goes with what it relies on. Empty for one
    that can."""
    if product is None or product.standing is None or product.standing.customer == party or product.transfer is None:
        return ""
    named = {each.product for each in lines if each.action == MODIFY}
    if missing := sorted({*product.transfer.along, *product.relies_on} - named):
        return f"takes over a product without {missing[0]}, which goes with it; name both"
    return ""


def _may_name(line: Line, product: ProductState, party: str, market: Market, at: datetime) -> bool:
    """Whether a line may name a product: the party's own, or one that its owner agreed that the party takes over."""
    assert product.standing is not None
    if product.standing.customer == party:
        return True
    agreed = transfer_in_force(product, local_date(at, market.zone))
    return line.action == MODIFY and agreed is not None and agreed.to == party


def _why_not(line: Line, product: ProductState | None, party: str, market: Market, order: str, at: datetime) -> str:
    if not line.product:
        return "names no product"
    if product is None or product.standing is None or not _may_name(line, product, party, market, at):
        return "names a product that is not in the inventory"
    if product.ended_on:
        return f"names a product that ended on {product.ended_on}"
    if leaves := _leaves(product):
        return f"names a product {leaves}; send it again if it {'does' if product.port_out else 'is'} not"
    if line.action == NO_CHANGE:
        return _busy([product.changing.get(TERMINATION, ""), product.changing.get(OWNER, "")], order)
    if line.quantity != "1":
        return f"is about one product, and has the quantity {line.quantity}"
    if unknown := _unknown(line):
        return unknown
    changes = attributes(line, product, party)
    if not changes:
        return "changes nothing of the product"
    if OWNER in changes:
        return _not_taken_over(line, product, changes) or _busy(product.changing.values(), order)
    if "status" in changes and len(changes) > 1:
        return "is to rest or serve again and to change beside that; send two orders"
    if "status" in changes and product.rests_with and line.characteristics[STATUS] == ACTIVE:
        return f"is to serve again, and rests with product {product.rests_with}; that is to serve again, and this will with it"
    free = product.number_free_from(market.life.sim_swap_hold_days)
    if "number" in changes and local_date(at, market.zone) < free:
        return f"changes the number of a product whose SIM was changed on {product.sim_changed_on}; send it again on {free} or later"
    reason = line.characteristics.get(REASON, "")
    if "status" in changes and line.characteristics[STATUS] == SUSPENDED and reason not in market.life.suspensions:
        return f"is to suspend for {reason or 'no reason'}; the market knows {', '.join(sorted(market.life.suspensions))}"
    whole = product.changing.values() if TERMINATION in changes else map(product.changing.get, (*changes, TERMINATION, OWNER))
    return _busy(whole, order)


def _leaves(product: ProductState) -> str:
    """Why a product is to leave us that no order ends; empty for one that stays."""
    if product.port_out:
        return f"whose number goes to another operator on {product.port_out.agreed_on}"
    return f"that is switched to another provider on {product.switch_on}" if product.switch_on else ""


def _unknown(line: Line) -> str:
    """The first thing that a line asks by a word which is none of those for it; empty for none."""
    for name, known in _KNOWN.items():
        if (said := line.characteristics.get(name, "")) and said not in known:
            return f"says {name} {said[:20]}; the words for that are {', '.join(known)}"
    return ""


def _not_taken_over(line: Line, product: ProductState, changes: Sequence[str]) -> str:
    """Why another customer's line cannot take a product over as it says."""
    assert product.transfer is not None
    said = line.characteristics.get(COMMITMENT, "")
    if len(changes) > 1:
        return "is to take a product over and to change it beside that; send two orders"
    if said not in ("", product.transfer.commitment):
        return f"says commitment {said[:20]}, and its owner agreed to {product.transfer.commitment}"
    if product.suspended_for:
        return "takes over a product that rests; it is to serve again first"
    return ""


def _busy(changing: Iterable[str | None], order: str) -> str:
    """Which other order is in the way, by the places of those that change what an order is to change; empty for none."""
    others = [by.partition("/")[0] for by in changing if by and by.partition("/")[0] != order]
    return f"changes what order {others[0]} is changing; send it again when that is over" if others else ""


def held(
    lines: Sequence[Line], products: Products, bill_dates: Mapping[str, str], party: str, known: Mapping[str, HeldProduct] | None = None
) -> tuple[HeldProduct, ...]:
    """Give the products that an order of a party without a flaw names, as they stand now; `bill_dates` are the days of the next bill, by
    account. What is `known`, by line, stands as it was."""
    found = dict(known or {})
    for line in (one for one in lines if names_product(one) and one.item not in found):
        if state := products[product_stream(line.product)]:
            found[line.item] = _held(line, state, bill_dates, party)
    return tuple(found[line.item] for line in lines if line.item in found)


def _held(line: Line, product: ProductState, bill_dates: Mapping[str, str], party: str) -> HeldProduct:
    assert product.standing is not None
    changes = attributes(line, product, party)
    return HeldProduct(
        line=line.item,
        product=product.product,
        attributes=changes,
        commitment=product.transfer.commitment if OWNER in changes and product.transfer else "",
        standing=product.standing,
        started_on=product.started_on,
        status=product.status,
        suspended_for=product.suspended_for,
        suspended_on=product.suspended_on,
        charged_while=product.charged_while,
        relied_on_by=product.relied_on_by,
        relies_on=product.relies_on,
        next_bill_on=bill_dates.get(product.standing.account, ""),
    )


def accepted(held_products: Iterable[HeldProduct], order: str) -> Decision:
    """Tell the products which of their attributes the order is to change, by the versions of their streams: a second order that comes at
    once is judged anew. What is to stay as it is, so that something can be added to it, is ended by no other order meanwhile."""
    return Decision(
        elsewhere=tuple(
            (
                product_stream(one.product),
                ProductChangeAccepted(order=order, item=one.line, attributes=one.attributes or (f"{STAYS}{order}",)),
            )
            for one in held_products
        )
    )


def products_of(state: OrderState) -> dict[str, HeldProduct]:
    """Give the products that an order names, by line, as they stood when it was validated."""
    kept = state.record("", "validation").outcome.get("products", ())
    return {each["line"]: HeldProduct.model_validate(each) for each in kept}


def payer_in(state: OrderState, account: str) -> str:
    """Give the account that pays for one that an order names, as the customer's hierarchy was when the order was validated: mostly the
    account itself."""
    return str(state.record("", "validation").outcome.get("payers", {}).get(account, account))


def cost_centre(state: OrderState, account: str, payer: str) -> str:
    """Give the account that an item is ordered for where another one pays for it; empty where the account pays itself."""
    return account if payer != account and payer_in(state, account) == payer else ""


def dropped(state: OrderState, items: Iterable[str]) -> Decision:
    """Tell the products that these items will not change them; those of an order that was not planned stand under its lines."""
    of = products_of(state)
    lines = (state.items[item].line if item in state.items else item for item in items)
    return let_go(state, (of[line] for line in lines if line in of and of[line].attributes)) if of else NOTHING


def taken_back_by_hand(state: OrderState) -> Decision:
    """Tell the products that items which ended change them no more, where a person counted the network's change as taken back."""
    ended = (item for item, progress in state.progress.items.items() if progress.ended and TAKEN_BACK in progress.recalls)
    return dropped(state, [item for item in ended if "restored_on" not in state.record(item, TAKEN_BACK).outcome])


def stayed(state: OrderState) -> Decision:
    """Tell the products that an order named as they are that it is over."""
    return let_go(state, (one for one in products_of(state).values() if not one.attributes))


def let_go(state: OrderState, products: Iterable[HeldProduct]) -> Decision:
    """Tell products that an order will not change them."""
    return Decision(
        elsewhere=tuple((product_stream(one.product), ProductChangeDropped(order=state.order_id, item=one.line)) for one in products)
    )


def bases_in_service(line: Line, by_id: Mapping[str, Line], products: Mapping[str, HeldProduct]) -> Iterator[str]:
    """Give the products in service that a line relies on, by the lines of the order that name them."""
    for base in line.relies_on:
        if base in products and by_id[base].action == NO_CHANGE:
            yield products[base].product


def product_read(work: Work) -> tuple[str, ...]:
    """Name the stream of the product that an item changes; none for an item that changes none."""
    held = held_by(work)
    return (product_stream(held.product),) if held else ()


def held_by(work: Work) -> HeldProduct | None:
    """Give the product that an item changes, as it stood when its order was validated; None for an item that changes none, or is not
    planned in a state that a process remembers from before."""
    return products_of(work.state).get(work.subject.line) if work.subject else None


def gone(work: Work, at: datetime) -> str:
    """Say that the product ended while the order was under way, so that there is nothing left to change: its number went to another
    operator, or its account was terminated. What is to leave us is nobody's to take over meanwhile: its owner asked for that."""
    product = next((cast("ProductState | None", work.read.get(stream)) for stream in product_read(work)), None)
    if product and product.ended_on:
        return f"DQ-ACTION: item {work.item} changes a product that ended on {product.ended_on}"
    leaves = _leaves(product) if product and OWNER in work.subject.attributes else ""
    return f"DQ-ACTION: item {work.item} takes over a product {leaves}" if leaves else ""
