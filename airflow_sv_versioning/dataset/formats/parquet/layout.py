"""Which file a row goes to: known before the first item, and for each item by its content alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from airflow_sv_versioning.dataset.formats.format import Contents

ITEMS_A_FILE: Mapping[str, int] = {"images": 10_000, "videos": 100, "volumes": 100}
BYTES_A_FILE = 500_000_000
"""Of pictures in it."""


def embeds_pictures(contents: Contents) -> bool:
    """Say whether the files hold the pictures themselves."""
    return not contents.has_frames and contents.media == "copy"


@dataclass(frozen=True)
class Layout:
    """The files of each table; those of one number hold the rows of the same items.

    :param counts: part -> how many files it has of each table.
    """

    counts: Mapping[str, int]

    @classmethod
    def of(cls, contents: Contents) -> Layout:
        """Give each part as many files as its items need, at least one."""
        most = ITEMS_A_FILE[contents.project_type]
        sizes = contents.item_bytes if embeds_pictures(contents) else {}
        return cls(
            {
                part: max(1, -(-count // most), -(-sizes.get(part, 0) // BYTES_A_FILE))
                for part, count in contents.items.items()
            }
        )

    def unit(self, part: str, key: int) -> int:
        """Tell the number, over all parts, of the file that an item goes to."""
        before = 0
        for name, count in self.counts.items():
            if name == part:
                return before + key % count
            before += count
        raise LookupError(f"{part} is no part of what is exported.")

    def files(self) -> Iterator[tuple[int, str]]:
        """Yield the number over all parts and the name of each, such as ``train-00000-of-00002.parquet``."""
        unit = 0
        for part, count in self.counts.items():
            for number in range(count):
                yield unit, f"{part}-{number:05}-of-{count:05}.parquet"
                unit += 1
