-- 0006 External ids: orders are found by the id that their channels know, whoever owns it; see docs/decisions/0020-identity-of-an-order.md.

CREATE INDEX event_external_id ON event ((body ->> 'external_id')) WHERE type = 'order.captured';
