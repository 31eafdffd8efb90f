"""Locks: those of relations and of views, the advisory ones, and the sessions that stand in the way."""
