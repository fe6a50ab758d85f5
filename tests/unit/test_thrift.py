"""What the footers of Parquet files are written in: read where it is sound, and refused where it is not."""

import pytest

from airflow_sv_versioning.archive.io.thrift import CompactReader


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"\x15\x08\x18\x02ab\x00", {1: 4, 2: b"ab"}),
        (b"\x11\x12\x00", {1: True, 2: False}),
        (b"\x1c\x15\x02\x00\x00", {1: {1: 1}}),
        (b"\x19\x25\x02\x04\x00", {1: [1, 2]}),
        (b"\x05\x10\x02\x00", {8: 1}),
    ],
    ids=["number and bytes", "truths", "struct", "list", "far field"],
)
def test_a_struct_is_read_to_its_end(data: bytes, fields: dict[int, object]) -> None:
    reader = CompactReader(data + b"behind")

    assert reader.struct() == fields
    assert reader.position == len(data)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x1c" * 5000, ValueError),
        (b"\x19" * 5000, ValueError),
        (b"\x19\xe5\x02", IndexError),
        (b"\x15" + b"\x80" * 12, ValueError),
        (b"\x18\x64abc", IndexError),
        (b"\x1b\x00", ValueError),
        (b"\x15\x02", IndexError),
    ],
    ids=["deep structs", "deep lists", "long list", "endless number", "long bytes", "map", "no end"],
)
def test_what_is_no_struct_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        CompactReader(data).struct()
