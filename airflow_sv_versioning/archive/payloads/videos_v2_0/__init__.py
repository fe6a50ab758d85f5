"""The older official payload of video projects, schema v2.0.0: each video with its annotation as JSON.

Inside zstd lies a tar as that of v2.1.0, with ``key_id_map.json`` beside, its tables compressed with snappy.
The column ``ann_json`` of ``videos`` holds what the server says of the video's annotation; readers take it
from there, and pass over the tables of objects and figures, which hold a part of the same.
"""

from airflow_sv_versioning.archive.payloads.videos_v2_0.reading import ANNOTATION, spread_annotations
from airflow_sv_versioning.archive.payloads.videos_v2_0.writing import VERSION, write_payload

READ_TABLES = ("datasets", "videos")
READ_TEXTS = (ANNOTATION,)

__all__ = ["READ_TABLES", "READ_TEXTS", "VERSION", "spread_annotations", "write_payload"]
