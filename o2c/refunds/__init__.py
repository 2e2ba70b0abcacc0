"""Giving customers' money back by the way in which it came."""
