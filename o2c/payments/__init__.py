"""Getting invoices paid by the customer's method."""
