"""The question of the page of one order, about several projections at once."""

from projections import fallout

ROWS_OF_ORDER = f"""SELECT o.*, (SELECT json_agg(i) FROM projection.items i WHERE i.order_id = o.order_id) AS all_items,
    (SELECT json_agg(f) FROM ({fallout.OPEN_OF_ORDER}) AS f) AS fallouts,
    (SELECT json_agg(v) FROM projection.invoices v WHERE v.account = ANY(%(accounts)s::text[])) AS invoices
FROM projection.orders o WHERE o.order_id = %(order)s"""
"""The row of an order with those of its items, of its open fallouts, and of the invoices of some accounts, each as JSON (NULL: none), in
one look.

Parameters: `order`, its id, and `accounts`.
"""
