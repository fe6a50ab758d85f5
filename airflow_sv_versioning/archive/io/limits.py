"""How much an archive may ask of the reader."""

from __future__ import annotations

from dataclasses import dataclass, replace

_MIB = 1024 * 1024


@dataclass(frozen=True)
class ArchiveLimits:
    """Bounds on what one archive unpacks to; beyond them it is refused, not read.

    A number in an archive costs its writer nothing, so none decides on memory or time alone. Each limit is
    the smaller one of what stands here and of what grows with the archive's own size, which cannot lie: see
    the properties. All are far above what genuine archives of that size reach.

    :param archive_bytes: size of the archive, see :meth:`of_archive`.
    :param max_payload_bytes: everything that the outer layer unpacks to, and again what a compressed
        payload inside unpacks to.
    :param max_ratio: how many bytes one compressed byte may unpack to, beyond the first gibibyte.
    :param max_document_bytes: one JSON document: project info, meta, manifest.
    :param max_rows: rows of one table.
    :param max_row_group_rows: rows of one Parquet row group.
    :param max_row_group_bytes: uncompressed bytes of one Parquet row group, as its pages say, and as its
        texts have when they are written out.
    :param max_opcodes: steps of a pickle.
    :param max_open_bytes: bytes of a pickle whose values wait to become part of a record; a value takes
        up to some seventy times its bytes in memory.
    :param max_open_text: the same for texts of 256 characters and more.
    :param max_depth: containers inside each other in a pickle.
    :param max_open_values: values of a pickle that wait for their container on one level.
    :param max_shared_values: distinct values that a pickle refers to more than once.
    :param max_shared_nodes: values that references to shared containers may add when written out.
    :param max_shared_text_ratio: characters that references to shared texts may add when written out,
        as a multiple of the archive's size, on top of 64 Mi characters.
    :param max_voxels: of one mask.
    """

    archive_bytes: int = 0
    max_payload_bytes: int = 64 * 1024 * _MIB
    max_ratio: int = 1000
    max_document_bytes: int = 256 * _MIB
    max_rows: int = 2_000_000_000
    max_row_group_rows: int = 5_000_000
    max_row_group_bytes: int = 4 * 1024 * _MIB
    max_opcodes: int = 2_000_000_000
    max_open_bytes: int = 32 * _MIB
    max_open_text: int = 4 * 1024 * _MIB
    max_depth: int = 1000
    max_open_values: int = 10_000
    max_shared_values: int = 2_000_000
    max_shared_nodes: int = 1_000_000
    max_shared_text_ratio: int = 16
    max_voxels: int = 2**32

    def of_archive(self, size_bytes: int) -> ArchiveLimits:
        """Take the limits for an archive of this size."""
        return replace(self, archive_bytes=size_bytes)

    def unpacked_bytes(self, compressed_bytes: int) -> int:
        """Tell how much a compressed file of this size may unpack to."""
        return min(self.max_payload_bytes, max(1024 * _MIB, self.max_ratio * compressed_bytes))

    @property
    def payload_bytes(self) -> int:
        """Bytes that the payload may unpack to: an archive in an archive counts as one."""
        return self.unpacked_bytes(self.archive_bytes)

    @property
    def document_bytes(self) -> int:
        """Bytes of one JSON document."""
        return self._grown(self.max_document_bytes, 8 * _MIB, 4)

    @property
    def side_bytes(self) -> int:
        """Bytes of a member beside the payload that is kept in memory."""
        return self._grown(1024 * _MIB, 32 * _MIB, 16)

    @property
    def rows(self) -> int:
        """Rows of one table; equal rows take less than a byte."""
        return self._grown(self.max_rows, 1_000_000, 8)

    @property
    def row_group_rows(self) -> int:
        """Rows of one Parquet row group."""
        return self._grown(self.max_row_group_rows, 1_000_000, 8)

    @property
    def row_group_bytes(self) -> int:
        """Bytes of one Parquet row group."""
        return self._grown(self.max_row_group_bytes, 128 * _MIB, 16)

    @property
    def footer_bytes(self) -> int:
        """Bytes of a Parquet footer; in memory it is some fifty times as large."""
        return self._grown(64 * _MIB, 4 * _MIB, 1)

    @property
    def json_cost(self) -> int:
        """Bytes of memory that the values of one JSON text may take."""
        return self._grown(16 * 1024 * _MIB, 512 * _MIB, 100)

    @property
    def opcodes(self) -> int:
        """Steps of a pickle."""
        return self._grown(self.max_opcodes, 20_000_000, 64)

    @property
    def open_bytes(self) -> int:
        """Bytes of a pickle whose values wait."""
        return self._grown(self.max_open_bytes, 8 * _MIB, 2)

    @property
    def open_text(self) -> int:
        """Characters of long texts of a pickle that wait."""
        return self._grown(self.max_open_text, 64 * _MIB, 16)

    @property
    def shared_characters(self) -> int:
        """Characters that references to shared texts may add."""
        return 64 * _MIB + self.max_shared_text_ratio * self.archive_bytes

    @property
    def voxels(self) -> int:
        """Voxels of one mask."""
        return self._grown(self.max_voxels, 2**28, 2**13)

    @property
    def all_voxels(self) -> int:
        """Voxels of all masks; an empty mask takes a thousandth, and packed again next to nothing."""
        return 2**30 + 2**15 * self.archive_bytes

    def _grown(self, most: int, free: int, per_byte: int) -> int:
        return min(most, free + per_byte * self.archive_bytes)
