"""What stands on the command line, by name: the help of each command and where it is, so that a start imports what it needs and no more."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer

from o2c.entrypoints.cli.help_pages import laid_out


@dataclass(frozen=True, slots=True)
class Part:
    """A command or group: where it is (`module:name`), what it does in a sentence, and the commands of a group that stand in other
    modules."""

    place: str
    help: str
    more: Mapping[str, Part] = field(default_factory=dict)


PARTS: Mapping[str, Mapping[str, Part]] = {
    "Set up": {
        "init": Part("setup:init", "Create the store and give it its clock."),
        "load": Part("setup:load", "Take in what orders need: catalogue, customers, SIMs, numbers, devices."),
        "ingest": Part("setup:ingest", "Take in product orders (TMF622 v4, one JSON object a line)."),
        "simulate": Part("setup:simulate", "Write the files of an invented launch, to try o2c on."),
        "demo": Part("run:demo", "Take an invented launch from captured orders to paid invoices, and sum it up."),
    },
    "Orders": {
        "orders": Part(
            "read:orders",
            "Orders: find them, see how they stand and came to be so, cancel them.",
            {
                "amend": Part(
                    "amend:orders_amend",
                    "Change an order in flight, and say what is taken back and done anew; what is not touched goes on.",
                ),
                "assess": Part("assess:orders_assess", "Show what a changed paper would take of an order in flight; nothing is written."),
                "cancel": Part("cancel:orders_cancel", "Cancel an order, or some of its items, and say what was undone."),
                "withdraw": Part(
                    "cancel:orders_withdraw",
                    "Withdraw from an order for a consumer, within the market's period, whether it is under way or in service.",
                ),
                "fields": Part(
                    "fields:orders_fields",
                    "Show where each field of an order's paper comes from: who keyed it in first, when, in which channel, by which event.",
                ),
                "diff": Part("waiting:orders_diff", "Show what differs between two orders, or between two moments of one."),
                "link": Part("links:orders_link", "Make a link to one order for its customer, which ends after some days."),
                "promises": Part(
                    "waiting:orders_promises", "Show every day that was promised for the items of an order, and what became of it."
                ),
                "sites": Part(
                    "waiting:orders_sites", "Show how far the sites of an order are, the slowest first, and what each waits for."
                ),
                "resume": Part(
                    "suspend:orders_resume", "Let a suspended order go on; the days promised move to what is expected of it now."
                ),
                "suspend": Part(
                    "suspend:orders_suspend",
                    "Suspend an order in flight: nothing new of it begins until it is resumed; what partners have goes on.",
                ),
                "told": Part(
                    "waiting:orders_told", "Show what the customer of an order was told about it, when and through which channel."
                ),
            },
        ),
        "catalogue": Part("catalogue:catalogue", "The price list: what is sold, at which prices, charged how often and valid when."),
        "vouchers": Part("vouchers:vouchers", "Vouchers: issue a campaign of codes, see what is reserved, redeemed and left."),
        "products": Part(
            "products:products",
            "Products in service: list them, see what happened to one and what its customer was told, give one to another customer, port its number out or lock it, withdraw from one.",
            {
                "bulk-change": Part(
                    "accounts:products_bulk_change",
                    "Change many products of an account as a CSV file says, and say of every row what became of it.",
                ),
            },
        ),
        "returns": Part("returns:returns", "Withdrawals of consumers from contracts: list them, take goods back, see whose money is late."),
        "journeys": Part(
            "journeys:journeys",
            "Journeys: what people tried before there was an order, getting in touch with them, and their orders at last.",
        ),
        "messages": Part("messages:messages", "Messages: what customers are told of their orders, in which words, and what came of it."),
        "care": Part("messages:care", "Care: what is agreed with customers, and the courtesy contacts that they are owed."),
        "customers": Part(
            "customers:customers",
            "Customers: everything about one, and contacts with it.",
            {
                "context": Part(
                    "complaints:customers_context",
                    "Show what whoever speaks to a customer next should know: what is open and stuck, what was broken, what may be offered.",
                ),
                "told": Part("waiting:customers_told", "Show what a customer was told about anything, when and through which channel."),
            },
        ),
        "offers": Part(
            "offers:offers",
            "Offers to customers whom we let down: which are in force, and what they come to beside those who were held out.",
        ),
        "complaints": Part("complaints:complaints", "Complaints: open one, answer it in any channel, escalate and resolve it."),
        "promises": Part("waiting:promises", "Days that customers were promised: each one, and how many were kept, broken and are open."),
        "jeopardy": Part("waiting:jeopardy", "Promises in danger before they are broken, and how good that is foretold."),
        "queues": Part("waiting:queues", "Queues of fallouts: when they clear."),
        "fallout": Part(
            "fallout:fallout",
            "Steps that could not go on by themselves: look through them, act on them.",
            {
                "resolve": Part(
                    "resolving:fallout_resolve",
                    "Resolve a fallout: correct a value, decide, try again, count as done, leave out, take another SIM or device, or end it.",
                ),
                "work": Part(
                    "resolving:fallout_work",
                    "Handle a fallout without resolving it: claim, assign, release, snooze, wait, ask, resume, escalate, link a ticket, note.",
                ),
                "prove": Part(
                    "proving:fallout_prove",
                    "Try a fix on open fallouts before it is put in force: which would resolve, which fall out again, of which nobody knows.",
                ),
                "bulk": Part(
                    "bulk:fallout_bulk",
                    "Do the same about many open fallouts: a job that each meets once, even if it is killed and called again.",
                ),
                "save-view": Part("saved:save", "Save a view of the queue under a name, to come back to in the console."),
                "saved-views": Part("saved:saved", "List saved views of the queue, with the filters of each."),
                "forget-view": Part("saved:forget", "Forget a saved view."),
                "load-codes": Part(
                    "resolving:fallout_load_codes",
                    "Put reason codes of your own (TOML) over the table, in force from the day that the file says.",
                ),
                "load-rates": Part(
                    "resolving:fallout_load_rates",
                    "Put a rate card of your own (TOML) over the one before, in force from the day that the file says.",
                ),
            },
        ),
        "triggers": Part(
            "triggers:triggers",
            "Triggers: what is done when something happens, tried on what happened, and what was done.",
        ),
        "numbers": Part("numbers:numbers", "Telephone numbers: reserve one for an order, release it, look at it."),
        "ports": Part("ports:ports", "Number ports: which were late, and calling one off."),
        "sims": Part("sims:sims", "SIMs: look at one."),
        "devices": Part(
            "devices:devices", "Devices: look at one by its IMEI, block one that was lost or stolen, unblock one that was found."
        ),
        "stock": Part("devices:stock", "Stock: how many SIMs, numbers and devices there are of each kind or SKU, by state."),
    },
    "Money": {
        "accounts": Part("accounts:accounts", "Billing accounts of a business: entities, cost centres and sites, and who pays for which."),
        "assurance": Part(
            "assurance:assurance", "Find what leaks from order to bill: what fulfilment and billing say of a service differs."
        ),
        "balance": Part("balance:balance", "What an account owes, and what is held for it."),
        "collections": Part(
            "collecting:collections", "What is owed past its due day: how far its collection went, what holds it, promises to pay."
        ),
        "disputes": Part("collecting:disputes", "What customers dispute of their invoices: it is not collected until it is settled."),
        "credit-notes": Part(
            "invoices:credit_notes", "Credit notes: look what one would come to, issue it, and approve one that somebody else asked for."
        ),
        "instalments": Part("instalments:instalments", "Devices paid in instalments: how far an agreement is, and settling it."),
        "invoices": Part("invoices:invoices", "Invoices: all that one says, as a PDF, a page or UBL, and its void."),
        "number-ranges": Part(
            "number_ranges:number_ranges",
            "Ranges of numbers that an authority approved for invoices or credit notes: take one into use, see what is left of each, close one.",
        ),
        "ledger": Part("ledger:ledger", "The books: how the accounts of the chart stand, every posting behind that, days that are closed."),
        "payments": Part(
            "payments:payments", "Invoices and payments: what came by bank, deposits, what is owed back, collecting once more."
        ),
        "refunds": Part("balance:refunds", "Giving customers' money back by the way in which it came."),
        "usage": Part(
            "usage:usage", "Usage records: take in files, list them, delete those that were kept long enough; zones and time bands."
        ),
        "allowances": Part("usage:allowances", "Included units: what is left of them, and packs of more."),
        "quota": Part("quota:quota", "Units granted to sessions of the network before they are used: reserve, commit, release."),
        "prepaid": Part("quota:prepaid", "Money that pays for usage before it is used: top up, see what is left, give it back."),
        "limits": Part("usage:limits", "Limits of what a bill may come to: set them, agree to go beyond, see how they stand."),
    },
    "Look into it": {
        "status": Part("read:status", "Show the whole store in numbers: orders, items, fallouts, invoices, stock."),
        "events": Part(
            "events:events",
            "The log as it is: events in order, as JSON lines. Personal fields are left out.",
            {
                "export": Part(
                    "history:events_export",
                    "Write the whole log to a file, to be imported elsewhere. It holds personal data: names, addresses, papers, in clear.",
                ),
                "import": Part(
                    "history:events_import", "Take over a history: the events of streams that this log does not have, copied from a file."
                ),
            },
        ),
        "metrics": Part(
            "read:metrics",
            "Figures over all orders, and for a monitoring system.",
            {
                "list": Part(
                    "figures:metrics_list",
                    "List the figures of orders and fallouts, each with its definition, its unit, and by what it can be told.",
                ),
                "explain": Part(
                    "figures:explain",
                    "Show one figure with its formula and value; as JSON, with the ids of all events of its numerator and denominator.",
                ),
                "headlines": Part("figures:overview", "Show the figures of the overview, counted together."),
                "waiting": Part(
                    "waiting:metrics_waiting", "Show who orders waited for, to the second: us, customer, partner, regulator, channel."
                ),
                "ageing": Part("waiting:metrics_ageing", "Show how old open orders are, beside how long those took that completed."),
                "ages": Part("figures:ages", "Show how many open fallouts are of which age."),
                "flow": Part("figures:flow", "Show how many orders were captured and ended, and fallouts came and went, by day."),
                "funnel": Part("figures:funnel", "Show how far orders came, and on the way to which stage they fell out."),
                "durations": Part(
                    "figures:durations", "Show how long orders took from capture to end, the slowest first, with percentiles."
                ),
                "orders": Part("figures:orders", "Show the orders that a figure is counted from."),
                "export": Part("telemetry:export", "Print the figures of the store once, in Prometheus form."),
                "serve": Part("telemetry:serve", "Answer the scrapes of Prometheus over HTTP, until SIGTERM or Ctrl-C."),
            },
        ),
        "hooks": Part("hooks:hooks", "Hooks: who is told of events over HTTP, and what came of telling."),
        "sql": Part("analysts:sql", "Run one SQL statement over the analyst views and the projections, or open psql on them."),
        "counterfactual": Part(
            "counterfactual:counterfactual_of_orders",
            "Tell orders again under other codes, retries, credit policy or plan data: what would have stopped, and what was saved.",
        ),
        "replay": Part(
            "replay:replay",
            "Ask what if: fold the history through a projection of your own and see how its rows differ from the live ones.",
        ),
    },
    "Operate": {
        "access": Part("access:access", "Who may what, and who was shown what is personal."),
        "run": Part("run:run", "Let time pass: partners answer, windows open, bills run, payments arrive."),
        "serve": Part(
            "serve:serve", "Serve the store over HTTP, until SIGTERM or Ctrl-C: the console under /console, the native API under /api/v1."
        ),
        "conformance": Part(
            "conformance:conformance",
            "Hold the whole log against the declared rules: how things may move, and what must come before, after or in time of what.",
        ),
        "diagnose": Part("upkeep:diagnose", "Check the store against its own log and say what is wrong, or what could not be checked."),
        "keys": Part("keys:keys", "Keys for programs that call the service: issue one, revoke one, see them all."),
        "issuers": Part("issuers:issuers", "Issuers of bearer tokens: whose are believed, and which roles they give."),
        "partners": Part("partners:partners", "The systems outside: which are simulated, which are real, how they are reached."),
        "projections": Part("projections:projections", "Tables folded from the log: how far they are, build them anew, check them."),
        "store": Part(
            "store:store",
            "The store itself: who may do what in it, and in which life it is.",
            {
                "keep": Part(
                    "analysts:store_keep", "Keep the store's server up and print how to connect to it, until a signal ends this (Ctrl-C)."
                )
            },
        ),
        "docs": Part("upkeep:docs", "Write the generated documents of a checkout of o2c, or check them; for its developers."),
    },
}
"""What stands under which heading of `o2c --help`. A law holds the sentences equal to those that the commands say of themselves."""
PANELS: Mapping[str, Sequence[str]] = {panel: tuple(parts) for panel, parts in PARTS.items()}

EPILOG = """\
Begin with
  o2c demo --orders 100           an invented launch, from order to cash
  o2c COMMAND --help              what a command does, with an example
  o2c --install-completion        let the shell complete commands and values

