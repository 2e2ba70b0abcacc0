"""Consumers who withdraw from a contract within the period of their market: what ends, what comes back, and the money."""
