"""Billing accounts, bill runs and invoices: thin, but right to the penny."""
