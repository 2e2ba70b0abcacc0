"""Working the fallout queue: the decisions of a person, and the events that follow."""
