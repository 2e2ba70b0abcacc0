"""The pure base everything stands on: no database, no clock, no randomness."""
