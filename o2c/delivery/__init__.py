"""Bringing a physical SIM to the customer."""
