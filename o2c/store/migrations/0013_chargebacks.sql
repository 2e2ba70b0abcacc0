-- 0013 chargebacks: one that was told of an invoice before is found by its case without reading the log.

CREATE INDEX event_chargeback ON event ((body ->> 'case')) WHERE type = 'payment.charged-back';
