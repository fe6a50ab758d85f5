"""The older official payload of image projects: one Python pickle of the SDK's own objects.

Nothing here pickles or unpickles. The reader is a closed interpreter of the few opcodes that genuine
payloads hold: it knows the names of their classes as text, builds inert records, and refuses the rest.
The writer emits the same opcodes. Neither needs the SDK.
"""

from __future__ import annotations

from airflow_sv_versioning.archive.payloads.images_v1_0.reading import read_payload
from airflow_sv_versioning.archive.payloads.images_v1_0.writing import write_payload

MAGIC = b"\x80"
VERSION = "v1.0.0"

__all__ = ["MAGIC", "VERSION", "read_payload", "write_payload"]
