"""The rules that decide, by how often they may: once for a state, once for a row of the agenda, or as often as somebody does something."""

SETTING = {
    "access.distrust", "access.issue", "access.revoke", "access.trust", "access.use",
    "balance.pay_back", "quota.give_back", "catalogue.publish", "credit.deposit", "credit.release", "customers.agree_care", "customers.register", "devices.block", "devices.unblock", "instalments.settle", "numbers.release_reservation", "numbers.reserve", "orders.receive",
    "complaints.escalate", "complaints.load_offers", "complaints.raise_complaint", "complaints.resolve", "collections.dispute", "collections.hold", "collections.promise", "collections.release", "collections.settle_dispute", "hooks.allow_private_address", "hooks.resume", "hooks.rotate", "hooks.subscribe", "hooks.suspend", "hooks.unsubscribe", "jobs.report", "jobs.start", "journeys.identify", "journeys.join", "journeys.load_policy", "journeys.link", "journeys.open_key", "journeys.ordered", "journeys.promise", "ledger.close", "messages.begin", "messages.bounce", "messages.due", "messages.ended", "messages.load_templates", "messages.lost", "messages.start", "messages.stop", "messages.withhold", "orders.advance", "orders.close", "orders.fail_item", "partners.declare_down", "partners.declare_up", "partners.detect_down", "partners.left_alone", "partners.probed", "partners.link", "partners.plan_faults", "partners.simulate", "payments.record", "numbers.ported_out", "products.lock", "products.port_out", "products.porting_code", "products.terminate", "products.withdraw_port_out", "rating.agree", "rating.notice", "rating.set_limit", "quota.charge_records", "quota.release", "quota.top_up", "refunds.approve", "refunds.give_up", "refunds.paid_after_all", "refunds.withdraw", "saved.forget", "saved.save", "triggers.fire", "triggers.retire", "triggers.set_triggers", "usage.load_zones", "usage.take_in", "vouchers.issue",
    "devices.came_home", "withdrawals.declare", "withdrawals.grade", "withdrawals.proven_sent",
}  # fmt: skip
"""Rules that set a state: the table above holds them, but for one that is tried by itself because it tells two streams."""

OF_A_STEP = {
    "credit.notice", "credit.noticed", "credit.refused",
    "activation.activated", "activation.change_taken_back", "activation.service_changed", "activation.switched_off", "inventory.update", "activation.deactivate", "appointment.called_off", "appointment.kept", "appointment.not_kept", "invoicing.bill", "invoicing.look_at", "charging.start", "charging.stop",
    "credit.approved", "credit.decide", "delivery.delivered", "devices.arrive", "devices.assign", "devices.lose", "devices.release", "devices.restock", "esim.cancelled", "esim.confirmed", "esim.downloaded", "identity.decide", "identity.passed", "numbers.arrive",
    "numbers.assign", "numbers.cease", "numbers.change", "numbers.keep", "numbers.lapse", "numbers.let_go", "numbers.release", "payments.again", "payments.received", "porting.comes_all_the_same", "porting.out_of_window", "porting.ported", "porting.scheduled", "porting.too_late", "porting.withdrawn", "qualification.qualified",
    "sim.arrive", "sim.assign", "sim.cease", "sim.lose", "sim.release", "sim.restock", "numbers.rested",
    "complaints.open_outside", "collections.barred", "collections.look", "journeys.forget", "journeys.lose", "partners.open_probe", "quota.expire", "refunds.paid",
    "products.code_lapsed", "products.cutover_failed", "products.ported_out", "products.reactivated", "products.switched_off", "products.told",
    "switching.called_off", "switching.matched", "switching.ordered", "switching.triggered", "withdrawals.credited_first", "withdrawals.received", "withdrawals.settle", "withdrawals.switched_off",
}  # fmt: skip
"""What a row of the agenda yields, once: the row is gone with it, and the command id is the row."""

OCCURRENCES = {
    "access.disclose", "complaints.answer", "customers.contact", "devices.announce", "fallout.correct", "fallout.decide", "fallout.force", "fallout.give_up", "fallout.replaced",
    "fallout.resolve", "fallout.skip", "hooks.resend", "journeys.attempt", "journeys.reach", "messages.resend", "numbers.announce", "orders.follow_up", "quota.commit", "quota.reserve", "refunds.request", "sim.announce", "usage.purge",
}  # fmt: skip
"""What a person does, as often as it is done: the command id is the action on the version that was seen, or the request of the network's session."""
