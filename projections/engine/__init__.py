"""The four ways of running a fold: incrementally, as a rebuild, as of a position or time, and as a check of the tables."""
