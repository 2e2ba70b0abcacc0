"""Waiting, promises and forecasts on the command line: who orders wait for, what was promised and told, what differs, when queues clear."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from o2c.desk.act import Refused
from o2c.entrypoints.cli.options import completing
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.entrypoints.cli.wishes import one_of
from o2c.views.reading import time_of

promises = typer.Typer(
    no_args_is_help=True, help="Days that customers were promised: each one, and how many were kept, broken and are open."
)
queues = typer.Typer(no_args_is_help=True, help="Queues of fallouts: when they clear.")
jeopardy = typer.Typer(no_args_is_help=True, help="Promises in danger before they are broken, and how good that is foretold.")
LEVELS = ("hazard", "critical")
COHORTS = ("market", "step")
JEOPARDY_COLUMNS = ("external_id", "item", "level", "chance", "promised_on", "agreed_on", "projected_on", "lead_h", "open_steps")
STATES = ("kept", "broken", "open")
PROMISE_COLUMNS = ("external_id", "item", "promised_on", "made_at", "channel", "audience", "state", "cause", "late_days")
TOLD_COLUMNS = ("at", "what", "channel", "audience", "about")
WAITING_COLUMNS = (
    "external_id",
    "cycle_s",
    "us_s",
    "customer_s",
    "partner_s",
    "regulator_s",
    "channel_s",
    "working_us_s",
    "waits_for",
    "waits_on",
)
FORECAST_COLUMNS = (
    "queue",
    "open",
    "closings",
    "dry_days",
    "enough",
    "p50_on",
    "p85_on",
    "p90_on",
    "empty_p50_on",
    "empty_p90_on",
    "back_tests",
    "covered",
    "undecided",
)
AGE_COLUMNS = ("external_id", "state", "age_s", "cohort", "band", "waits_for", "waits_on")
From = Annotated[str, typer.Option("--from", metavar="TIME", help="Only what was captured from then on.")]
To = Annotated[str, typer.Option(metavar="TIME", help="Only what was captured before then.")]


def orders_promises(order: Id, output: Output = Format.table) -> None:
    """Show every day that was promised for the items of an order, and what became of it.

    Each promise is judged by its own day: kept, broken (with what broke it, and how late it came or is), or open. Kept, broken and open are
    all there are.

    Example: o2c orders promises WEB-1001 -o jsonl
    """
    from o2c.views.promised import promises_of_order

    with looking() as session:
        current(session)
        show_rows(promises_of_order(session.app, order), output, empty="nothing was promised yet", columns=PROMISE_COLUMNS[1:], limit=0)


def orders_sites(
    order: Id,
    personal: Annotated[bool, typer.Option("--personal", help="The address of each site, and whom to ask for there, too.")] = False,
    output: Output = Format.table,
) -> None:
    """Show how far the sites of an order are, the slowest first, and what each waits for.

    A site is the lines that are ordered for one account and wanted at one place. Lines wait for the day from which on they may begin.

    Example: o2c orders sites WEB-1001 -o jsonl
    """
    from o2c.views.sites import sites_of_order

    with looking() as session:
        show_rows(sites_of_order(session.app, order, personal=personal), output, empty="nothing is planned yet", limit=0)


def orders_told(order: Id, output: Output = Format.table) -> None:
    """Show what the customer of an order was told about it, when and through which channel.

    Promises and answers to the channel that sent it, contacts, notices, requests, bills, and what channels' programs showed or were told.

    Example: o2c orders told WEB-1001
    """
    from o2c.views.told import told_of_order

    with looking() as session:
        current(session)
        show_rows(told_of_order(session.app, order), output, empty="nothing was told yet", columns=TOLD_COLUMNS, limit=0)


def customers_told(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The id of the customer.")], output: Output = Format.table
) -> None:
    """Show what a customer was told about anything, when and through which channel.

    Example: o2c customers told C-1001 -o jsonl
    """
    from o2c.views.told import told_to_customer

    with looking() as session:
        current(session)
        show_rows(told_to_customer(session.app, customer), output, empty="nothing was told yet", columns=TOLD_COLUMNS, limit=0)


def orders_diff(
    order: Id,
    other: Annotated[str, typer.Argument(metavar="[OTHER]", help="The order that it is compared with.")] = "",
    from_: Annotated[str, typer.Option("--from", metavar="TIME", help="Compare with itself: as it stood then.")] = "",
    to: Annotated[str, typer.Option(metavar="TIME", help="And as it stood then, or stands now.")] = "",
    output: Output = Format.table,
) -> None:
    """Show what differs between two orders, or between two moments of one.

    With who each waited for, and the medians of completed orders like the first. Of two orders, times count from the capture of each.

    Example: o2c orders diff WEB-1001 WEB-1001 -o json
    """
    from o2c.views.differing import diff_orders

    with looking() as session:
        current(session)
        since, until = (time_of(text) if text else None for text in (from_, to))
        show_one(diff_orders(session.app, order, other, since=since, until=until), output)


@promises.command("list")
def promises_list(
    state: Annotated[
        str, typer.Option(metavar="STATE", help="Only those that are kept, broken or open.", autocompletion=completing(STATES))
    ] = "",
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only what this customer was promised.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List every day that was promised for any item, and what became of it.

    Example: o2c promises list --state broken -o jsonl
    """
    from o2c.views.promised import list_promises

    one_of("--state", state, STATES)
    with looking() as session:
        current(session)
        rows = list_promises(session.app, state=state, customer=customer, limit=rows_wanted(limit, output))
        show_rows(rows, output, empty="no such promises", columns=PROMISE_COLUMNS, limit=0)


