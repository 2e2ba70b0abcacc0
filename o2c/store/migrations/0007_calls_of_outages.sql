-- 0007 calls of outages: what was parked in an outage, and made again, is counted without reading the log.

CREATE INDEX event_outage ON event ((body ->> 'outage')) WHERE type IN ('call.parked', 'call.resumed');
