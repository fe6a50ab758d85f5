"""Parquet that DuckDB, pandas and Hugging Face ``datasets`` read without us."""

from __future__ import annotations

from airflow_sv_versioning.dataset.formats.parquet.format import ParquetFormat

__all__ = ["ParquetFormat"]
