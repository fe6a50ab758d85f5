"""A story on real Airflow: back up, change, restore."""
