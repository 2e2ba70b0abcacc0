-- 0017 papers that were changed: an order is found by what its paper says by now, from the log itself; see docs/decisions/0048-orders-changed-in-flight.md.

CREATE INDEX event_revised ON event (stream, version) WHERE type = 'order.revised';
