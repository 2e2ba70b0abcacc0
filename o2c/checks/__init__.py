"""Whether a store agrees with its own log."""
