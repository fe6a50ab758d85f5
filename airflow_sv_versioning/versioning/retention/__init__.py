"""Thin out the versions that a vault keeps: a plan that says all, and what was planned done, and no more."""
