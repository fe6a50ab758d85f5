"""Copying a whole project, a batch at a time, so that other writers get their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_project
from airflow_sv_versioning.server.behaviour.meta import CLASSES, TAGS, Kind, definitions
from airflow_sv_versioning.server.database import Database, Writer, in_list, insert_statement, json_list
from airflow_sv_versioning.server.jsontext import dumps, loads

BATCH_ITEMS = 500
PARTS = ("classes", "projectTags", "datasets", "images", "imagesTags", "figures", "figuresTags")


@dataclass
class IdMap:
    """Old id -> new id."""

    classes: dict[int, int] = field(default_factory=dict)
    tags: dict[int, int] = field(default_factory=dict)
    datasets: dict[int, int] = field(default_factory=dict)
    shared_objects: dict[int, int] = field(default_factory=dict)


@dataclass
class Owners:
    """What tags and figures of one batch may hang on: old id -> new id."""

    items: Mapping[int, int]
    objects: Mapping[int, int] = field(default_factory=dict)
    figures: Mapping[int, int] = field(default_factory=dict)

    def has_owner_of(self, tag: Mapping[str, Any]) -> bool:
        """Whether what the tag hangs on was copied."""
        return (tag["figure_id"] is None or tag["figure_id"] in self.figures) and (
            tag["object_id"] is None or tag["object_id"] in self.objects
        )


class ProjectCopy:
    """One copy under way.

    :param target_id: the new project, which has nothing in it yet.
    :param include: which of ``PARTS`` to copy; what is not named is copied.
    :param report: takes progress for people.
    :param check: raises when the copy is to stop; asked between batches.
    """

    def __init__(
        self,
        database: Database,
        source_id: int,
        target_id: int,
        include: Mapping[str, bool],
        report: Callable[[str], None],
        check: Callable[[], None],
    ) -> None:
        self._database = database
        self._source_id = source_id
        self._target_id = target_id
        self._include = {part: bool(include.get(part, True)) for part in PARTS}
        self._report = report
        self._check = check
        self._ids = IdMap()

    def run(self) -> None:
        """Copy everything; settings come last, since they may make the copy read-only."""
        with self._database.write() as tx:
            self._copy_meta(tx)
            self._copy_datasets(tx)
            self._copy_shared_objects(tx)
        copied = 0
        for batch in self._batches():
            self._check()
            with self._database.write() as tx:
                copied += self._copy_items(tx, batch)
            self._report(f"Copied {copied} items")
        self._check()
        with self._database.write() as tx:
            self._finish(tx)

    def _copy_meta(self, tx: Writer) -> None:
        if self._include["classes"]:
            self._ids.classes = self._copy_definitions(tx, CLASSES)
        if self._include["projectTags"]:
            self._ids.tags = self._copy_definitions(tx, TAGS)

    def _copy_definitions(self, tx: Writer, kind: Kind) -> dict[int, int]:
        return {
            row["id"]: tx.insert(
                kind.table,
                project_id=self._target_id,
                position=row["position"],
                name=row["name"],
                definition=row["definition"],
                created_at=tx.stamp,
                updated_at=tx.stamp,
            )
            for row in definitions(tx, kind, self._source_id)
        }

    def _copy_datasets(self, tx: Writer) -> None:
        if not self._include["datasets"]:
            return
        rows = tx.all("SELECT * FROM datasets WHERE project_id = ? ORDER BY id", (self._source_id,))
        self._ids.datasets = {
            row["id"]: tx.insert(
                "datasets",
                project_id=self._target_id,
                name=f"{row['name']}/{row['id']}",
                description=row["description"],
                custom_data=row["custom_data"],
                created_by=row["created_by"],
                created_at=tx.stamp,
                updated_at=tx.stamp,
            )
            for row in rows
        }
        # A parent may have a larger id than its child, and names are unique below one parent only.
        for row in rows:
            parent_id = self._ids.datasets.get(row["parent_id"])
            tx.update("datasets", self._ids.datasets[row["id"]], parent_id=parent_id, name=row["name"])

    def _batches(self) -> Iterator[list[int]]:
        if not self._include["images"]:
            return
        for dataset_id in self._ids.datasets:
            last = 0
            while True:
                with self._database.read() as db:
                    rows = db.all(
                        "SELECT id FROM items WHERE dataset_id = ? AND id > ? ORDER BY id LIMIT ?",
                        (dataset_id, last, BATCH_ITEMS),
                    )
                if not rows:
                    break
                last = rows[-1]["id"]
                yield [row["id"] for row in rows]

    def _copy_items(self, tx: Writer, item_ids: list[int]) -> int:
        items = self._copy_rows(
            tx, "items", "id", item_ids, lambda row: {"dataset_id": self._ids.datasets[row["dataset_id"]]}
        )
        owners = Owners(items)
        if self._include["figures"]:
            owners.objects = self._ids.shared_objects | self._copy_objects(tx, "item_id", list(items), items)
            owners.figures = self._copy_figures(tx, owners)
        if self._include["imagesTags"]:
            self._copy_tags(tx, owners, "figure_id IS NULL AND object_id IS NULL AND item_id")
        if self._include["figuresTags"]:
            self._copy_tags(tx, owners, "(figure_id IS NOT NULL OR object_id IS NOT NULL) AND item_id")
        return len(items)

    def _copy_shared_objects(self, tx: Writer) -> None:
        if self._include["figures"]:
            datasets = list(self._ids.datasets)
            self._ids.shared_objects = self._copy_objects(tx, "item_id IS NULL AND dataset_id", datasets, {})

    def _copy_objects(
        self, tx: Writer, column: str, ids: list[int], items: Mapping[int, int]
    ) -> dict[int, int]:
        return self._copy_rows(
            tx,
            "objects",
            column,
            ids,
            lambda row: (
                {
                    "item_id": items.get(row["item_id"]),
                    "class_id": self._ids.classes[row["class_id"]],
                    "dataset_id": self._ids.datasets[row["dataset_id"]],
                }
                if row["class_id"] in self._ids.classes
                else None
            ),
        )

    def _copy_figures(self, tx: Writer, owners: Owners) -> dict[int, int]:
        figures = self._copy_rows(
            tx,
            "figures",
            "item_id",
            list(owners.items),
            lambda row: (
                {
                    "item_id": owners.items[row["item_id"]],
                    "object_id": owners.objects.get(row["object_id"], row["object_id"]),
                    "class_id": self._ids.classes[row["class_id"]],
                    "dataset_id": self._ids.datasets[row["dataset_id"]],
                }
                if row["class_id"] in self._ids.classes
                else None
            ),
        )
        bodies = tx.all(
            f"SELECT figure_id, body FROM figure_geometries WHERE {in_list('figure_id')}",  # noqa: S608
            (json_list(list(figures)),),
        )
        tx.run_many(
            "INSERT INTO figure_geometries VALUES (?, ?)",
            [(figures[row["figure_id"]], row["body"]) for row in bodies],
        )
        return figures

    def _copy_tags(self, tx: Writer, owners: Owners, of: str) -> None:
        def changes(row: Mapping[str, Any]) -> dict[str, Any] | None:
            if row["tag_id"] not in self._ids.tags or not owners.has_owner_of(row):
                return None
            return {
                "item_id": owners.items[row["item_id"]],
                "figure_id": owners.figures.get(row["figure_id"]),
                "object_id": owners.objects.get(row["object_id"]),
                "tag_id": self._ids.tags[row["tag_id"]],
            }

        self._copy_rows(tx, "tags", of, list(owners.items), changes)

    def _copy_rows(
        self,
        tx: Writer,
        table: str,
        column: str,
        ids: list[int],
        changes: Callable[[Mapping[str, Any]], dict[str, Any] | None],
    ) -> dict[int, int]:
        found = tx.all(f"SELECT * FROM {table} WHERE {in_list(column)} ORDER BY id", (json_list(ids),))  # noqa: S608
        changed = [(dict(row), changes(dict(row))) for row in found]
        rows = [{**row, **change} for row, change in changed if change is not None]
        new_ids = tx.new_ids(len(rows))
        for new_id, row in zip(new_ids, rows, strict=True):
            row["old_id"] = row["id"]
            row.update(id=new_id, updated_at=tx.stamp, created_at=tx.stamp)
        mapping = {row.pop("old_id"): row["id"] for row in rows}
        if rows:
            tx.run_many(insert_statement(table, rows[0]), [tuple(row.values()) for row in rows])
        return mapping

    def _finish(self, tx: Writer) -> None:
        source = get_project(tx, self._source_id)
        settings = loads(source["settings"])
        if settings.get("groupImagesByTagId") is not None:
            settings["groupImagesByTagId"] = self._ids.tags.get(settings["groupImagesByTagId"])
        tx.update(
            "projects",
            self._target_id,
            description=source["description"],
            readme=source["readme"],
            custom_data=source["custom_data"],
            settings=dumps(settings),
            updated_at=tx.stamp,
        )