@promises.command("count")
def promises_count(output: Output = Format.table) -> None:
    """Show how many promises were made, kept and broken, and are open, by channel.

    Example: o2c promises count
    """
    from o2c.views.promised import count_promises

    with looking() as session:
        current(session)
        show_rows(count_promises(session.app), output, empty="nothing was promised yet", limit=0)


def metrics_waiting(
    order: Annotated[str, typer.Option(metavar="ORDER", help="Only this order, by its id or external id.")] = "",
    from_: From = "",
    to: To = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="As of this time: open orders have waited until then.")] = "",
    known_at: Annotated[int | None, typer.Option(metavar="POSITION", min=0, help="As far as the log told up to this position.")] = None,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Show who orders waited for, to the second: us, customer, partner, regulator, channel.

    From capture to end, or until now; the parts sum to the whole. Of several things waited for at once that one counts which the end really
    waited for. The longest first.

    Example: o2c metrics waiting -o jsonl
    """
    from o2c.views.waiting import waiting_times

    with looking() as session:
        current(session)
        since, until, when = (time_of(text) if text else None for text in (from_, to, at))
        wanted = rows_wanted(limit, output)
        rows = waiting_times(session.app, order=order, since=since, until=until, at=when, known_at=known_at, limit=wanted)
        show_rows(rows, output, empty="no orders", columns=WAITING_COLUMNS, limit=0)


def metrics_ageing(limit: Limit = None, output: Output = Format.table) -> None:
    """Show how old open orders are, beside how long those took that completed.

    Example: o2c metrics ageing -o json
    """
    from o2c.views.waiting import work_in_progress

    with looking() as session:
        current(session)
        told = work_in_progress(session.app, limit=rows_wanted(limit, output))
        show_one(told, output, columns={"orders": AGE_COLUMNS})


@queues.command("forecast")
def queues_forecast(
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="The same number gives the same trials.")] = 1, output: Output = Format.table
) -> None:
    """Show when each queue clears, by trials over how long its closings came apart, and how good such forecasts were.

    Where too few are known, or nothing was closed for longer than ever, the days are far apart and it says so (enough).

    Example: o2c queues forecast -o json
    """
    from o2c.views.forecasting import forecast_queues

    if seed < 0:
        raise Refused("--seed is a number from 0 on; give one")
    with looking() as session:
        current(session)
        rows = forecast_queues(session.app, seed=seed)
        show_rows(rows, output, empty="no fallout was ever in a queue", columns=FORECAST_COLUMNS, limit=0)


@jeopardy.command("list")
def jeopardy_list(
    level: Annotated[
        str, typer.Option(metavar="LEVEL", help="Only those of this level: hazard, critical.", autocompletion=completing(LEVELS))
    ] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List the open items in danger of missing the day that they were promised, the worst first.

    From how long items took whose steps had come as far. Hazard from a chance of 20 in a hundred on, critical from 50 on, once it held for
    six hours; what is past its day stays critical until it is over.

    Example: o2c jeopardy list --level critical
    """
    from o2c.views.jeopardy import list_jeopardy

    one_of("--level", level, LEVELS)
    with looking() as session:
        current(session)
        rows = list_jeopardy(session.app, level=level, limit=rows_wanted(limit, output))
        show_rows(rows, output, empty="no promise is in danger", columns=JEOPARDY_COLUMNS, limit=0)


@jeopardy.command("note")
def jeopardy_note() -> None:
    """Write down which promises came into danger or out of it since the last look, as events of their orders, and how many.

    What `jeopardy list` shows is only looked at; this leaves `order.jeopardy-raised` and `order.jeopardy-cleared` on the timelines. `o2c
    jeopardy work` does so by itself.

    Example: o2c jeopardy note
    """
    from o2c.running.jeopardy import note_jeopardy

    with opened() as session:
        current(session)
        err.print(f"{note_jeopardy(session.app)} items came into danger or out of it")


@jeopardy.command("work")
def jeopardy_work(
    every: Annotated[int, typer.Option(metavar="MINUTES", help="How often it looks.", min=1, max=1_440, show_default=True)] = 15,
) -> None:
    """Write danger down as it comes and goes, as `o2c jeopardy note` does once, until SIGTERM or Ctrl-C.

    One at a time does; another waits for its turn.

    Example: o2c jeopardy work
    """
    from o2c.running.crew import work
    from o2c.running.jeopardy import Foreteller

    with opened() as session:
        begun = partial(err.print, "danger is written down as it comes; Ctrl-C ends it")
        work(Foreteller(session, every_s=60 * every, begun=begun), None)


@jeopardy.command("score")
def jeopardy_score(
    by: Annotated[str, typer.Option(metavar="COHORT", help="Each market or step by itself.", autocompletion=completing(COHORTS))] = "",
    output: Output = Format.table,
) -> None:
    """Show how good promises in danger are foretold, on orders held back, beside the age of an order alone.

    Learnt from the first two thirds of the orders that are over, and told of the last third; the age is tried at the same lead.

    Example: o2c jeopardy score --by step -o json
    """
    from o2c.views.jeopardy import score_jeopardy

    one_of("--by", by, COHORTS)
    with looking() as session:
        current(session)
        show_rows(score_jeopardy(session.app, by=by), output, empty="too few orders are over", limit=0)
