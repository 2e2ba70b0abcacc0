"""What can be done and what can be asked, each once: the list that faces are made from, or checked against (`tests/laws/test_faces.py`)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk import (
    amending,
    answering,
    bulk,
    capture,
    customers,
    fallout,
    keys,
    numbers,
    orders,
    partners,
    payments,
    projections,
    refunds,
    revising,
    saving,
    streams,
    switching,
    taking_back,
    winning_back,
)
from o2c.desk import catalogue as catalogue_desk
from o2c.desk import collections as collection_desk
from o2c.desk import complaints as complaint_desk
from o2c.desk import devices as device_desk
from o2c.desk import hooks as hook_desk
from o2c.desk import instalments as instalment_desk
from o2c.desk import invoices as invoice_desk
from o2c.desk import journeys as journey_desk
from o2c.desk import ledger as ledger_desk
from o2c.desk import limits as limit_desk
from o2c.desk import messages as message_desk
from o2c.desk import prepaid as prepaid_desk
from o2c.desk import products as product_desk
from o2c.desk import proving as fixes
from o2c.desk import quota as quota_desk
from o2c.desk import vouchers as voucher_desk
from o2c.desk.act import Context, Refused
from o2c.desk.gate import admitted, asked
from o2c.desk.roles import roles_for
from o2c.files import intake, loading
from o2c.files import usage as usage_files
from o2c.running import store
from o2c.views import (
    access,
    accounts,
    assessing,
    balance,
    cancellations,
    care,
    catalogue,
    catalogue_versions,
    codes,
    collections,
    counterfactual,
    course,
    credit_notes,
    devices,
    differing,
    documents,
    event_pages,
    fallout_groups,
    fallout_page,
    fallouts,
    fields,
    finding,
    following,
    forecasting,
    instalments,
    invoice_papers,
    invoices,
    jeopardy,
    jobs,
    ledger,
    messages,
    metrics,
    my_order,
    offers,
    order_link,
    order_page,
    products,
    promised,
    proving,
    replaying,
    saved,
    sims,
    statement,
    status,
    timeline,
    told,
    waiting,
)
from o2c.views import complaints as complaint_views
from o2c.views import customers as customer_views
from o2c.views import hooks as hook_views
from o2c.views import journeys as journey_views
from o2c.views import numbers as number_views
from o2c.views import orders as order_views
from o2c.views import partners as partner_views
from o2c.views import ports as port_views
from o2c.views import prepaid as prepaid_views
from o2c.views import projections as projection_views
from o2c.views import taking_back as taking_back_views
from o2c.views import usage as usage_views
from o2c.views import vouchers as voucher_views
from o2c.views import zones as zone_views

_SENTENCE = re.compile(r".+?\.(?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Operation:
    """A verb or a view: its name, and the one function behind it on every face.

    `decided_by` is the view that shows what a verb changes: whoever calls from afar says which state of it he decided by.
    """

    name: str
    function: Callable[..., Any]
    decided_by: str = ""

    @property
    def who(self) -> tuple[str, ...]:
        """The roles that may use it in some way."""
        return roles_for(self.name)

    def ask(
        self, context: Context, *arguments: Any, why: str = "", kept: Callable[[Any], Any] = lambda answer: answer, **options: Any
    ) -> Any:
        """Call it for somebody: a face whose askers have several roles calls operations in this way and in no other.

        `arguments` and `options` are those of the function without its `context`. What is personal is masked, left out, or taken down with
        `why` before it is given, by the asker's roles; views of events take `identifiers`. What of an answer is `kept` is all that is given, and
        taken down. Raises Refused: forbidden, missing, and as the operation does. See `desk.gate`.
        """
        return asked(context, self.name, self.function, arguments, options, why=why, kept=kept)

    def admit(self, context: Context, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The options of a call, if somebody may make it, with what is his own named by its id.

        A face that looks something up before it asks (a version, a mark) asks this first: else it tells who may not what there is. Raises
        Refused as `ask` does.
        """
        return admitted(context, self.name, self.function, arguments, options)

    def opened_on(self, app: Any, home: Any) -> tuple[Any, ...]:
        """What its function takes of an open store, in the order in which it takes it: the engine, and the data folder."""
        store = {"app": app, "home": home}
        return tuple(store[name] for name in inspect.signature(self.function).parameters if name in store)

    @property
    def help(self) -> str:
        """What it does, in one sentence: the first of the function's docstring."""
        first = _SENTENCE.match(inspect.getdoc(self.function) or "")
        return " ".join(first[0].split()) if first else ""


