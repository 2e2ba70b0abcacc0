"""Files of usage records that were taken in, and what was deleted of them."""
