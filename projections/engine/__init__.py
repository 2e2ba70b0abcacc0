"""How a fold is run: incrementally, rebuilt, as of a time, verified."""
