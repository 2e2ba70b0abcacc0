"""Parties the operator knows: who is billed, how they pay, whom identity checks ask about."""
