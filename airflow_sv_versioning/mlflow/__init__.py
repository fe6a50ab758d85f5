"""Versions as datasets of MLflow.

Needs the extra ``mlflow``, and no Airflow: what a run of MLflow holds is opened in notebooks, too.
"""
