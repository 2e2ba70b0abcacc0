"""The order itself: its events, its state, its rules, and the roll-up it shares with the projections."""
