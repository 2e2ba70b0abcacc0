"""Products in service on the command line."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from o2c.desk.act import Context, Refused
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.views.products import list_products, product_history
from o2c.views.reading import part_after_part

products = typer.Typer(
    no_args_is_help=True, help="Products in service: list them, see what happened to one, give the code to port a number out."
)
LISTED = (
    "product",
    "offering",
    "customer",
    "status",
    "started_on",
    "commitment_ends_on",
    "msisdn",
    "iccid",
    "price_minor",
    "currency",
    "account",
)


@products.command("list")
def products_list(
    customer: Annotated[list[str] | None, typer.Option("--customer", metavar="ID", help="Only this customer's; again for each.")] = None,
    order: Annotated[list[str] | None, typer.Option("--order", metavar="ID", help="Only of this order, by our id; again for each.")] = None,
    offering: Annotated[list[str] | None, typer.Option("--offering", metavar="ID", help="Only of this offering; again for each.")] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status", metavar="STATUS", help="Only these: active, suspended, pendingTerminate, terminated; in service when left out."
        ),
    ] = None,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List what customers have in service, the oldest first.

    Example: o2c products list --customer C-1001
    """
    picked: dict[str, Any] = {"customers": customer or [], "orders": order or [], "offerings": offering or [], "statuses": status or []}
    with looking() as session:
        current(session)
        found = part_after_part(partial(list_products, session.app, **picked), rows_wanted(limit, output))
        show_rows(found, output, columns=LISTED, limit=limit, empty="no such products")


@products.command("history")
def products_history(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id, as the list gives it.", show_default=False)],
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Show what happened to a product: how it began, each change with the order that made it, its rests and its end.

    Example: o2c products history 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1
    """
    with looking() as session:
        show_rows(product_history(session.app, product), output, columns=("at", "event", "what", "order", "actor"), limit=limit, empty="")


@products.command("porting-code")
def products_porting_code(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id, as the list gives it.", show_default=False)],
    actor: Actor,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Give the customer the code by which another operator takes over a number: the same one while it is good.

    With it come what the contract costs that ends today, and what is open of the invoices; debt is no ground to refuse it. Exit 4 when it is refused.

    Example: o2c products porting-code 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1 --actor ann
    """
    from o2c.desk.products import porting_code  # needs the rules; what only shows does not

    with opened() as session:
        given = porting_code(session.app, Context(actor, command_id=command_id), product)
    if given.refused:
        raise Refused(f"product {product}: no code, {given.refused}", kind="conflict")
    show_one({name: value for name, value in vars(given).items() if name not in ("written", "refused")}, output)
