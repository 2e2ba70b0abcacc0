"""Switching the service on in the network."""
