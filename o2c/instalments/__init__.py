"""Goods that are paid in instalments: an agreement apart from any service, billed month by month, and settled at any day."""
