"""The fitter's visit for a fixed access."""
