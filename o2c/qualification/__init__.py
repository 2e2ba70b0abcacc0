"""Whether a fixed access can be had at an address."""
