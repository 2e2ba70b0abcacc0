-- 0015 purchase orders: orders are found by the customer's own number of them without reading the log.

CREATE INDEX event_purchase_order ON event ((body ->> 'purchase_order')) WHERE type = 'order.purchase-order-given';
