"""Bringing a physical SIM or a device to the customer."""
