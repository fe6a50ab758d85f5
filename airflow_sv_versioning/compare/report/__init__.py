"""A comparison as one HTML file for people: no network, at most 2 MB without pictures."""

from airflow_sv_versioning.compare.report.page import Judged
from airflow_sv_versioning.compare.report.report import Report

__all__ = ["Judged", "Report"]
