"""Deliveries of stock: announced for a time, then arrived."""
