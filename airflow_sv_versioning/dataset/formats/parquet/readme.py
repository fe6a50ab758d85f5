"""The page that tells Hugging Face ``datasets`` where the tables are, and people what they are looking at."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_sv_versioning.dataset.formats.format import Contents
from airflow_sv_versioning.dataset.formats.parquet.columns import TABLES
from airflow_sv_versioning.dataset.formats.parquet.layout import Layout
from airflow_sv_versioning.dataset.records import ALL

README = "README.md"
_MAIN = {"images": "data", "videos": "data", "volumes": "volumes"}
_ROWS = {
    "images": {"data": "an image, with its annotations"},
    "videos": {"data": "a frame that has figures, with them", "videos": "a video"},
    "volumes": {
        "volumes": "a volume",
        "objects": "an object of a volume",
        "figures": "a figure of an object",
        "tags": "a tag of a volume or an object",
    },
}


def readme(contents: Contents) -> str:
    """Write the page."""
    return "\n".join([*_front_matter(contents), *_text(contents)])


def _front_matter(contents: Contents) -> Iterator[str]:
    yield "---"
    yield "configs:"
    for table in TABLES[contents.project_type]:
        is_main = table == _MAIN[contents.project_type]
        yield f"- config_name: {'default' if table == 'data' else table}"
        if is_main and table != "data":
            yield "  default: true"
        yield "  data_files:"
        for part, count in Layout.of(contents).counts.items():
            yield f"  - split: {_split(part)}"
            yield f'    path: "{table}/{part}-?????-of-{count:05}.parquet"'
    yield "---"


def _split(part: str) -> str:
    """Name a part as Hugging Face takes it, where ``all`` means all parts.

    Source: ``datasets.NamedSplit``, datasets 5.2.
    """
    return "train" if part == ALL else part.replace("-", "_")


def _text(contents: Contents) -> Iterator[str]:
    version = contents.version
    title = " ".join(str(version.get("project_name") or "Data set").split())
    yield f"# {title}"
    yield ""
    if version.get("version_id"):
        yield (
            f"Version {version.get('version_num')} (id {version['version_id']}) of project "
            f"{version.get('project_id')} on {version.get('server')}, exported by airflow-sv-versioning."
        )
        yield ""
    yield "| files | a row |"
    yield "|---|---|"
    for table, row in _ROWS[contents.project_type].items():
        yield f"| `{table}/<part>-*.parquet` | {row} |"
    yield ""
    yield "`project_meta.json` defines the classes and tags, as the platform does."
    yield ""
