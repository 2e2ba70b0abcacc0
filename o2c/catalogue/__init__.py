"""Offerings, prices, specifications and their versions."""
