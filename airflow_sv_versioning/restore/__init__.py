"""Carry a plan out: from a snapshot to a new project."""
