"""Whether the customer can be trusted with what the order commits to: the credit gate."""
