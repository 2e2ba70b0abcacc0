"""Journeys: what a person tried before there was an order, in whatever channel, and what came of it."""
