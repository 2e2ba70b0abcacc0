"""Carrying decisions to the log and the agenda to partners: generic over the plan."""
