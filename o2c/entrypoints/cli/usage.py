"""Usage on the command line: taking in records, listing them, what is left of included units, limits of what a bill may come to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.reading import PART_MAX, amount_text, time_of
from o2c.views.usage import list_usage, show_allowances, show_limits, usage_gaps

usage = typer.Typer(
    no_args_is_help=True, help="Usage records: take in files, list them, delete those that were kept long enough; zones and time bands."
)
allowances = typer.Typer(no_args_is_help=True, help="Included units: what is left of them, and packs of more.")
limits = typer.Typer(no_args_is_help=True, help="Limits of what a bill may come to: set them, agree to go beyond, see how they stand.")
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The billing account.")]
By = Annotated[str, typer.Option("--actor", metavar="NAME", help="Who does it.")]


@usage.command("load")
def usage_load(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with the names of its columns in the first line, or one JSON object a line.")
    ],
    source: Annotated[str, typer.Option(metavar="NAME", help="The source of records that name none; the file's name when left out.")] = "",
    actor: By = "intake",
    output: Output = Format.table,
) -> None:
    """Take in usage records and say what the file brought. Sent again, it changes nothing.

    Columns: party, kind (voice, sms, data, roaming, premium, transfer), start, quantity; and key, unit, source, sequence, destination,
    zone, country.

    Example: o2c usage load usage.csv
    """
    from o2c.files.usage import load_usage

    with opened() as session:
        show_one(dict(load_usage(session.app, file, context=Context(actor, channel="intake"), source=source)), output)


@usage.command("list")
def usage_list(
    account: Annotated[str, typer.Option(metavar="ID", help="Only records of this account.")] = "",
    file: Annotated[str, typer.Option(metavar="HASH", help="Only records of this file, by the hash that `usage load` says.")] = "",
    suspense: Annotated[bool, typer.Option("--suspense", help="Only records that are nobody's yet.")] = False,
    offset: Annotated[int, typer.Option(metavar="N", help="Leave the first N out.")] = 0,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List usage records in the order in which they came. Numbers are masked.

    Example: o2c usage list --suspense
    """
    with looking() as session:
        rows = list_usage(
            session.app, account=account, file=file, suspense=suspense, offset=offset, limit=rows_wanted(limit, output) or PART_MAX
        )
        columns = (
            "id",
            "party",
            "kind",
            "started_at",
            "quantity",
            "unit",
            "zone",
            "band",
            "account",
            "waits_for",
            "waits_since",
            "look_at",
            "other",
            "file",
            "order",
        )
        show_rows(rows, output, columns=columns, limit=limit, empty="no such records")


