"""Sensors: wait for the platform's background tasks."""