VERBS = (
    Operation("catalogue.announce-rise", catalogue_desk.announce_rise),
    Operation("catalogue.load", loading.load_catalogue),
    Operation("collections.hold", collection_desk.hold),
    Operation("collections.plan", collection_desk.plan),
    Operation("collections.promise", collection_desk.promise),
    Operation("collections.release", collection_desk.release),
    Operation("complaints.answer", complaint_desk.answer_complaint),
    Operation("complaints.escalate", complaint_desk.escalate_complaint),
    Operation("complaints.open", complaint_desk.open_complaint),
    Operation("complaints.resolve", complaint_desk.resolve_complaint),
    Operation("credit-notes.approve", invoice_desk.approve_credit_note, decided_by="invoices.show"),
    Operation("credit-notes.issue", invoice_desk.issue_credit_note, decided_by="invoices.show"),
    Operation("customers.contact", customers.record_contact),
    Operation("customers.load", loading.load_customers),
    Operation("customers.register", customers.register_customer),
    Operation("devices.block", device_desk.block),
    Operation("devices.unblock", device_desk.unblock),
    Operation("disputes.open", collection_desk.open_dispute),
    Operation("disputes.settle", collection_desk.settle_dispute),
    Operation("fallout.apply-fix", fixes.apply_fix),
    Operation("fallout.bulk", bulk.bulk),
    Operation("fallout.forget-view", saving.forget_view),
    Operation("fallout.load-codes", loading.load_codes),
    Operation("fallout.load-rates", loading.load_rates),
    Operation("fallout.resolve", fallout.resolve, decided_by="fallout.show"),
    Operation("fallout.save-view", saving.save_view),
    Operation("fallout.work", fallout.work, decided_by="fallout.show"),
    Operation("hooks.allow-private-address", hook_desk.allow_private_address),
    Operation("hooks.resend", hook_desk.resend),
    Operation("hooks.resume", hook_desk.resume),
    Operation("hooks.rotate", hook_desk.rotate),
    Operation("hooks.subscribe", hook_desk.subscribe),
    Operation("hooks.unsubscribe", hook_desk.unsubscribe),
    Operation("instalments.settle", instalment_desk.settle),
    Operation("invoices.void", invoice_desk.void_invoice, decided_by="invoices.show"),
    Operation("issuers.distrust", keys.distrust_issuer),
    Operation("issuers.trust", keys.trust_issuer),
    Operation("journeys.note", journey_desk.note_attempt),
    Operation("journeys.order", winning_back.order_journey),
    Operation("journeys.reach", winning_back.reach_journey),
    Operation("keys.issue", keys.issue_key),
    Operation("keys.revoke", keys.revoke_key),
    Operation("ledger.close", ledger_desk.close_ledger),
    Operation("limits.agree", limit_desk.agree),
    Operation("limits.set", limit_desk.set_limit),
    Operation("messages.bounced", message_desk.bounced),
    Operation("messages.load-templates", message_desk.load_templates),
    Operation("messages.resend", message_desk.resend),
    Operation("messages.start", message_desk.start_messages),
    Operation("messages.stop", message_desk.stop_messages),
    Operation("numbers.release", numbers.release, decided_by="numbers.show"),
    Operation("numbers.reserve", numbers.reserve, decided_by="numbers.show"),
    Operation("orders.amend", revising.amend_order),
    Operation("orders.annotate", amending.annotate_order, decided_by="orders.show"),
    Operation("orders.answer", answering.answer_by_link),
    Operation("orders.cancel", orders.cancel_order, decided_by="orders.show"),
    Operation("orders.capture", capture.capture),
    Operation("orders.ingest", intake.ingest),
    Operation("partners.down", partners.partner_down),
    Operation("partners.link", partners.link_partner),
    Operation("partners.plan-faults", partners.plan_faults),
    Operation("partners.simulate", partners.simulate_partner),
    Operation("partners.up", partners.partner_up),
    Operation("payments.chargeback", taking_back.charge_back, decided_by="payments.show"),
    Operation("payments.chargeback-won", taking_back.win_back, decided_by="payments.show"),
    Operation("payments.deposit", payments.deposit),
    Operation("payments.move", taking_back.move_payment, decided_by="payments.show"),
    Operation("payments.record", payments.record),
    Operation("payments.refund", payments.refund),
    Operation("payments.retry", payments.retry, decided_by="payments.show"),
    Operation("ports.cancel", orders.cancel_port, decided_by="orders.show"),
    Operation("prepaid.top-up", prepaid_desk.top_up),
    Operation("products.lock", product_desk.lock),
    Operation("products.port-out", product_desk.port_out),
    Operation("products.port-out-cancel", product_desk.port_out_cancel),
    Operation("products.porting-code", product_desk.porting_code),
    Operation("products.switch", switching.switch),
    Operation("products.switch-match", switching.switch_match),
    Operation("products.transfer", product_desk.transfer),
    Operation("projections.rebuild", projections.rebuild),
    Operation("projections.repair", projections.repair),
    Operation("projections.retry", projections.retry),
    Operation("projections.rollback", projections.rollback),
    Operation("projections.skip", projections.skip),
    Operation("quota.commit", quota_desk.commit),
    Operation("quota.release", quota_desk.release),
    Operation("quota.reserve", quota_desk.reserve),
    Operation("refunds.approve", refunds.approve_refund, decided_by="balance.show"),
    Operation("refunds.give-up", refunds.give_up_refund, decided_by="balance.show"),
    Operation("refunds.request", refunds.request_refund, decided_by="balance.show"),
    Operation("stock.load", loading.load_stock),
    Operation("store.adopt", store.adopt),
    Operation("streams.act", streams.act_by_rules),
    Operation("streams.append", streams.append_facts),
    Operation("usage.load", usage_files.load_usage),
    Operation("usage.load-zones", usage_files.load_zones),
    Operation("usage.purge", usage_files.purge_usage),
    Operation("usage.take", usage_files.take_usage),
    Operation("vouchers.issue", voucher_desk.issue_vouchers),
)
"""What can be done. Each asks for the role of who does it, by its name."""

