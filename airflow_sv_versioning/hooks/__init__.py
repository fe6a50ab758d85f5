"""Airflow connections to the platform."""