Exit codes
   0  done                         5  a check failed, or something differs
   2  wrong usage                  6  done, but some input was refused
   3  there is no such thing      70  a defect in o2c
   4  conflict: not as it stands  75  try again later

Environment
  O2C_HOME        the data folder, with a PostgreSQL of its own
  O2C_DSN         use this PostgreSQL instead: a connection string
  O2C_ACTOR       who acts, where --actor is left out
  O2C_LOOKUP_KEY  key to find customers by name or e-mail: 64 hex digits
  O2C_HOOKS_KEY   key that the secrets of hooks are made of: 64 hex digits
  O2C_LINK_KEY    key that customers' links are signed with: 64 hex digits
  O2C_SMTP_URL    the mail server of messages: smtp://HOST:PORT
  O2C_LOG_LEVEL   DEBUG, INFO (unless said otherwise), WARNING or ERROR
  O2C_DEBUG       set to 1, show where in the program a defect is

Data goes to standard output, everything else to standard error."""


def app_for(words: Sequence[str]) -> typer.Typer:
    """The command line for what was typed: with the one command that its first words name, in full; the others by name and help alone.

    With all of them where it names none: for a word that is no command, whose likes are offered. A shell that completes words is offered
    names, on each press of a key: it gets in full only the command that it has reached.
    """
    names = {name for parts in PARTS.values() for name in parts}
    completing = any(key.endswith("_COMPLETE") for key in os.environ)
    if completing:
        words = (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or "").split()[1:]
    if not words or words[0] in ("--help", "--version", "--show-completion", "--install-completion"):
        return app_of(())
    if words[0] in names:
        return app_of({words[0]}, "".join(words[1:2]))
    return app_of(() if completing else names)


def app_of(names: Collection[str], within: str | None = None) -> typer.Typer:
    """The command line with some commands in full, and the others by name and help alone.

    So are the commands of a group that stand in other modules, but for the one named `within`, if one is named.
    """
    app = typer.Typer(
        name="o2c",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        help="Order to cash for telecom operators: one log in which the order, its fallout, the promise and the invoice stand together.",
        epilog=EPILOG,
    )
    app.callback()(root)
    for name, part in ((name, part) for parts in PARTS.values() for name, part in parts.items()):
        target = _loaded(part, within) if name in names else _named(part.help)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name)
        else:
            app.command(name)(target)
    laid_out(app, PANELS)
    return app


def _loaded(part: Part, within: str | None) -> Any:
    if not part.more:
        return _at(part.place)
    # A copy: one process may make several command lines, each with other commands in full.
    group = copy(_at(part.place))
    group.registered_commands = [*group.registered_commands]
    for name, other in part.more.items():
        group.command(name)(_at(other.place) if within in (None, name) else _named(other.help))
    return group


@cache
def _at(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"o2c.entrypoints.cli.{module}"), name)


def _named(sentence: str) -> Callable[[], None]:
    """A command of which nothing but its help is asked."""

    def named() -> None: ...

    named.__doc__ = sentence
    return named


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from o2c.running.store import newest_migration

        print(f"o2c {version('o2c')}, newest migration {newest_migration()}")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version of the program and of its schema.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """What stands before a command."""
