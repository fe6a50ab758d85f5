"""Containers and their limits: what archives are made of."""
