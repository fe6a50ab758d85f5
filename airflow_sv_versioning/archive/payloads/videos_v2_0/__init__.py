"""The older official payload of video projects: each video with its annotation as JSON.

Inside zstd lies a tar as that of the newer one, with ``key_id_map.json``, its tables compressed with snappy.
The column ``ann_json`` of ``videos`` holds what the server says of the video's annotation; readers take it
from there, and pass over the tables of objects and figures, which hold a part of the same.
"""

from airflow_sv_versioning.archive.payloads.columnar import Layout
from airflow_sv_versioning.archive.payloads.videos_v2_0.reading import ANNOTATION, spread_annotations
from airflow_sv_versioning.archive.payloads.videos_v2_0.writing import write_payload

LAYOUT = Layout(("datasets", "videos"), {"videos": (ANNOTATION,)}, spread_annotations)

__all__ = ["LAYOUT", "write_payload"]
