"""Hooks: who is told of events over HTTP, where, and how what is told is signed."""
