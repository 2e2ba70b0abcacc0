"""Products in service on the command line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from o2c.desk.act import Context, Refused
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.views.products import list_products, product_history, product_notices
from o2c.views.reading import day_of, part_after_part, plain

if TYPE_CHECKING:
    from o2c.desk.switching import Message

products = typer.Typer(
    no_args_is_help=True,
    help="Products in service: list them, see what happened to one and what its customer was told, give one to another customer, port its number out or lock it, withdraw from one.",
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
    customer: Annotated[str, typer.Option("--customer", metavar="ID", help="Only while it was this customer's.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Show what happened to a product: how it began, each change with the order that made it, its rests and its end.

    Example: o2c products history 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1
    """
    with looking() as session:
        rows = product_history(session.app, product, customer=customer)
        show_rows(rows, output, columns=("at", "event", "what", "order", "actor"), limit=limit, empty="it never was theirs")


@products.command("notices")
def products_notices(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id, as the list gives it.", show_default=False)],
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Show what a customer was told of the end of a product's term and of the best prices after it, and the next notice.

    Example: o2c products notices 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1
    """
    columns = ("about", "ends_on", "state", "due_at", "told_on", "price_minor", "price_after_minor", "exit_minor", "currency")
    with looking() as session:
        show_rows(product_notices(session.app, product), output, columns=columns, limit=limit, empty="a product without a term: no notices")


@products.command("porting-code")
def products_porting_code(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id, as the list gives it.", show_default=False)],
    actor: Actor,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Give the customer the code by which another operator takes over a number: the same one while it is good.

    With it come what the contract costs that ends today, and what is open of the invoices; debt is no ground to refuse it. Exit 4 when it
    is refused.

    Example: o2c products porting-code 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1 --actor ann
    """
    from o2c.desk.products import porting_code  # needs the rules; what only shows does not

    with opened() as session:
        given = porting_code(session.app, Context(actor, command_id=command_id), product)
    if given.refused:
        raise Refused(f"product {product}: no code, {given.refused}", kind="conflict")
    show_one({name: value for name, value in vars(given).items() if name not in ("written", "refused")}, output)


PRODUCT_OR_NUMBER = typer.Argument(
    metavar="PRODUCT", help="The product's id, as the list gives it, or its number such as +447700900123.", show_default=False
)
Reference = Annotated[str, typer.Option(metavar="TEXT", help="The clearing house's reference of the port.")]


@products.command("port-out")
def products_port_out(
    product: Annotated[str, PRODUCT_OR_NUMBER],
    actor: Actor,
    operator: Annotated[str, typer.Option(metavar="NAME", help="The operator that asks for the number.")],
    reference: Reference,
    code: Annotated[str, typer.Option(metavar="CODE", help="The customer's porting code; the account, where the market has none.")],
    day: Annotated[str, typer.Option("--on", metavar="DAY", help="The day wished, as 2026-03-09; as soon as possible when left out.")] = "",
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Take another operator's request for a number: authorised for a day, or rejected in the market's word. Debt is no ground.

    On that day the service is switched off, and the product ends when the other operator has the number. Exit 4 when it is rejected.

    Example: o2c products port-out +447700900123 --operator "Other Mobile" --reference PRT-901 --code EXO123456 --actor clearing
    """
    from o2c.desk.products import port_out  # needs the rules; what only shows does not

    wished_on = day_of(day) if day else None
    with opened() as session:
        context = Context(actor, command_id=command_id)
        done = port_out(session.app, context, product, operator=operator, reference=reference, code=code, wished_on=wished_on)
    if done.state == "rejected":
        raise Refused(f"port {reference} is rejected ({done.word}): {done.why}", kind="conflict")
    show_one(plain({name: value for name, value in vars(done).items() if name not in ("written", "word", "why")}), output)


@products.command("port-out-cancel")
def products_port_out_cancel(
    product: Annotated[str, PRODUCT_OR_NUMBER],
    actor: Actor,
    reference: Reference,
    command_id: CommandId = "",
) -> None:
    """Take back a port to another operator: the number and the product stay. Exit 4 from the market's cut-off on.

    Where the cut-over fell out and the number turned out to have stayed here, its service is switched on again at once.

    Example: o2c products port-out-cancel +447700900123 --reference PRT-901 --actor clearing
    """
    from o2c.desk.products import port_out_cancel

    with opened() as session:
        port_out_cancel(session.app, Context(actor, command_id=command_id), product, reference=reference)
    err.print(f"port {reference} was taken back; the number stays")


@products.command("lock")
def products_lock(
    product: Annotated[str, PRODUCT_OR_NUMBER],
    actor: Actor,
    lift: Annotated[bool, typer.Option("--lift", help="Lift the lock.")] = False,
    command_id: CommandId = "",
) -> None:
    """Keep the number of a product from going to another operator, as its customer wants, or lift that lock.

    Example: o2c products lock +447700900123 --actor ann
    """
    from o2c.desk.products import lock

    with opened() as session:
        lock(session.app, Context(actor, command_id=command_id), product, lift=lift)
    err.print(f"{product} is {'not locked any more' if lift else 'locked'}")


@products.command("transfer")
def products_transfer(
    product: Annotated[str, PRODUCT_OR_NUMBER],
    actor: Actor,
    to: Annotated[str, typer.Option("--to", metavar="CUSTOMER", help="The customer who is to take it over.")] = "",
    commitment: Annotated[
        str, typer.Option(metavar="WORD", help="What becomes of its term: taken-over, or ended at its owner's cost.")
    ] = "taken-over",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="The owner keeps it after all.")] = False,
    command_id: CommandId = "",
) -> None:
    """Take down that the owner of a product agrees that another customer takes it over, or that he keeps it after all.

    The other does it by an order of his own within the days of the market: modify, with the product's id. Number and SIM stay; each pays
    from and up to the day.

    Example: o2c products transfer +447700900123 --to C-1002 --actor ann
    """
    from o2c.desk.products import transfer

    if bool(to) == withdraw:
        raise Refused("say the customer who is to take it over (--to), or that its owner keeps it (--withdraw)")
    if commitment not in ("taken-over", "ended"):
        raise Refused(f"{commitment[:20]} is no word for what becomes of a term; say taken-over or ended")
    with opened() as session:
        context = Context(actor, command_id=command_id)
        transfer(session.app, context, product, to=to, commitment="ended" if commitment == "ended" else "taken-over", withdraw=withdraw)
    err.print(f"{product} stays with its owner" if withdraw else f"customer {to} may take {product} over by an order")


@products.command("switch-match")
def products_switch_match(
    actor: Actor,
    gaining: Annotated[str, typer.Option(metavar="NAME", help="The provider that asks.")],
    request: Annotated[str, typer.Option(metavar="TEXT", help="The hub's id of the question.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="The customer's name, as it stands on our bill.")],
    address: Annotated[str, typer.Option(metavar="TEXT", help="Where the service is, as it stands on our bill.")],
    account: Annotated[str, typer.Option(metavar="ID", help="The customer's account with us, where several services fit.")] = "",
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Match a new provider's customer to a fixed service (One Touch Switch), and tell him what switching means.

    Exit 3 when none fits, exit 4 when several do. Debt and an open contract are no ground to refuse.

    Example: o2c products switch-match --gaining "Other Fibre" --request OTS-77120 --name "Ada Example" --address "1 Mill Lane, Testford, ZZ1 1AA" --actor hub
    """
    from o2c.desk.switching import switch_match  # needs the rules; what only shows does not

    asked = {"gaining": gaining, "request": request, "name": name, "address": address, "account": account}
    with opened() as session:
        done = switch_match(session.app, session.home, Context(actor, command_id=command_id), **asked)
    show_one({name: value for name, value in vars(done).items() if name != "written"}, output)


@products.command("switch")
def products_switch(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id, as the match gave it.", show_default=False)],
    actor: Actor,
    reference: Annotated[str, typer.Option(metavar="TEXT", help="The reference of the match.")],
    message: Annotated[str, typer.Option(metavar="WORD", help="What the hub passes on: order, cancel or trigger.")],
    day: Annotated[str, typer.Option("--on", metavar="DAY", help="The day of the order, or since which the new service is on.")] = "",
    command_id: CommandId = "",
) -> None:
    """Take a message of a switch: its order for a day, its end, or that the new service is on and ours ends.

    Example: o2c products switch 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1 --reference 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --message cancel --actor hub
    """
    from o2c.desk.switching import switch

    if message not in ("order", "cancel", "trigger"):
        raise Refused(f"{message[:20]} is no message of a switch; say order, cancel or trigger")
    on = day_of(day) if day else None
    with opened() as session:
        context = Context(actor, command_id=command_id)
        switch(session.app, context, product, reference=reference, message=cast("Message", message), on=on)
    err.print(f"{message} of switch {reference} was taken")


@products.command("withdraw")
def products_withdraw(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id, as the list gives it.", show_default=False)],
    actor: Actor,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would come to, and write nothing.")] = False,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Withdraw from a contract for its customer, a consumer, within the market's period: it ends today with what needs it.

    What a service was used for is owed by days if it was asked to begin; all else goes back. Exit 4 where there is no such right.

    Example: o2c products withdraw 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1 --dry-run --actor ann
    """
    from o2c.desk.withdrawals import withdraw
    from o2c.views.withdrawals import show_right

    with opened() as session:
        if dry_run:
            show_one(show_right(session.app, product), output)
            return
        done = withdraw(session.app, Context(actor, command_id=command_id), product)
    show_one({name: value for name, value in vars(done).items() if name != "written"}, output)
