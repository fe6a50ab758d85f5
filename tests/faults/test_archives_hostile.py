"""Archives made to harm: none runs anything, writes anywhere else, or takes the machine down."""

import io
import os
import pickle
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from airflow_sv_versioning.archive import ArchiveLimits, unpack_archive
from airflow_sv_versioning.exceptions import FormatError, UnsafeArchiveError
from tests.support import hostile as h
from tests.support.archives import archive_of, tar_of

MARKER = "marker"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Any]:
    """Unpack a payload, and check afterwards that nothing happened elsewhere."""

    def unpack(payload: bytes, **limits: int) -> Any:
        archive = archive_of(payload, tmp_path / "archive.tar.zst")
        try:
            return unpack_archive(archive, "images", tmp_path / "out", ArchiveLimits(**limits))
        finally:
            assert {entry.name for entry in tmp_path.iterdir()} <= {"archive.tar.zst", "out"}

    return unpack


class Exploit:
    """Runs a call when an honest unpickler loads it."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


def touch(path: Path) -> str:
    return f"touch {path}"


def test_the_exploits_of_these_tests_would_work(tmp_path: Path):
    pickle.loads(pickle.dumps(Exploit(os.system, touch(tmp_path / MARKER))))

    assert (tmp_path / MARKER).exists()


def test_the_assembled_payload_is_read_when_nothing_is_wrong_with_it(read: Callable[..., Any]):
    images = h.list_of(h.image(31), h.image(32))
    figures = h.EMPTY_DICT + h.number(31) + h.list_of(h.figure(41, 31)) + h.SETITEM

    snapshot = read(h.payload(images=images, figures=figures)).snapshot

    assert snapshot.counts() == {"datasets": 0, "images": 2, "figures": 1, "alpha_geometries": 0, "tags": 0}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("make", [lambda exploit: exploit, lambda exploit: (1, {"a": [exploit]})])
def test_a_pickle_that_calls_a_function_is_refused(make, protocol, read: Callable[..., Any], tmp_path: Path):
    for function, argument in (
        (os.system, touch(tmp_path / MARKER)),
        (exec, f"open({str(tmp_path / MARKER)!r}, 'w')"),
        (eval, f"open({str(tmp_path / MARKER)!r}, 'w')"),
        (__import__, "antigravity"),
    ):
        with pytest.raises(FormatError):
            read(pickle.dumps(make(Exploit(function, argument)), protocol))


FOREIGN_NAMES = [
    ("os", "system"),
    ("posix", "system"),
    ("builtins", "exec"),
    ("builtins", "eval"),
    ("builtins", "getattr"),
    ("subprocess", "Popen"),
    ("collections", "OrderedDict"),
    ("collections", "sys.modules"),
    ("supervisely.io.fs", "os.system"),
    ("supervisely.api.image_api", "ImageInfo.__class__"),
    ("supervisely.api.image_api", "ImageInfo.__init__.__globals__"),
    ("supervisely.api.image_api", ""),
    ("supervisely.api.image_api.ImageInfo", "__new__"),
    ("supervisely.api.image_api", "imageinfo"),
    ("supervisely.api.image_api ", "ImageInfo"),
    ("supervisely.project.project", "Project"),
    ("supervisely.geometry.bitmap", "Bitmap.from_path"),
    ("numpy", "ndarray"),
    ("airflow_sv_versioning.archive.payloads.images_v1_0.names", "RecordType"),
]


@pytest.mark.parametrize(("module", "name"), FOREIGN_NAMES)
def test_a_name_that_no_genuine_version_holds_is_refused_by_name(module, name, read: Callable[..., Any]):
    with pytest.raises(UnsafeArchiveError, match=r"names .* at byte \d+") as caught:
        read(h.payload(h.project(custom_data=h.named(module, name))))

    assert f"{module}.{name}" in str(caught.value)


@pytest.mark.parametrize(("module", "name"), FOREIGN_NAMES)
def test_so_is_one_of_the_older_protocols(module, name, read: Callable[..., Any]):
    old = b"c" + module.encode() + b"\n" + name.encode() + b"\n"

    with pytest.raises(UnsafeArchiveError, match="names "):
        read(h.payload(h.project(custom_data=old)))


def call(*how: bytes) -> bytes:
    return h.named("supervisely.api.image_api", "ImageInfo") + b"".join(how)


@pytest.mark.parametrize(
    ("opcode", "snippet"),
    [
        ("REDUCE", call(h.EMPTY_TUPLE, b"R")),
        ("INST", h.MARK + b"ios\nsystem\n"),
        ("OBJ", h.MARK + call(b"o")),
        ("PERSID", b"Pid\n"),
        ("BINPERSID", h.NONE + b"Q"),
        ("EXT1", b"\x82\x01"),
        ("EXT2", b"\x83\x01\x00"),
        ("EXT4", b"\x84\x01\x00\x00\x00"),
        ("NEWOBJ_EX", call(h.EMPTY_TUPLE, h.EMPTY_DICT, b"\x92")),
        ("NEXT_BUFFER", b"\x97"),
        ("POP", h.NONE + h.NONE + b"0"),
        ("DUP", h.NONE + b"2"),
        ("PUT", h.NONE + b"p0\n"),
        ("TUPLE1", h.NONE + b"\x85"),
        ("FROZENSET", h.MARK + b"\x91"),
        ("BINBYTES", b"B\x00\x00\x00\x00"),
    ],
)
def test_an_opcode_that_no_genuine_version_holds_is_refused_by_name(
    opcode, snippet, read: Callable[..., Any]
):
    with pytest.raises(UnsafeArchiveError, match=rf"uses {opcode} at byte \d+"):
        read(h.payload(h.project(custom_data=snippet)))


@pytest.mark.parametrize(
    "snippet",
    [
        pytest.param(
            h.named("supervisely.geometry.bitmap", "Bitmap") + h.EMPTY_TUPLE + h.NEWOBJ, id="geometry"
        ),
        pytest.param(
            h.named("supervisely.annotation.tag_meta", "TagMeta") + h.tuple_of(h.NONE) + h.NEWOBJ,
            id="class with arguments",
        ),
        pytest.param(h.text("os.system") + h.EMPTY_TUPLE + h.NEWOBJ, id="text"),
        pytest.param(h.EMPTY_DICT + h.EMPTY_DICT + h.BUILD, id="state of a dict"),
        pytest.param(h.image(1) + h.dict_of(__class__=h.NONE) + h.BUILD, id="state of a record"),
        pytest.param(
            h.instance("annotation.tag_meta", "TagMeta", h.EMPTY_DICT) + h.EMPTY_DICT + h.BUILD,
            id="state twice",
        ),
        pytest.param(
            h.instance("annotation.tag_meta", "TagMeta", h.tuple_of(h.NONE, h.EMPTY_DICT)), id="slots"
        ),
        pytest.param(h.text("supervisely") + h.NONE + h.STACK_GLOBAL, id="name that is no text"),
    ],
)
def test_objects_are_made_only_as_genuine_versions_make_them(snippet, read: Callable[..., Any]):
    with pytest.raises(UnsafeArchiveError, match="nothing of it was run"):
        read(h.payload(h.project(custom_data=snippet)))


def test_methods_named_in_a_state_are_data(read: Callable[..., Any]):
    """``__setstate__`` and its like would be looked up on an object; there is none here."""
    names = ("__setstate__", "__class__", "__reduce__", "__del__", "__init__", "__dict__")
    state = h.dict_of(_collection=h.EMPTY_DICT, **{name: h.text("os.system") for name in names})
    tags = h.instance("annotation.tag_meta_collection", "TagMetaCollection", state)
    meta = h.meta().replace(h.collection("tag_meta_collection", "TagMetaCollection"), tags)
    assert tags in meta

    assert read(h.payload(project_meta=meta)).snapshot.project_meta["tags"] == []


def test_a_pickle_inside_a_text_stays_a_text(read: Callable[..., Any], tmp_path: Path):
    inner = pickle.dumps(Exploit(os.system, touch(tmp_path / MARKER)), 0).decode("latin-1")
    custom_data = h.dict_of(a=h.text(inner) + h.MEMOIZE, b=h.get(0))

    snapshot = read(h.payload(h.project(custom_data=custom_data))).snapshot

    assert snapshot.project_info["custom_data"] == {"a": inner, "b": inner}


def shared_levels(levels: int, width: int = 10, leaf: bytes = h.EMPTY_LIST) -> bytes:
    """A list of references to a list of references to..."""
    built = leaf + h.MEMOIZE
    for level in range(levels):
        built = h.EMPTY_LIST + h.MARK + built + h.get(level) * width + h.APPENDS + h.MEMOIZE
    return built


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(lambda: shared_levels(60), id="lists"),
        pytest.param(lambda: shared_levels(6, leaf=h.text("x" * 100_000)), id="texts"),
        pytest.param(lambda: h.text("x" * 100_000) + h.MEMOIZE + h.get(0) * 5_000, id="one text, often"),
    ],
)
@pytest.mark.timeout(60)
@pytest.mark.parametrize("place", ["custom data", "image meta", "geometry"])
def test_a_billion_laughs_cost_little(bomb, place, read: Callable[..., Any]):
    value = h.dict_of(a=h.list_of(bomb()))
    payload = {
        "custom data": lambda: h.payload(h.project(custom_data=value)),
        "image meta": lambda: h.payload(images=h.list_of(h.image(31, value))),
        "geometry": lambda: h.payload(
            figures=h.EMPTY_DICT + h.number(31) + h.list_of(h.figure(41, 31, value)) + h.SETITEM
        ),
    }[place]()
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="too often"):
            read(payload)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200 * 1024 * 1024


def test_a_container_may_not_grow_after_it_was_counted(read: Callable[..., Any]):
    """Otherwise references would be taken while it is small."""
    grown = h.EMPTY_DICT + h.MEMOIZE + h.text("k") + h.list_of(h.get(0), h.get(0)) + h.SETITEM

    with pytest.raises(UnsafeArchiveError, match="changes a container that it referred to"):
        read(h.payload(h.project(custom_data=grown)))


@pytest.mark.parametrize(
    "nested",
    [
        pytest.param(lambda: h.EMPTY_LIST * 100_000 + h.APPEND * 99_999, id="lists"),
        pytest.param(lambda: (h.EMPTY_LIST + h.MARK) * 100_000 + h.APPENDS * 100_000, id="marked lists"),
        pytest.param(lambda: h.MARK * 100_000 + h.TUPLE * 100_000, id="tuples"),
        pytest.param(lambda: (h.EMPTY_DICT + h.text("k")) * 20_000 + h.NONE + h.SETITEM * 20_000, id="dicts"),
    ],
)
@pytest.mark.parametrize("place", ["custom data", "image meta"])
def test_deep_nesting_is_refused(nested, place, read: Callable[..., Any]):
    value = h.dict_of(a=nested())
    in_project = h.payload(h.project(custom_data=value))
    in_image = h.payload(images=h.list_of(h.image(31, value)))

    with pytest.raises(FormatError):
        read(in_project if place == "custom data" else in_image)


@pytest.mark.parametrize("depth", [500, 2_000, 9_000])
def test_nesting_below_the_limits_is_read_or_refused(depth, read: Callable[..., Any]):
    """Interpreters differ in how deep their JSON goes."""
    value = h.dict_of(a=h.EMPTY_LIST * depth + h.APPEND * (depth - 1))
    try:
        snapshot = read(h.payload(images=h.list_of(h.image(31, value)))).snapshot
    except FormatError:
        return
    assert snapshot.read("images")["meta"].to_pylist() == ['{"a":' + "[" * depth + "]" * depth + "}"]


def test_values_that_pile_up_are_refused(read: Callable[..., Any]):
    junk = h.EMPTY_LIST + (h.MARK + h.EMPTY_DICT * 500 + h.APPENDS) * 2_000

    with pytest.raises(FormatError, match="piles up"):
        read(h.payload(h.project(custom_data=h.dict_of(a=junk))), max_open_bytes=100_000)


def test_finished_records_do_not_hide_what_piles_up_around_them(read: Callable[..., Any]):
    """Each record would start the count anew."""
    junk = h.MARK + h.EMPTY_DICT * 500 + h.APPENDS
    figures = h.EMPTY_LIST + (junk + h.MARK + h.figure(41, 31) + h.APPENDS) * 1_000

    with pytest.raises(FormatError, match="piles up"):
        read(h.payload(figures=h.EMPTY_DICT + h.number(31) + figures + h.SETITEM), max_open_bytes=100_000)


def test_what_the_memo_keeps_of_finished_records_counts(read: Callable[..., Any]):
    long_list = h.EMPTY_LIST + h.MEMOIZE + b"(" + b"}" * 500 + b"e"
    kept = [h.image(number, h.dict_of(a=long_list)) for number in range(1_000)]
    images = h.EMPTY_LIST + h.MARK + b"".join(kept) + h.APPENDS
    references = h.list_of(*(h.get(number) for number in range(1_000)))
    payload = h.payload(images=images, alpha=h.EMPTY_DICT + h.number(1) + references + h.SETITEM)

    assert read(h.payload(images=images), max_open_bytes=100_000)
    with pytest.raises(FormatError, match="piles up"):
        read(payload, max_open_bytes=100_000)


def test_many_records_are_no_pile(read: Callable[..., Any]):
    figures = b"".join(h.figure(41 + number, 31) for number in range(2_000))
    batches = h.EMPTY_LIST + h.MARK + figures + h.APPENDS

    snapshot = read(
        h.payload(figures=h.EMPTY_DICT + h.number(31) + batches + h.SETITEM), max_open_bytes=300_000
    ).snapshot

    assert snapshot.row_count("figures") == 2_000


@pytest.mark.parametrize(
    ("snippet", "message"),
    [
        pytest.param(h.NONE + b"r\xff\xff\xff\x7f", "stores a value at place 2147483647", id="giant place"),
        pytest.param(h.get(5), "a value that it does not hold", id="reference to nothing"),
        pytest.param(b"\x95" + b"\xff" * 8, "frame of", id="giant frame"),
        pytest.param(b"\x8d" + b"\xff" * 7 + b"\x7f", "cut off", id="giant text"),
        pytest.param(b"X\xff\xff\xff\xff", "cut off", id="text beyond the end"),
        pytest.param(b"\x8a\xff", "pickle", id="number over what follows"),
        pytest.param(b"cnever ends", "does not end", id="name without an end"),
        pytest.param(h.APPENDS * 10, "closes", id="marks that were not set"),
        pytest.param(h.TUPLE + h.APPEND * 10, "pickle", id="nothing on the stack"),
        pytest.param(h.text("a") + h.NONE + h.SETITEM, "pickle", id="entry for no dict"),
        pytest.param(h.EMPTY_DICT + h.tuple_of() + h.NONE + h.SETITEM, "for a key", id="tuple for a key"),
        pytest.param(h.EMPTY_DICT + h.MARK + h.NONE + h.SETITEMS, "key without a value", id="odd entries"),
        pytest.param(b"\xff", "no opcode", id="no opcode"),
        pytest.param(h.STOP, "inside a container", id="early end"),
        pytest.param(b"X\x01\x00\x00\x00\xff", "pickle", id="text that is no unicode"),
    ],
)
def test_a_malformed_pickle_is_refused(snippet, message, read: Callable[..., Any]):
    with pytest.raises(FormatError, match=message):
        read(h.payload(h.project(custom_data=snippet)))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(h.PROTO + h.NONE + h.STOP, id="nothing"),
        pytest.param(h.PROTO + h.list_of(h.project(), h.meta()) + h.STOP, id="list"),
        pytest.param(h.payload(h.meta(), h.project()), id="order"),
        pytest.param(h.payload(images=h.list_of(h.figure(1, 1))), id="figure among images"),
        pytest.param(h.payload(images=h.list_of(h.NONE)), id="none among images"),
        pytest.param(h.payload(images=h.dict_of(a=h.image(1))), id="dict of images"),
        pytest.param(h.payload(h.project(h.dict_of(a=h.image(1)))), id="image in custom data"),
        pytest.param(h.payload(project_meta=h.meta(h.dict_of(a=h.meta()))), id="meta in meta"),
        pytest.param(h.payload(project_meta=h.meta(h.dict_of(a=h.NONE))), id="class that is none"),
        pytest.param(
            h.payload(figures=h.EMPTY_DICT + h.number(9) + h.list_of(h.figure(1, 31)) + h.SETITEM),
            id="figure of another image",
        ),
        pytest.param(h.payload(images=h.list_of(h.image(1, h.tuple_of(h.meta())))), id="meta in an image"),
        pytest.param(h.payload() + b"x", id="bytes after the end"),
        pytest.param(
            h.payload(project_meta=h.meta() + h.MEMOIZE, images=h.list_of(h.get(0))), id="meta among images"
        ),
        pytest.param(
            h.payload(images=h.list_of(h.image(31) + h.MEMOIZE, h.get(0))), id="the same image twice"
        ),
    ],
)
def test_records_belong_where_genuine_versions_have_them(payload, read: Callable[..., Any]):
    with pytest.raises(FormatError):
        read(payload)


@pytest.mark.parametrize("position", ["id", "name", "size"])
def test_values_of_other_types_do_not_get_into_tables(position, read: Callable[..., Any]):
    values = [h.number(1), h.text("name"), *[h.NONE] * 8, h.number(5), *[h.NONE] * 6]
    values[{"id": 0, "name": 1, "size": 6}[position]] = h.dict_of(a=h.NONE)
    image = h.record("image_api", "ImageInfo", *values)

    if position == "size":
        assert read(h.payload(images=h.list_of(image))).snapshot.read("images")["size"].to_pylist() == [None]
    else:
        with pytest.raises(FormatError):
            read(h.payload(images=h.list_of(image)))


ESCAPES = ["../escaped", "/tmp/escaped-sv-versioning", "./../escaped", "a/../../escaped", "..", "C:\\escaped"]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_member_decides_no_path(name, read: Callable[..., Any]):
    documents = {"project_info.json": b'{"name": "p"}', "project_meta.json": b"{}"}
    manifest = {"manifest.json": b'{"schema_version": "v2.1.0"}'}

    snapshot = read(tar_of({name: b"x", **documents, **manifest, f"{name}/images.parquet": b"x"})).snapshot

    assert {path.name for path in snapshot.directory.iterdir()} == {*documents, *manifest}
    assert not Path("/tmp/escaped-sv-versioning").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, b"S"])
@pytest.mark.parametrize("name", ["images.parquet", "other"])
@pytest.mark.parametrize("layer", ["outer", "inner"])
def test_links_and_devices_are_refused(kind, name, layer, tmp_path: Path):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    data = member.tobuf(tarfile.USTAR_FORMAT) + tar_of({"version.bin": b"\x80\x04N."})
    path = tmp_path / "archive.tar.zst"
    if layer == "inner":
        archive_of(data, path)
    else:
        path.write_bytes(zstandard.compress(data))

    with pytest.raises(UnsafeArchiveError, match="refused"):
        unpack_archive(path, "images", tmp_path / "out")


def test_a_link_in_the_target_folder_is_not_made_from_names_of_members(tmp_path: Path):
    """Members with the payload's own names are written as files, whatever their path says."""
    data = tar_of({"./version.bin": b"\x80\x04N.", "sub/version.bin": b"other"})
    path = tmp_path / "archive.tar.zst"
    path.write_bytes(zstandard.compress(data))

    with pytest.raises(FormatError, match="does not hold an image project"):
        unpack_archive(path, "images", tmp_path / "out")


