"""Complaints: what a customer says went wrong, what we answer, and the clock of the market that runs meanwhile."""