VIEWS = (
    Operation("access.permissions", access.list_permissions),
    Operation("access.records", access.list_records),
    Operation("accounts.list", accounts.list_accounts),
    Operation("allowances.show", usage_views.show_allowances),
    Operation("assurance", check_assurance),
    Operation("balance.show", balance.show_balance),
    Operation("care.due", care.care_due),
    Operation("catalogue.diff", catalogue_versions.diff_catalogue),
    Operation("catalogue.dry-run", catalogue_versions.dry_run),
    Operation("catalogue.list", catalogue.list_prices),
    Operation("catalogue.offerings", catalogue.list_offerings),
    Operation("collections.list", collections.list_collections),
    Operation("complaints.list", complaint_views.list_complaints),
    Operation("conformance", check_conformance),
    Operation("counterfactual", counterfactual.counterfactual),
    Operation("credit-notes.preview", credit_notes.preview_credit_note),
    Operation("customers.context", complaint_views.customer_context),
    Operation("customers.list", customer_views.list_customers),
    Operation("customers.show", customer_views.show_customer),
    Operation("customers.told", told.told_to_customer),
    Operation("devices.show", devices.show_device),
    Operation("diagnose", run_checks),
    Operation("events.find", following.find_events),
    Operation("events.last", following.last_event),
    Operation("events.page", event_pages.page_of_events),
    Operation("events.tail", following.tail_events),
    Operation("events.wait", following.wait_for),
    Operation("fallout.actions", codes.list_actions),
    Operation("fallout.codes", codes.list_codes),
    Operation("fallout.groups", fallout_groups.list_groups),
    Operation("fallout.job", jobs.show_job),
    Operation("fallout.list", fallouts.list_fallouts),
    Operation("fallout.prove", proving.prove),
    Operation("fallout.saved-views", saved.saved_views),
    Operation("fallout.show", fallout_page.show_fallout),
    Operation("hooks.deliveries", hook_views.list_deliveries),
    Operation("hooks.list", hook_views.list_hooks),
    Operation("instalments.show", instalments.show_instalments),
    Operation("invoices.html", invoice_papers.invoice_html),
    Operation("invoices.pdf", invoice_papers.invoice_pdf),
    Operation("invoices.show", invoice_papers.show_paper),
    Operation("invoices.ubl", invoice_papers.invoice_ubl),
    Operation("issuers.list", access.list_issuers),
    Operation("jeopardy.list", jeopardy.list_jeopardy),
    Operation("jeopardy.score", jeopardy.score_jeopardy),
    Operation("journeys.list", journey_views.list_journeys),
    Operation("journeys.show", journey_views.show_journey),
    Operation("keys.list", access.list_keys),
    Operation("ledger.closings", ledger.list_closings),
    Operation("ledger.export", ledger.export_ledger),
    Operation("ledger.trial-balance", ledger.trial_balance),
    Operation("limits.show", usage_views.show_limits),
    Operation("messages.list", messages.list_messages),
    Operation("messages.show", messages.show_message),
    Operation("messages.silences", messages.silences),
    Operation("messages.templates", messages.list_templates),
    Operation("metrics.ageing", waiting.work_in_progress),
    Operation("metrics.ages", course.fallout_ages),
    Operation("metrics.cycle-time", status.cycle_times),
    Operation("metrics.durations", course.order_durations),
    Operation("metrics.explain", metrics.explain_metric),
    Operation("metrics.flow", course.daily_flow),
    Operation("metrics.funnel", course.order_funnel),
    Operation("metrics.headlines", metrics.headlines),
    Operation("metrics.list", metrics.list_metrics),
    Operation("metrics.orders", course.orders_of_metric),
    Operation("metrics.promises", status.promises_kept),
    Operation("metrics.waiting", waiting.waiting_times),
    Operation("numbers.show", number_views.show_number),
    Operation("offers.effect", offers.offer_effects),
    Operation("orders.assess", assessing.assess_change),
    Operation("orders.by-link", my_order.my_order),
    Operation("orders.cancellations", cancellations.list_cancellations),
    Operation("orders.diff", differing.diff_orders),
    Operation("orders.document", documents.show_document),
    Operation("orders.documents", documents.list_documents),
    Operation("orders.fields", fields.order_fields),
    Operation("orders.find", finding.find_orders),
    Operation("orders.link", order_link.order_link),
    Operation("orders.list", order_views.list_orders),
    Operation("orders.plan", order_page.order_plan),
    Operation("orders.promises", promised.promises_of_order),
    Operation("orders.show", order_page.show_order),
    Operation("orders.timeline", timeline.order_timeline),
    Operation("orders.told", told.told_of_order),
    Operation("partners.faults", partner_views.list_faults),
    Operation("partners.list", partner_views.list_partners),
    Operation("partners.status", partner_views.list_partner_statuses),
    Operation("payments.invoices", invoices.list_invoices),
    Operation("payments.owed", invoices.money_owed),
    Operation("payments.preview", taking_back_views.preview_taking_back),
    Operation("payments.show", invoices.show_invoice),
    Operation("ports.late", port_views.late_ports),
    Operation("prepaid.show", prepaid_views.show_prepaid),
    Operation("products.history", products.product_history),
    Operation("products.list", products.list_products),
    Operation("products.notices", products.product_notices),
    Operation("projections.history", projection_views.list_deeds),
    Operation("projections.parked", projection_views.list_parked),
    Operation("projections.skipped", projection_views.list_skipped),
    Operation("projections.status", projection_views.list_statuses),
    Operation("projections.verify", projection_views.verify),
    Operation("promises.count", promised.count_promises),
    Operation("promises.list", promised.list_promises),
    Operation("queues.forecast", forecasting.forecast_queues),
    Operation("replay", replaying.replay),
    Operation("sims.show", sims.show_sim),
    Operation("sql", statement.run_statement),
    Operation("status", status.show_status),
    Operation("stock.levels", devices.stock_levels),
    Operation("streams.show", following.show_stream),
    Operation("usage.gaps", usage_views.usage_gaps),
    Operation("usage.list", usage_views.list_usage),
    Operation("usage.zones", zone_views.list_zones),
    Operation("vouchers.show", voucher_views.show_vouchers),
)
"""What can be asked."""


def named(name: str) -> Operation:
    """The verb or view of a name. Raises Refused (missing)."""
    found = next((entry for entry in (*VERBS, *VIEWS) if entry.name == name), None)
    if found is None:
        raise Refused(f"there is no operation {name[:80]}; `o2c access permissions` has them all", kind="missing")
    return found
