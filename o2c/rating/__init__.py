"""What usage costs: charge models over exact numbers."""
