"""Systems outside. Today each is a simulator: the same request always gets the same answer."""
