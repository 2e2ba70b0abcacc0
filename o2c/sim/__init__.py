"""SIM cards and eSIM profiles: stock, assignment, release."""
