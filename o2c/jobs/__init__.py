"""Jobs: one action on many fallouts, with a stream of its own, so that it can go on where it was."""
