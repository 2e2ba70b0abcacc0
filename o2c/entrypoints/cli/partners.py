"""Partners on the command line: simulated or real, and how they are reached."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from o2c.desk import partners as partner_desk
from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId, completing
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.files.fault_plan import read_fault_plan
from o2c.views.partners import FAULT_COLUMNS, PARTNER_NAMES, STATUS_COLUMNS, list_faults, list_partner_statuses, list_partners
from o2c.views.shown import PartnerStatusShown

partners = typer.Typer(no_args_is_help=True, help="The systems outside: which are simulated, which are real, how they are reached.")
Name = Annotated[
    str,
    typer.Argument(metavar="PARTNER", help="The partner, as `o2c partners list` shows it.", autocompletion=completing(PARTNER_NAMES)),
]
COLUMNS = ("partner", "kind", "client", "url", "credential", "timeout_s", "calls_max")
TAKEN_UP = "workers take it up when they are started"


@partners.command("list")
def partners_list(output: Output = Format.table) -> None:
    """List the partners: simulated or real, where each is reached, and within which limits.

    `client` says whether it could be real: whether this program can speak to such a partner over the network.

    Example: o2c partners list
    """
    with looking() as session:
        show_rows(list_partners(session.app), output, columns=COLUMNS)


@partners.command("link")
def partners_link(
    partner: Name,
    url: Annotated[str, typer.Option(metavar="URL", help="Its address, http or https, without a login.")],
    credential: Annotated[str, typer.Option(metavar="VARIABLE", help="The environment variable of workers that holds the token.")],
    actor: Actor,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for an answer.")] = 10.0,
    calls_max: Annotated[int, typer.Option(metavar="N", help="How many calls of a worker may be under way at once.")] = 8,
    command_id: CommandId = "",
) -> None:
    """Reach a partner over the network from now on.

    The token itself is never stored: each worker finds it in its environment. Workers take the change up when they are started.

    Example: o2c partners link credit-bureau --url https://bureau.example/v1 --credential BUREAU_TOKEN --actor ann
    """
    with opened() as session:
        context = Context(actor, command_id=command_id)
        partner_desk.link_partner(session.app, context, partner, url=url, credential=credential, timeout_s=timeout, calls_max=calls_max)
        err.print(f"{partner} is reached at {url}; {TAKEN_UP}")


@partners.command("simulate")
def partners_simulate(partner: Name, actor: Actor, command_id: CommandId = "") -> None:
    """Simulate a partner from now on.

    Workers take the change up when they are started.

    Example: o2c partners simulate credit-bureau --actor ann
    """
    with opened() as session:
        partner_desk.simulate_partner(session.app, Context(actor, command_id=command_id), partner)
        err.print(f"{partner} is simulated; {TAKEN_UP}")


Reason = Annotated[str, typer.Option(metavar="TEXT", help="How you know; stands in the log.")]


@partners.command("down")
def partners_down(partner: Name, reason: Reason, actor: Actor, command_id: CommandId = "") -> None:
    """Declare that a partner is down: what would be asked of it waits until you say that it is up.

    Nothing falls out for it, and no attempt is used up. Workers take it up with the next page of work.

    Example: o2c partners down network --reason "planned work until noon" --actor ann
    """
    with opened() as session:
        done = partner_desk.partner_down(session.app, Context(actor, command_id=command_id), partner, reason=reason)
        row = _row_of(list_partner_statuses(session.app), partner)
        err.print(
            f"{partner} is down{' already' if done.unchanged else ''}; {row['by']} says so, it is since {row['since']}, and what would be asked of it "
            f"waits for `o2c partners up {partner} --reason TEXT --actor NAME`"
        )


@partners.command("up")
def partners_up(
    partner: Name,
    reason: Reason,
    actor: Actor,
    rate: Annotated[
        int, typer.Option(metavar="N", help="How many parked calls are made in a minute; the partner's rule when left out.")
    ] = 0,
    command_id: CommandId = "",
) -> None:
    """Declare that a partner is up again: what waited for it is asked, one after another.

    By priority, promised day and age of the orders, each call once and under the same key as before.

    Example: o2c partners up network --reason "the supplier called" --rate 120 --actor ann
    """
    with opened() as session:
        done = partner_desk.partner_up(session.app, Context(actor, command_id=command_id), partner, reason=reason, rate_per_min=rate)
        row = _row_of(list_partner_statuses(session.app), partner)
        waiting = f"{row['parked'] - row['drained']} calls wait for their turn, {row['rate_per_min']} of them are made in a minute"
        err.print(f"{partner} is up{' already' if done.unchanged else ''}; {waiting}; see `o2c partners status`")


def _row_of(rows: list[PartnerStatusShown], partner: str) -> PartnerStatusShown:
    return next(row for row in rows if row["partner"] == partner)


@partners.command("status")
def partners_status(output: Output = Format.table) -> None:
    """Show which partners are up, down or draining, since when and by whose word, and what waits for them.

    `by` is who declared it, or `detection` where the calls showed it. `parked` and `drained` count the calls of the last outage.

    Example: o2c partners status
    """
    with looking() as session:
        show_rows(list_partner_statuses(session.app), output, columns=STATUS_COLUMNS)


@partners.command("plan-faults")
def partners_plan_faults(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Rows of partner, kind, percent, from, to; JSON, or TOML if named .toml.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Simulate the partners with planned faults from now on, in place of all that was planned before.

    A row's kind is transient, refused, permanent, unknown or outage (nobody answers), its partner `*` for all; without from and to it holds
    always. What no row names comes as usual. An empty list takes the plan back.

    Example: o2c partners plan-faults faults.toml --actor ann
    """
    rows = read_fault_plan(file)
    with opened() as session:
        partner_desk.plan_faults(session.app, Context(actor, command_id=command_id), rows)
        err.print(f"{len(rows)} rows of faults are planned; {TAKEN_UP}")


@partners.command("faults")
def partners_faults(output: Output = Format.table) -> None:
    """List the faults that simulated partners meet, planned and usual: how many calls in a hundred, and when.

    While a planned fault holds, it stands in place of the usual one of its kind.

    Example: o2c partners faults
    """
    with looking() as session:
        show_rows(list_faults(session.app), output, columns=FAULT_COLUMNS)
