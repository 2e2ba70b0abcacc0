"""Bringing the inventory of products, and what the customer is charged, in line with what an order has changed."""
