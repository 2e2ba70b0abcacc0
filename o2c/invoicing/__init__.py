"""Billing accounts, bill runs and invoices."""