@pytest.mark.parametrize("kind", [b"x", b"L"])
def test_a_giant_extension_header_is_not_read(kind, tmp_path: Path):
    member = tarfile.TarInfo("./@LongLink")
    member.type, member.size = kind, 5 * 1024**3
    path = tmp_path / "archive.tar.zst"
    path.write_bytes(zstandard.compress(member.tobuf(tarfile.USTAR_FORMAT) + bytes(10_240)))

    with pytest.raises(FormatError, match="extension header of 5368709120 bytes"):
        unpack_archive(path, "images", tmp_path / "out")


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path):
    archive = archive_of(bytes(50_000_000), tmp_path / "archive.tar.zst")
    assert archive.stat().st_size < 10_000

    with pytest.raises(FormatError, match="more than 1000000 bytes"):
        unpack_archive(archive, "images", tmp_path / "out", ArchiveLimits(max_payload_bytes=1_000_000))

    assert list((tmp_path / "out").iterdir()) == []


def test_a_few_bytes_may_not_fill_the_disk():
    limits = ArchiveLimits()

    assert limits.unpacked_bytes(1_000) == 1024**3
    assert limits.unpacked_bytes(50 * 1024**2) == 50_000 * 1024**2
    assert limits.unpacked_bytes(1024**4) == limits.max_payload_bytes


