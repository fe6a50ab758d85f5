"""Originals kept beside the platform: the store, what it holds of whom, and how it is filled."""
