"""Carry out a plan below the datasets: images, figures, masks, tags. Joined by identity throughout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient, figures, images, tags
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.exceptions import IntegrityError
from airflow_sv_versioning.snapshot.kinds.images import ALPHA_MASK
from airflow_sv_versioning.snapshot.parallel import map_ordered
from airflow_sv_versioning.snapshot.plan import RestorePlan
from airflow_sv_versioning.snapshot.progress import Progress
from airflow_sv_versioning.snapshot.tables import json_value, values
from airflow_sv_versioning.snapshot.writes import all_or_nothing, land_once

if TYPE_CHECKING:
    import pyarrow.compute as pc

Row = Mapping[str, Any]


@dataclass(frozen=True)
class NewIds:
    """What became of a snapshot's ids in the new project: id in the snapshot -> new id."""

    datasets: Mapping[int, int]
    classes: Mapping[int, int]
    tags: Mapping[int, int]


class ItemsRestore:
    """Fill the datasets of a new project."""

    def __init__(
        self,
        client: SuperviselyClient,
        plan: RestorePlan,
        project_id: int,
        ids: NewIds,
        progress: Progress,
    ) -> None:
        self._client = client
        self._plan = plan
        self._project_id = project_id
        self._dataset_ids = ids.datasets
        self._class_ids = ids.classes
        self._tag_ids = ids.tags
        self._progress = progress
        self._image_ids: dict[int, int] = {}
        self._image_datasets: dict[int, int] = {}
        # Only figures that something else refers to: masks and tagged ones.
        self._figure_ids: dict[int, int] = {}
        self._figure_items: dict[int, int] = {}

    def run(self) -> None:
        """Add everything the plan holds."""
        self._add_images()
        self._describe_images()
        self._add_figures()
        self._add_alpha_geometries()
        self._add_tags()

    def _add_images(self) -> None:
        """Add images in the order of the snapshot, datasets side by side, parents before children."""
        import pyarrow as pa
        import pyarrow.compute as pc

        def among(ids: Iterable[int]) -> pc.Expression:
            return pc.field("src_image_id").isin(pa.array(sorted(ids), pa.int64()))

        parents = self._restored_parents()
        self._add_generation(~among(parents) if parents else None)
        while parents:
            ready = {child for child, parent in parents.items() if parent in self._image_ids}
            if not ready:
                raise IntegrityError("Images of the snapshot are each other's parents.")
            self._add_generation(among(ready))
            parents = {child: parent for child, parent in parents.items() if child not in ready}

    def _restored_parents(self) -> dict[int, int]:
        import pyarrow.compute as pc

        columns = ["src_image_id", "parent_src_image_id"]
        has_parent = ~pc.field("parent_src_image_id").is_null()
        rows = self._plan.snapshot.read("images", columns, has_parent).to_pylist()
        gone = self._plan.skipped_ids
        return {
            row["src_image_id"]: row["parent_src_image_id"]
            for row in rows
            if row["src_image_id"] not in gone and row["parent_src_image_id"] not in gone
        }

    def _add_generation(self, where: pc.Expression | None) -> None:
        dataset_ids = [row["src_dataset_id"] for row in self._plan.datasets]
        self._drain(lambda dataset_id: self._add_dataset_images(dataset_id, where), dataset_ids)

    def _add_dataset_images(self, dataset_id: int, where: pc.Expression | None) -> None:
        import pyarrow.compute as pc

        here = pc.field("src_dataset_id") == dataset_id
        for condition in (where, self._plan.restored("src_image_id")):
            here = here if condition is None else here & condition
        for batch in self._plan.snapshot.iter_batches("images", where=here):
            for part in batches(batch.to_pylist(), images.ADD_BATCH):
                self._progress.count("Images restored", len(self._image_ids), self._plan.counts["images"])
                self._add_image_batch(dataset_id, part)

    def _add_image_batch(self, dataset_id: int, rows: Sequence[Row]) -> None:
        new_dataset = self._dataset_ids[dataset_id]
        entries = [self._image_entry(row) for row in rows]
        titles = [entry["title"] for entry in entries]

        def find_landed() -> list[dict[str, Any]] | None:
            found = self._client.images.list_by_names(new_dataset, titles)
            return found if all_or_nothing(len(found), len(titles), "images") else None

        added = land_once(lambda: self._client.images.add(new_dataset, entries), find_landed)
        by_name = {image["name"]: image["id"] for image in added}
        for row, title in zip(rows, titles, strict=True):
            if title not in by_name:
                raise IntegrityError(
                    f"The server stored image {title!r} of dataset {new_dataset} under another name.",
                    dataset_id=new_dataset,
                )
            self._image_ids[row["src_image_id"]] = by_name[title]
            self._image_datasets[row["src_image_id"]] = new_dataset

    def _image_entry(self, row: Row) -> dict[str, Any]:
        entry: dict[str, Any] = {"title": self._plan.new_names.get(row["src_image_id"], row["name"])}
        # An image with both is a linked image; its hash is only a trace of what the link held.
        if row["link"]:
            entry["link"] = row["link"]
        else:
            entry["hash"] = row["hash"]
        if row["meta"]:
            entry["meta"] = json_value(row["meta"])
        if (parent := row["parent_src_image_id"]) in self._image_ids:
            entry["parentId"] = self._image_ids[parent]
        return entry

    def _describe_images(self) -> None:
        described = (
            row
            for batch in self._plan.snapshot.iter_batches("images", ["src_image_id", "description"])
            for row in batch.to_pylist()
            if row["description"] and row["src_image_id"] in self._image_ids
        )
        self._drain(
            lambda row: self._client.images.edit(
                self._image_ids[row["src_image_id"]], description=row["description"]
            ),
            described,
        )

    def _add_figures(self) -> None:
        wanted = self._tagged_figures()
        where = self._plan.restored("src_image_id")
        rows = (
            row
            for batch in self._plan.snapshot.iter_batches("figures", where=where)
            for row in batch.to_pylist()
        )
        done = 0
        groups = whole_items(rows, "src_image_id", figures.ADD_BATCH)
        for group, new_ids in map_ordered(self._add_figure_group, groups, self._client.max_workers):
            for row, new_id in zip(group, new_ids, strict=True):
                figure_id = row["src_figure_id"]
                if row["geometry_type"] == ALPHA_MASK or figure_id in wanted:
                    self._figure_ids[figure_id] = new_id
                    self._figure_items[figure_id] = row["src_image_id"]
            done += len(group)
            self._progress.count("Figures restored", done, self._plan.counts["figures"])

    def _tagged_figures(self) -> set[int]:
        import pyarrow.compute as pc

        tagged: set[int] = set()
        of_figures = pc.field("owner_type") == "figure"
        for batch in self._plan.snapshot.iter_batches("tags", ["owner_id", "owner_type"], of_figures):
            tagged.update(values(batch, "owner_id"))
        return tagged

    def _add_figure_group(self, group: Sequence[Row]) -> tuple[Sequence[Row], list[int]]:
        """Add all figures of some images, in their order; an image lies in one group only."""
        new_ids: list[int] = []
        by_dataset: dict[int, list[Row]] = {}
        for row in group:
            by_dataset.setdefault(self._image_datasets[row["src_image_id"]], []).append(row)
        ordered = [row for rows in by_dataset.values() for row in rows]
        for dataset_id, rows in by_dataset.items():
            for part in batches(rows, figures.ADD_BATCH):
                self._progress.check()
                new_ids += self._add_figure_batch(dataset_id, part, new_ids)
        return ordered, new_ids

    def _add_figure_batch(self, dataset_id: int, rows: Sequence[Row], known: Sequence[int]) -> list[int]:
        entries = [self._figure_entry(row) for row in rows]
        item_ids = sorted({entry["entityId"] for entry in entries})

        def find_landed() -> list[int] | None:
            there: set[int] = set()
            for part in batches(item_ids, figures.LIST_BATCH):
                there |= {f["id"] for f in self._client.figures.list_for_items(dataset_id, part)}
            new = sorted(there - set(known))
            return new if all_or_nothing(len(new), len(entries), "figures") else None

        return land_once(lambda: self._client.figures.add(dataset_id, entries), find_landed)

    def _figure_entry(self, row: Row) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "entityId": self._image_ids[row["src_image_id"]],
            "classId": self._class_ids[row["class_id"]],
            "geometryType": row["geometry_type"],
            "geometry": json_value(row["geometry_json"]),
            "meta": json_value(row["meta"]) or {},
        }
        for key, value in (
            ("priority", row["priority"]),
            ("customData", json_value(row["custom_data"])),
            ("nnCreated", row["nn_created"]),
            ("nnUpdated", row["nn_updated"]),
        ):
            if value is not None:
                entry[key] = value
        return entry

    def _add_alpha_geometries(self) -> None:
        def upload(rows: Sequence[Row]) -> None:
            self._client.figures.upload_geometries(
                {self._figure_ids[row["src_figure_id"]]: row["geometry_json"] for row in rows}
            )

        for batch in self._plan.snapshot.iter_batches("alpha_geometries"):
            rows = [row for row in batch.to_pylist() if row["src_figure_id"] in self._figure_ids]
            self._drain(upload, batches(rows, figures.GEOMETRY_BATCH))

    def _add_tags(self) -> None:
        import pyarrow.compute as pc

        for owner_type, add in (("item", self._add_item_tags), ("figure", self._add_figure_tags)):
            where = pc.field("owner_type") == owner_type
            if (restored := self._plan.restored("src_item_id")) is not None:
                where &= restored
            rows = (
                row
                for batch in self._plan.snapshot.iter_batches("tags", where=where)
                for row in batch.to_pylist()
            )
            self._drain(add, whole_items(rows, "owner_id", tags.ADD_BATCH))

    def _add_item_tags(self, rows: Sequence[Row]) -> None:
        entries = [self._tag_entry(row, "entityId", self._image_ids[row["owner_id"]]) for row in rows]
        by_dataset: dict[int, set[int]] = {}
        for row in rows:
            dataset_id = self._image_datasets[row["owner_id"]]
            by_dataset.setdefault(dataset_id, set()).add(self._image_ids[row["owner_id"]])

        def landed() -> int:
            return sum(
                len(image.get("tags") or [])
                for dataset_id, ids in by_dataset.items()
                for image in self._client.images.list_by_ids(dataset_id, sorted(ids))
            )

        self._land_tags(entries, self._client.tags.add_to_items, landed)

    def _add_figure_tags(self, rows: Sequence[Row]) -> None:
        entries = [self._tag_entry(row, "figureId", self._figure_ids[row["owner_id"]]) for row in rows]
        tagged = {entry["figureId"] for entry in entries}
        by_dataset: dict[int, set[int]] = {}
        for row in rows:
            item = self._figure_items[row["owner_id"]]
            by_dataset.setdefault(self._image_datasets[item], set()).add(self._image_ids[item])

        def landed() -> int:
            return sum(
                len(figure.get("tags") or [])
                for dataset_id, ids in by_dataset.items()
                for part in batches(sorted(ids), figures.LIST_BATCH)
                for figure in self._client.figures.list_for_items(dataset_id, part)
                if figure["id"] in tagged
            )

        self._land_tags(entries, self._client.tags.add_to_figures, landed)

    def _land_tags(
        self,
        entries: Sequence[Row],
        add: Callable[[int, Sequence[Row]], None],
        landed: Callable[[], int],
    ) -> None:
        """Send tags in batches; the owners of these tags have no others yet, so counting tells."""
        sent = 0
        for part in batches(entries, tags.ADD_BATCH):

            def send(part: Sequence[Row] = part) -> bool:
                add(self._project_id, part)
                return True

            def find_landed(part: Sequence[Row] = part, sent: int = sent) -> bool | None:
                return all_or_nothing(landed() - sent, len(part), "tags") or None

            land_once(send, find_landed)
            sent += len(part)

    def _tag_entry(self, row: Row, owner_key: str, owner_id: int) -> dict[str, Any]:
        return {
            "tagId": self._tag_ids[row["tag_id"]],
            owner_key: owner_id,
            "value": json_value(row["value_json"]),
        }

    def _drain(self, work: Callable[[Any], None], items: Iterable[Any]) -> None:
        def checked(item: Any) -> None:
            self._progress.check()
            work(item)

        for _ in map_ordered(checked, items, self._client.max_workers):
            pass


def whole_items(rows: Iterable[Row], owner_column: str, size: int) -> Iterator[list[Row]]:
    """Group rows into lists of about ``size``, never parting neighbours of one owner."""
    group: list[Row] = []
    for row in rows:
        if len(group) >= size and group[-1][owner_column] != row[owner_column]:
            yield group
            group = []
        group.append(row)
    if group:
        yield group
