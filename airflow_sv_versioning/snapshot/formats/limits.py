"""How much an archive may ask of the reader."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True)
class ArchiveLimits:
    """Bounds on what one archive unpacks to; beyond them it is refused, not read.

    The defaults are far above what genuine archives reach.

    :param max_payload_bytes: everything that the outer layer unpacks to, and again what a compressed
        payload inside unpacks to.
    :param max_ratio: how many bytes one compressed byte may unpack to, beyond the first gibibyte.
    :param max_document_bytes: one JSON document: project info, meta, manifest.
    :param max_row_group_rows: rows of one Parquet row group.
    :param max_row_group_bytes: uncompressed bytes of one Parquet row group, as its footer says.
    :param max_opcodes: steps of a pickle.
    :param max_open_bytes: bytes of a pickle whose values wait to become part of a record; a value takes
        up to some seventy times its bytes in memory.
    :param max_open_text: the same for texts of 256 characters and more.
    :param max_depth: containers inside each other in a pickle.
    :param max_open_values: values of a pickle that wait for their container on one level.
    :param max_shared_values: distinct values that a pickle refers to more than once.
    :param max_shared_nodes: values that references to shared containers may add when written out.
    :param max_shared_text_ratio: characters that references to shared texts may add when written out,
        as a multiple of the payload's size, on top of 64 Mi characters.
    """

    max_payload_bytes: int = 64 * 1024 * _MIB
    max_ratio: int = 1000
    max_document_bytes: int = 256 * _MIB
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

    def unpacked_bytes(self, compressed_bytes: int) -> int:
        """Tell how much a compressed file of this size may unpack to."""
        return min(self.max_payload_bytes, max(1024 * _MIB, self.max_ratio * compressed_bytes))
