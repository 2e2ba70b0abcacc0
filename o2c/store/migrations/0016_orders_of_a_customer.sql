-- 0016 orders of a customer: those that one came with before are found when another is captured, from the log itself; see docs/decisions/0062-one-wish-or-two.md.

CREATE INDEX event_captured_of ON event (customer_id) WHERE type = 'order.captured';
