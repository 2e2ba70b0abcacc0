"""Telephone numbers: stock, assignment, quarantine, numbers brought in from other operators."""