@usage.command("gaps")
def usage_gaps_listed(
    source: Annotated[str, typer.Option(metavar="NAME", help="Only gaps of this source.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List the numbers that are missing in the sequences of sources: records that never came.

    Example: o2c usage gaps
    """
    with looking() as session:
        rows = usage_gaps(session.app, source=source, limit=rows_wanted(limit, output) or PART_MAX)
        show_rows(rows, output, columns=("source", "missing_from", "missing_to", "missing"), limit=limit, empty="no number is missing")


@usage.command("load-zones")
def usage_load_zones(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML: version, valid_from, market, and of zones and bands what is yours.")],
    actor: Actor,
) -> None:
    """Put your own zones and time bands over those of a market, in force from the day that the file says.

    The file has `version`, `valid_from`, `market`; `zones` (name, prefixes, countries) with `other_zone`; `bands` (name, weekdays,
    from_hour, to_hour) with `other_band`. Records that came before stay as they were placed.

    Example: o2c usage load-zones zones.toml --actor ann
    """
    from o2c.files.usage import load_zones

    with opened() as session:
        loaded = load_zones(session.app, file, context=Context(actor))
        err.print(f"zones {loaded.version} of market {loaded.market} are in force from {loaded.valid_from}")


@usage.command("zones")
def usage_zones(
    market: Annotated[str, typer.Option(metavar="CODE", help="Only those of this market.")] = "",
    output: Output = Format.table,
) -> None:
    """List zones and time bands, those of the markets and your own over them, by version.

    Example: o2c usage zones --market GB
    """
    from o2c.views.zones import list_zones

    with looking() as session:
        rows = list_zones(session.app, market=market)
        columns = (
            "market",
            "version",
            "in_force",
            "valid_from",
            "kind",
            "name",
            "prefixes",
            "countries",
            "weekdays",
            "from_hour",
            "to_hour",
        )
        show_rows(rows, output, columns=columns, empty="no zones")


@usage.command("purge")
def usage_purge(actor: Actor, command_id: CommandId = "") -> None:
    """Delete usage records that are older than the market keeps them. What no bill has yet stays.

    Example: o2c usage purge --actor ann
    """
    from o2c.files.usage import purge_usage

    with opened() as session:
        purged = purge_usage(session.app, Context(actor, command_id=command_id))
        err.print(f"deleted {purged['records']} records of before {purged['before']}; {purged['kept']} stay, on no bill yet")


@allowances.command("buy")
def allowances_buy(
    account: Account,
    offering: Annotated[str, typer.Option(metavar="ID", help="The offering that sells the pack.")],
    actor: Actor,
    line: Annotated[str, typer.Option(metavar="ORDER/ITEM", help="The line; left out where the account has one.")] = "",
    command_id: CommandId = "",
) -> None:
    """Buy a pack of units for a line, beside what its plan includes; the next bill has it once.

    Example: o2c allowances buy BA-1001 --offering data-pack --actor ann
    """
    from o2c.desk.allowances import buy_pack

    with opened() as session:
        buy_pack(session.app, Context(actor, command_id=command_id), account, offering=offering, line=line)
        pack = show_allowances(session.app, account)[-1]
        err.print(f"{account} has {pack['left']} {pack['unit']} of {pack['allowance']}, to be used before {pack['ends']}")


@allowances.command("show")
def allowances_show(
    account: Account,
    at: Annotated[str, typer.Option(metavar="TIME", help="An instant of the running bill period; now when left out.")] = "",
    output: Output = Format.table,
) -> None:
    """Show what is left of the included units of an account's lines, in the order in which they are used.

    Example: o2c allowances show BA-1001 --at 2026-01-20T12:00:00Z
    """
    with looking() as session:
        rows = show_allowances(session.app, account, at=time_of(at) if at else None)
        columns = ("allowance", "left", "granted", "unit", "starts", "ends", "shared", "priority", "order", "item", "at")
        show_rows(rows, output, columns=columns, empty="nothing is included")


@limits.command("show")
def limits_show(account: Account, output: Output = Format.table) -> None:
    """Show how an account stands with its limits in the running bill period.

    Example: o2c limits show BA-1001
    """
    with looking() as session:
        rows = show_limits(session.app, account)
        columns = (
            "kind",
            "amount_minor",
            "spent_minor",
            "currency",
            "period_from",
            "notice",
            "agreed",
            "not_chargeable",
            "chosen",
            "offered_on",
        )
        show_rows(rows, output, columns=columns, empty="no limits")


@limits.command("set")
def limits_set(
    account: Account,
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="In units of the currency, net of tax: 20.00; `none` lifts it.")],
    actor: Actor,
    roaming: Annotated[bool, typer.Option("--roaming", help="The limit of what is used abroad, instead of the whole bill's.")] = False,
    command_id: CommandId = "",
) -> None:
    """Set or change a limit of what a bill period may cost beyond its recurring prices, from now on.

    Example: o2c limits set BA-1001 --amount 20.00 --actor ann
    """
    from o2c.desk.limits import set_limit

    with opened() as session:
        kind = "roaming" if roaming else "bill"
        set_limit(session.app, Context(actor, command_id=command_id), account, amount=amount, kind="roaming" if roaming else "bill")
        [stands] = [row for row in show_limits(session.app, account) if row["kind"] == kind]
        minor = stands["amount_minor"]
        err.print(f"{kind} limit of {account}: {'none' if minor is None else amount_text(minor, stands['currency'])}, from now on")


@limits.command("agree")
def limits_agree(
    account: Account,
    notice: Annotated[str, typer.Option(metavar="NOTICE", help="The notice that the customer answers, as `limits show` has it.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Record that the customer agreed, after a notice, to go beyond a limit for the rest of the bill period.

    Example: o2c limits agree BA-1001 --notice bill-2026-01-08-100 --actor ann
    """
    from o2c.desk.limits import agree

    with opened() as session:
        agree(session.app, Context(actor, command_id=command_id), account, notice=notice)
        err.print(f"{account} may go beyond the limit of notice {notice} until its next bill")
