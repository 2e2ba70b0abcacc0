"""Triggers: what the operator wants done when something happens, as versioned data."""
