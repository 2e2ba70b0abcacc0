"""Opening a store, worker processes, figures for a monitoring system."""
