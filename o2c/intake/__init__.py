"""Files of orders taken in, and what became of their lines."""
