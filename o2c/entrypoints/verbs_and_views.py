"""What can be done and what can be asked, each once: the list that faces are made from, or checked against (`tests/laws/test_faces.py`)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from o2c.checks.diagnose import run_checks
from o2c.desk import capture, customers, fallout, numbers, orders, partners, payments, projections, streams
from o2c.desk.roles import roles_for
from o2c.files import intake, loading
from o2c.running import store
from o2c.views import customers as customer_views
from o2c.views import fallouts, finding, following, invoices, replaying, status, timeline
from o2c.views import numbers as number_views
from o2c.views import orders as order_views
from o2c.views import partners as partner_views
from o2c.views import projections as projection_views

_SENTENCE = re.compile(r".+?\.(?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """A verb or a view: its name, and the one function behind it on every face."""

    name: str
    function: Callable[..., Any]

    @property
    def who(self) -> tuple[str, ...]:
        """The roles that may use it. A verb asks by itself; before a view, the face does that has askers of several roles."""
        return roles_for(self.name)

    @property
    def help(self) -> str:
        """What it does, in one sentence: the first of the function's docstring."""
        first = _SENTENCE.match(inspect.getdoc(self.function) or "")
        return " ".join(first[0].split()) if first else ""


VERBS = (
    Entry("catalogue.load", loading.load_catalogue),
    Entry("customers.contact", customers.record_contact),
    Entry("customers.load", loading.load_customers),
    Entry("customers.register", customers.register_customer),
    Entry("fallout.resolve", fallout.resolve),
    Entry("numbers.release", numbers.release),
    Entry("numbers.reserve", numbers.reserve),
    Entry("orders.cancel", orders.cancel_order),
    Entry("orders.capture", capture.capture),
    Entry("orders.ingest", intake.ingest),
    Entry("partners.link", partners.link_partner),
    Entry("partners.simulate", partners.simulate_partner),
    Entry("payments.deposit", payments.deposit),
    Entry("payments.record", payments.record),
    Entry("payments.retry", payments.retry),
    Entry("projections.rebuild", projections.rebuild),
    Entry("projections.repair", projections.repair),
    Entry("projections.retry", projections.retry),
    Entry("projections.rollback", projections.rollback),
    Entry("projections.skip", projections.skip),
    Entry("stock.load", loading.load_stock),
    Entry("store.adopt", store.adopt),
    Entry("streams.act", streams.act_by_rules),
    Entry("streams.append", streams.append_facts),
)
"""What can be done. Each asks for the role of who does it, by its name."""

VIEWS = (
    Entry("customers.show", customer_views.show_customer),
    Entry("diagnose", run_checks),
    Entry("events.find", following.find_events),
    Entry("events.last", following.last_event),
    Entry("events.tail", following.tail_events),
    Entry("events.wait", following.wait_for),
    Entry("fallout.list", fallouts.list_fallouts),
    Entry("fallout.show", fallouts.show_fallout),
    Entry("metrics.cycle-time", status.cycle_times),
    Entry("numbers.show", number_views.show_number),
    Entry("orders.find", finding.find_orders),
    Entry("orders.list", order_views.list_orders),
    Entry("orders.plan", order_views.order_plan),
    Entry("orders.show", order_views.show_order),
    Entry("orders.timeline", timeline.order_timeline),
    Entry("partners.list", partner_views.list_partners),
    Entry("payments.show", invoices.show_invoice),
    Entry("projections.history", projection_views.list_deeds),
    Entry("projections.parked", projection_views.list_parked),
    Entry("projections.skipped", projection_views.list_skipped),
    Entry("projections.status", projection_views.list_statuses),
    Entry("projections.verify", projection_views.verify),
    Entry("replay", replaying.replay),
    Entry("status", status.show_status),
    Entry("streams.show", following.show_stream),
)
"""What can be asked."""
