"""Working the fallout queue: what a person may decide, and what follows."""
