"""Originals kept beside the platform: the vault, what it holds of whom, and how it is filled."""
