"""Bringing a number from another operator."""