def test_a_payload_that_unpacks_to_too_much_is_refused(read: Callable[..., Any]):
    with pytest.raises(FormatError, match="more than 1000000 bytes"):
        read(zstandard.compress(tar_of({"junk": bytes(50_000_000)})), max_payload_bytes=1_000_000)


def test_an_archive_of_archives_is_refused(read: Callable[..., Any]):
    inner = tar_of({"version.bin": b"\x80\x04N."})

    with pytest.raises(FormatError, match=r"lacks project_info\.json"):
        read(zstandard.compress(inner))


@pytest.mark.parametrize("document", ["project_info.json", "project_meta.json", "manifest.json"])
@pytest.mark.parametrize(
    "data",
    [b"", b"[1]", b"nonsense", b"\xff", b"[" * 200_000, b'{"a":' * 100_000, b"9" * 100_000, b"null"],
    ids=lambda data: data[:5].decode("latin-1"),
)
def test_a_document_that_is_none_is_refused(document, data, read: Callable[..., Any]):
    documents = {
        "project_info.json": b'{"name": "p"}',
        "project_meta.json": b"{}",
        "manifest.json": b'{"schema_version": "v2.1.0"}',
    }

    with pytest.raises(FormatError, match=document):
        read(tar_of({**documents, document: data}))


def test_a_giant_document_is_refused(read: Callable[..., Any]):
    data = tar_of({"manifest.json": b" " * 2_000})

    with pytest.raises(FormatError, match=r"manifest\.json has 2000 bytes"):
        read(data, max_document_bytes=1_000)


