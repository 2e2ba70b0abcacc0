"""The desk for many products at once: an order of its own for every row of a list, and for every row that cannot be carried out a line that
says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.catalogue.state import CatalogueState
from o2c.desk.act import permitted
from o2c.desk.capture import Captured, capture_all, unreadable
from o2c.engine.app import Context, Engine
from o2c.engine.drafts import Loaded
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import account_stream
from o2c.kernel.identifiers import derived_id, order_id
from o2c.kernel.refusal import Refused
from o2c.orders.document import SOURCE
from o2c.products.events import product_stream
from o2c.products.state import ProductState

ROWS_MAX = 5_000
OWN = ("product", "offering")
"""What of a row is no characteristic of the product."""


@dataclass(frozen=True, slots=True)
class RowChanged:
    """What became of a row, counted from 1: `ordered`, under an order that goes its way by itself, or `failed`, and why."""

    row: int
    product: str
    result: Literal["ordered", "failed"]
    order: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class BulkChanged:
    """What became of the rows of a list: so many are `ordered`, so many have `failed`. `job` is empty for a dry run, which orders
    nothing."""

    job: str
    ordered: int
    failed: int
    rows: tuple[RowChanged, ...]


def change_products(
    app: Engine, context: Context, account: str, changes: Sequence[Mapping[str, str]], *, dry_run: bool = False
) -> BulkChanged:
    """Change many products of an account, or of a cost centre, as a list says: every row is an order of its own, and one that is wrong
    keeps no other from it.

    A row names its `product`, the `offering` that it is to have, if another, and characteristics by their names, such as `effective` =
    `bill-date`; what is empty is left as it is. Called again with the same command id it goes on where it was: no row is ordered twice. A
    dry run says what would be wrong with which row. What the rules of orders say of a row afterwards stands with its order.

    Raises Refused: usage (no rows, or too many), forbidden.
    """
    context = permitted(context, "products.bulk-change")
    if not 1 <= len(changes) <= ROWS_MAX:
        raise Refused(f"a list of changes has 1 to {ROWS_MAX:,} rows, not {len(changes)}; part it")
    job = derived_id("bulk-change", context.command_id or str(uuid4()))
    named = [_product(row) for row in changes]
    first_of = {product: row for row, product in reversed([*enumerate(named, 1)])}
    loaded = app.load({CATALOGUE, account_stream(account), *(product_stream(product) for product in named if product)})
    offered: CatalogueState = loaded[CATALOGUE].state
    payers = app.load({account_stream(state.standing.account) for state in _products(loaded) if state.standing})
    before = app.reads.commands_written([_command_id(job, row) for row in range(1, len(changes) + 1)])
    done: dict[int, RowChanged] = {}
    to_order: dict[int, Mapping[str, str]] = {}
    for row, change in enumerate(changes, 1):
        product, ordered = named[row - 1], _command_id(job, row) in before
        wrong = "" if ordered else _wrong(change, row, first_of, account, offered, loaded, payers)
        if dry_run and not (wrong or ordered):
            wrong = unreadable(app, context, _paper(job, row, change, loaded[product_stream(product)].state, context.channel))
        if wrong or dry_run:
            done[row] = RowChanged(row, product, "failed" if wrong else "ordered", why=wrong)
        elif ordered:
            done[row] = RowChanged(row, product, "ordered", order=_order_before(job, row, loaded[product_stream(product)].state))
        else:
            to_order[row] = change
    done |= _ordered(app, context, job, {row: (change, loaded[product_stream(named[row - 1])].state) for row, change in to_order.items()})
    failed = sum(one.result == "failed" for one in done.values())
    return BulkChanged("" if dry_run else job, len(done) - failed, failed, tuple(done[row] for row in sorted(done)))


def _product(row: Mapping[str, str]) -> str:
    return row.get("product", "").strip()


def _command_id(job: str, row: int) -> str:
    return derived_id(job, str(row))


def _external_id(job: str, row: int) -> str:
    return f"CHG-{job[:8]}-{row}"


def _order_before(job: str, row: int, state: ProductState) -> str:
    """The order that a row has from before: it is not worked out anew from how its product stands by now."""
    assert state.standing is not None
    return order_id(SOURCE, state.standing.customer, _external_id(job, row))


def _products(loaded: Mapping[str, Loaded]) -> list[ProductState]:
    return [one.state for one in loaded.values() if isinstance(one.state, ProductState)]


def _wrong(
    change: Mapping[str, str],
    row: int,
    first_of: Mapping[str, int],
    account: str,
    offered: CatalogueState,
    loaded: Mapping[str, Loaded],
    payers: Mapping[str, Loaded],
) -> str:
    """Why a row cannot be ordered, in words that show nothing but what it says itself; empty where it can."""
    product, offering = _product(change), change.get("offering", "").strip()
    if not product:
        return "it names no product"
    if first_of[product] < row:
        return f"row {first_of[product]} changes the same product; say all that is to change in one"
    state: ProductState = loaded[product_stream(product)].state
    if state.standing is None:
        return f"there is no product {product}"
    paying: AccountState = payers[account_stream(state.standing.account)].state
    if account not in (state.standing.account, paying.whose(state.standing.charge)):
        return f"product {product} is not of account {account}"
    if state.ended_on:
        return f"product {product} ended on {state.ended_on}"
    if offering and offering not in offered.offerings:
        return f"there is no offering {offering}"
    if offering in ("", state.standing.offering) and not _characteristics(change):
        return "nothing of it differs"
    return ""


def _characteristics(change: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in change.items() if name not in OWN and value.strip()}


def _ordered(app: Engine, context: Context, job: str, rows: Mapping[int, tuple[Mapping[str, str], ProductState]]) -> dict[int, RowChanged]:
    """Take rows down as orders, those of a market together; one that is refused is told so, and the others go on."""
    done: dict[int, RowChanged] = {}
    for market in sorted({state.market.partition("@")[0] for _, state in rows.values()}):
        mine = {row: each for row, each in rows.items() if each[1].market.partition("@")[0] == market}
        papers = {_command_id(job, row): _paper(job, row, change, state, context.channel) for row, (change, state) in mine.items()}
        taken = capture_all(app, context, papers, market=market)
        done |= {row: _row(row, state, taken[_command_id(job, row)]) for row, (_, state) in mine.items()}
    return done


def _row(row: int, state: ProductState, taken: Captured | Refused) -> RowChanged:
    if isinstance(taken, Refused):
        return RowChanged(row, state.product, "failed", why=str(taken))
    return RowChanged(row, state.product, "ordered", order=taken.order)


def _paper(job: str, row: int, change: Mapping[str, str], state: ProductState, channel: str) -> dict[str, Any]:
    """The order of a row, as TMF622 has it: it changes one product in service."""
    assert state.standing is not None
    item: dict[str, Any] = {
        "id": "1",
        "action": "modify",
        "quantity": 1,
        "productOffering": {"id": change.get("offering", "").strip() or state.standing.offering},
        "product": {
            "id": state.product,
            "productCharacteristic": [{"name": name, "value": value} for name, value in _characteristics(change).items()],
        },
    }
    return {
        "externalId": _external_id(job, row),
        "channel": [{"id": channel}],
        "billingAccount": {"id": state.standing.account},
        "relatedParty": [{"id": state.standing.customer, "role": "customer"}],
        "productOrderItem": [item],
    }
