"""Beginning to charge for an activated service."""