def test_numbers_too_large_for_a_tar_are_not_believed(tmp_path: Path):
    header = bytearray(tarfile.TarInfo("version.bin").tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = b"\x80" + b"\xff" * 11
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 8 * 0x20)
    path = tmp_path / "archive.tar.zst"
    path.write_bytes(zstandard.compress(bytes(header) + bytes(10_240)))

    with pytest.raises(FormatError, match="size is '309485009821345068"):
        unpack_archive(path, "images", tmp_path / "out")


def test_a_sparse_file_in_an_extension_header_is_refused(tmp_path: Path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("version.bin")
        member.pax_headers = {"GNU.sparse.realsize": str(2**60), "GNU.sparse.map": "0,1"}
        tar.addfile(member, io.BytesIO())
    path = tmp_path / "archive.tar.zst"
    path.write_bytes(zstandard.compress(buffer.getvalue()))

    with pytest.raises(UnsafeArchiveError, match="sparse"):
        unpack_archive(path, "images", tmp_path / "out")


def extension(records: bytes, kind: bytes = b"x") -> bytes:
    """A tar's extension header."""
    member = tarfile.TarInfo("./PaxHeaders/x")
    member.type, member.size = kind, len(records)
    return member.tobuf(tarfile.USTAR_FORMAT) + records + bytes(-len(records) % 512)


def packed_after(head: bytes, path: Path) -> Path:
    path.write_bytes(zstandard.compress(head + tar_of({"version.bin": h.payload()})))
    return path


def test_an_extension_header_of_very_many_records_is_read_once_through(tmp_path: Path):
    """A reader that cuts the rest off after every record copies a mebibyte 175,000 times."""
    archive = packed_after(extension(b"6 a=b\n" * (1024 * 1024 // 6)), tmp_path / "a")

    assert unpack_archive(archive, "images", tmp_path / "out").archive_format == "v1.0.0"


def test_extension_headers_do_not_add_up(tmp_path: Path):
    heads = b"".join(
        extension(b"".join(b"21 key%08d=value\n" % (100 * head + n) for n in range(100)))
        for head in range(200)
    )
    tracemalloc.start()
    try:
        unpack_archive(packed_after(heads, tmp_path / "a"), "images", tmp_path / "out")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize("kind", [b"x", b"0", b"5"], ids=["extensions", "files", "folders"])
def test_an_archive_of_very_many_members_is_refused(kind, tmp_path: Path):
    member = tarfile.TarInfo("m")
    member.type = kind
    heads = member.tobuf(tarfile.USTAR_FORMAT) * 10_001

    with pytest.raises(FormatError, match="more than 10000 members"):
        unpack_archive(packed_after(heads, tmp_path / "a"), "images", tmp_path / "out")


@pytest.mark.parametrize("records", [b"5 a=", b"x", b"9999 path=a\n", b"6 a b\n", b"0 a=b\n", b"4 =\n"])
def test_a_malformed_extension_header_is_refused(records, tmp_path: Path):
    with pytest.raises(FormatError, match="extension header cannot be read"):
        unpack_archive(packed_after(extension(records), tmp_path / "a"), "images", tmp_path / "out")


def test_name_and_size_of_an_extension_header_count(tmp_path: Path):
    payload = h.payload()
    member = tarfile.TarInfo("elsewhere")
    size = b"%d" % len(payload)
    head = extension(b"20 path=version.bin\n" + b"%d size=%s\n" % (len(size) + 9, size))
    data = head + member.tobuf(tarfile.USTAR_FORMAT) + payload + bytes(-len(payload) % 512) + bytes(1024)
    (tmp_path / "a").write_bytes(zstandard.compress(data))

    assert unpack_archive(tmp_path / "a", "images", tmp_path / "out").archive_format == "v1.0.0"
