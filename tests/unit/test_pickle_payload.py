"""The pickled payload: written without pickling, read without unpickling."""

import io
import json
import pickle
import pickletools
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.archive import ArchiveLimits
from airflow_sv_versioning.archive.payloads.images_v1_0 import names, read_payload, write_payload
from airflow_sv_versioning.archive.payloads.images_v1_0.encoder import PickleEncoder
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.tables import Snapshot
from tests.support import hostile as h
from tests.support.archives import META, content, figure, image, rows, tag, write_snapshot


class Recorded:
    """Stands for a class of the SDK in the language's own unpickler."""

    def __init__(self, *values: Any) -> None:
        self.values = values


class Recorder(pickle.Unpickler):
    """Loads with stand-ins that remember which class they are."""

    def find_class(self, module: str, name: str) -> Any:
        return type(name, (Recorded,), {"__module__": module, "__new__": _new})


def _new(cls: Any, *values: Any) -> Any:
    made = object.__new__(cls)
    made.values = values
    return made


def written(snapshot: Snapshot) -> bytes:
    buffer = io.BytesIO()
    write_payload(snapshot, buffer, io.BytesIO())
    return buffer.getvalue()


def read(data: bytes, folder: Path, **limits: int) -> Snapshot:
    path = folder / "payload"
    path.write_bytes(data)
    (folder / "out").mkdir(exist_ok=True)
    with path.open("rb") as file:
        return read_payload(file, folder / "out", ArchiveLimits(**limits))


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return write_snapshot(tmp_path / "snapshot")


def test_the_languages_own_unpickler_finds_what_genuine_payloads_hold(snapshot: Snapshot) -> None:
    project, meta, datasets, images, figures, alpha = Recorder(io.BytesIO(written(snapshot))).load()

    assert [len(project.values), len(datasets[0].values), len(images[0].values)] == [25, 15, 27]
    assert list(figures) == [31, 32, 33]
    assert [len(found) for found in figures.values()] == [3, 1, 1]
    assert len(figures[31][0].values) == 17
    assert alpha == {42: {"origin": [1, 2], "data": "eJxQTkc="}}
    classes = meta._obj_classes._collection
    assert list(classes) == [entry["title"] for entry in META["classes"]]
    assert classes["pose"]._geometry_type.__name__ == "GraphNodes"
    assert classes["pose"]._geometry_config["nodes"]["голова"]["color"] == [10, 20, 30]
    assert vars(meta._project_settings) == {
        "values": (),
        "multiview_enabled": True,
        "multiview_tag_name": "group",
        "multiview_tag_id": 64,
        "multiview_is_synced": True,
        "labeling_interface": "multi_view",
        "spectrogram": None,
    }


def test_only_opcodes_and_names_of_genuine_payloads_are_written(snapshot: Snapshot) -> None:
    data = written(snapshot)
    opcodes = [opcode.name for opcode, _, _ in pickletools.genops(data)]

    assert not set(opcodes) & {"REDUCE", "TUPLE1", "TUPLE2", "TUPLE3", "GLOBAL", "BINPUT"}
    assert opcodes.count("STACK_GLOBAL") <= len(names.ALL)
    assert data[:2] == b"\x80\x04"
    assert opcodes.count("FRAME") >= 1


def test_what_is_written_is_read(snapshot: Snapshot, tmp_path: Path) -> None:
    assert content(read(written(snapshot), tmp_path)) == content(snapshot)


def test_what_is_read_and_written_again_is_the_same_to_the_byte(snapshot: Snapshot, tmp_path: Path) -> None:
    data = written(snapshot)

    assert written(read(data, tmp_path)) == data


VALUES: list[Any] = [
    *(0, 1, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**63, 2**64, 10**60),
    *(-1, -255, -(2**31), -(2**31) - 1, -(2**63), -(10**60)),
    *(0.0, -0.5, 1e308, 5e-324, float("inf")),
    *(None, True, False),
    *("", "a", "ё" * 200, "x" * 255, "x" * 256, "x" * 70_000, "\x00\n", "🙂"),
    *([], {}, [[]], [{}], {"": ""}, list(range(2_500)), {str(number): number for number in range(2_500)}),
    {"a": {"a": {"a": [1, {"a": None}]}}},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_values_survive_the_encoder_and_the_interpreter(value, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    encoder = PickleEncoder(buffer)
    encoder.value(value)
    encoder.stop()
    assert pickle.loads(buffer.getvalue()) == value
    assert type(pickle.loads(buffer.getvalue())) is type(value)

    made = write_snapshot(tmp_path / "made", {}, custom_data={"value": value})
    assert read(written(made), tmp_path).project_info["custom_data"] == {"value": value}


def test_long_lists_are_closed_in_batches_that_readers_expect() -> None:
    buffer = io.BytesIO()
    encoder = PickleEncoder(buffer)
    encoder.value(list(range(2_500)))
    encoder.stop()

    assert [opcode.name for opcode, _, _ in pickletools.genops(buffer.getvalue())].count("APPENDS") == 3


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb"])
def test_half_a_character_is_refused_where_tables_cannot_hold_it(value, tmp_path: Path) -> None:
    data = value.encode("utf-8", "surrogatepass")
    name = b"X" + len(data).to_bytes(4, "little") + data
    payload = h.payload(images=h.list_of(h.image(31).replace(h.text("31.png"), name)))

    with pytest.raises(FormatError, match="surrogates"):
        read(payload, tmp_path)


def nested(depth: int) -> str:
    return '{"a":' + "[" * depth + "]" * depth + "}"


def test_nesting_as_people_make_it_comes_back(tmp_path: Path) -> None:
    made = write_snapshot(tmp_path / "made", {"images": [image(31, 22, "a", meta=nested(300))]})

    assert read(written(made), tmp_path).read("images")["meta"].to_pylist() == [nested(300)]


def test_nesting_that_nobody_makes_is_an_error_of_ours(tmp_path: Path) -> None:
    made = write_snapshot(tmp_path / "made", {"images": [image(31, 22, "a", meta=nested(100_000))]})

    with pytest.raises(FormatError, match="nested too deeply"):
        written(made)


@pytest.mark.parametrize("count", [0, 1, 2, 999, 1_000, 1_001, 2_500])
def test_any_number_of_images_and_figures_is_written_and_read(count, tmp_path: Path) -> None:
    tables = {
        "images": [image(number, 22, f"{number}.png") for number in range(count)],
        "figures": [figure(9_000 + number, number, 51, None) for number in range(count)],
    }
    made = write_snapshot(tmp_path / "made", tables)

    again = read(written(made), tmp_path)

    assert again.read("images").equals(made.read("images"))
    assert again.read("figures").equals(made.read("figures"))


def test_figures_and_tags_come_back_in_their_order_whatever_the_order_of_tables(tmp_path: Path) -> None:
    figures = [figure(900 - number, 30 + number % 3, 51, None) for number in range(90)]
    tags = [tag(500 - number, "figure", 900 - number % 10, 30, 61, number) for number in range(60)]
    made = write_snapshot(
        tmp_path / "made",
        {
            "images": [image(number, 22, str(number)) for number in (32, 30, 31)],
            "figures": figures,
            "tags": tags,
        },
    )

    again = read(written(made), tmp_path)

    for image_id in (30, 31, 32):
        kept = [row["src_figure_id"] for row in figures if row["src_image_id"] == image_id]
        found = again.read("figures").to_pylist()
        assert [row["src_figure_id"] for row in found if row["src_image_id"] == image_id] == kept
    of_first = [row["tag_assignment_id"] for row in again.read("tags").to_pylist() if row["owner_id"] == 900]
    assert of_first == [500, 490, 480, 470, 460, 450]


@pytest.mark.parametrize(
    ("table", "orphan", "message"),
    [
        ("figures", figure(99, 98, 51, None), "1 of 6 figures belong to nothing"),
        ("tags", tag(99, "item", 98, 98, 61, 1), "1 of 8 tags belong to nothing"),
        ("tags", tag(99, "figure", 98, 31, 61, 1), "1 of 8 tags belong to nothing"),
    ],
)
def test_what_belongs_to_nothing_is_not_dropped_silently(table, orphan, message, tmp_path: Path) -> None:
    tables = rows()
    tables[table] = [*tables[table], orphan]
    made = write_snapshot(tmp_path / "made", tables)

    with pytest.raises(FormatError, match=message):
        written(made)


@pytest.mark.parametrize("color", ["red", "#FFF", "#12345", "#GGGGGG", None, [1, 2, 3], "#1234567"])
@pytest.mark.parametrize("kind", ["classes", "tags"])
def test_a_color_that_the_format_cannot_hold_is_named(kind, color, tmp_path: Path) -> None:
    meta = deepcopy(META)
    meta[kind][0]["color"] = color
    made = write_snapshot(tmp_path / "made", {}, meta)

    with pytest.raises(
        FormatError, match=r"color of (class|tag) '.*' is .* or write the version as v2\.1\.0"
    ):
        written(made)


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("classes", {"shape": "shape of tomorrow"}),
        ("classes", {"hotkey": "x", "description": "д"}),
        ("tags", {"default": False, "default_value": None}),
        ("tags", {"frame_range_min_length": 2, "frame_range_max_length": 5, "target_type": "framesOnly"}),
    ],
)
def test_every_property_of_classes_and_tags_comes_back(kind, entry, tmp_path: Path) -> None:
    meta = deepcopy(META)
    meta[kind][0].update(entry)
    made = write_snapshot(tmp_path / "made", {}, meta)

    assert read(written(made), tmp_path).project_meta == meta


def test_every_shape_comes_back(tmp_path: Path) -> None:
    classes = [
        {
            "title": f"a {shape}",
            "description": "",
            "shape": shape,
            "color": "#010203",
            "geometry_config": {"nodes": {}, "edges": []} if shape == "graph" else {},
            "id": number,
            "hotkey": "",
        }
        for number, shape in enumerate(sorted(names.BY_SHAPE))
    ]
    made = write_snapshot(tmp_path / "made", {}, {**META, "classes": classes})

    assert len(classes) == 20
    assert read(written(made), tmp_path).project_meta["classes"] == classes


def test_a_meta_without_ids_settings_and_type_is_read(tmp_path: Path) -> None:
    geometry = h.named("supervisely.geometry.polyline", "Polyline")
    color = h.list_of(h.number(1), h.number(2), h.number(255))
    old_class = h.instance(
        "annotation.obj_class",
        "ObjClass",
        h.dict_of(_name=h.text("c"), _geometry_type=geometry, _color=color, _geometry_config=h.EMPTY_DICT),
    )

    snapshot = read(h.payload(project_meta=h.meta(h.dict_of(c=old_class))), tmp_path)

    assert snapshot.project_meta == {
        "classes": [
            {"title": "c", "description": "", "shape": "line", "color": "#0102FF", "geometry_config": {}}
        ],
        "tags": [],
        "projectType": "images",
    }


def an_entry(module: str, name: str, **state: bytes) -> bytes:
    return h.instance(f"annotation.{module}", name, h.dict_of(**state))


POINT = h.named("supervisely.geometry.point", "Point")
BLACK = h.list_of(*[h.number(0)] * 3)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (h.NONE, "ObjClassCollection holds no collection"),
        (h.list_of(), "ObjClassCollection holds no collection"),
        (h.dict_of(c=h.NONE), "something else where its ObjClass belongs"),
        (h.dict_of(c=an_entry("obj_class", "ObjClass", _geometry_type=POINT)), "has no name"),
        (h.dict_of(c=an_entry("obj_class", "ObjClass", _name=h.number(5))), "has no name"),
        (h.dict_of(c=an_entry("obj_class", "ObjClass", _name=h.text("c"))), "Class 'c' .* has no shape"),
        (
            h.dict_of(
                c=an_entry(
                    "obj_class",
                    "ObjClass",
                    _name=h.text("c"),
                    _geometry_type=POINT,
                    _color=BLACK,
                    _geometry_config=h.list_of(h.NONE),
                )
            ),
            "Class 'c' .* damaged geometry_config",
        ),
    ],
)
def test_damaged_classes_are_refused(classes: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        read(h.payload(project_meta=h.meta(classes)), tmp_path)


def an_image(size: bytes = h.NONE, tags: bytes = h.EMPTY_LIST) -> bytes:
    values = [h.number(31), h.text("a.png"), *[h.NONE] * 4, size, *[h.NONE] * 3, h.number(5)]
    return h.record("image_api", "ImageInfo", *values, h.NONE, h.NONE, h.EMPTY_DICT, h.NONE, h.NONE, tags)


@pytest.mark.parametrize(
    ("size", "found"),
    [("123", 123), ("", None), ("-1", None), ("१", None), ("9" * 19, None), ("9" * 18, 10**18 - 1)],
)
def test_sizes_that_servers_send_as_text_are_read(size: str, found: int | None, tmp_path: Path) -> None:
    (row,) = read(h.payload(images=h.list_of(an_image(h.text(size)))), tmp_path).read("images").to_pylist()

    assert row["size"] == found


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (h.payload(images=h.list_of(an_image(tags=h.text("none")))), "damaged tags on item 31"),
        (h.payload(images=h.list_of(an_image(tags=h.list_of(h.NONE)))), "damaged tags on item 31"),
        (h.payload(h.project(), h.list_of(h.figure(41, 31))), "figures before the project's meta"),
        (
            h.payload(figures=h.EMPTY_DICT + h.number(31) + h.figure(41, 31) + h.SETITEM),
            "something else for a list of figures",
        ),
        (h.PROTO + h.NONE + h.payload()[len(h.PROTO) :], "leaves values behind"),
        (h.payload()[: -len(h.STOP)], "ends before it is complete"),
    ],
    ids=["tags: a text", "tags: none", "figures first", "figure without a list", "two values", "no end"],
)
def test_what_is_out_of_its_place_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        read(data, tmp_path)


@pytest.mark.parametrize(
    ("modern", "other"),
    [
        (
            h.named("supervisely.api.project_api", "ProjectInfo"),
            b"csupervisely.api.project_api\nProjectInfo\n",
        ),
        (h.text("p"), b"\x8d" + (1).to_bytes(8, "little") + b"p"),
    ],
    ids=["a name of older protocols", "a text with a long size"],
)
def test_opcodes_that_our_writer_does_not_need_are_read(modern: bytes, other: bytes, tmp_path: Path) -> None:
    data = h.payload()
    assert modern in data

    assert read(data.replace(modern, other), tmp_path).project_info["name"] == "p"


def test_more_keys_than_are_remembered_are_written_in_full() -> None:
    buffer = io.BytesIO()
    value = [{str(number): number for number in range(50_100)}] * 2
    encoder = PickleEncoder(buffer)
    encoder.value(value)
    encoder.stop()

    assert pickle.loads(buffer.getvalue()) == value


def test_more_shared_values_than_the_limit_are_refused(tmp_path: Path) -> None:
    twice = h.text("a") + h.MEMOIZE + h.get(0) + h.text("b") + h.MEMOIZE + h.get(1)
    data = h.payload(h.project(h.dict_of(a=h.EMPTY_LIST + h.MARK + twice + h.APPENDS)))
    assert read(data, tmp_path)

    with pytest.raises(FormatError, match="too many values more than once"):
        read(data, tmp_path, max_shared_values=1)


def test_parts_of_a_graph_without_a_color_come_back(tmp_path: Path) -> None:
    nodes = {"head": {"label": "head", "loc": [1, 2]}, "tail": {"label": "tail", "color": "#0000FF"}}
    pose = next(entry for entry in META["classes"] if entry["shape"] == "graph")
    meta = {**META, "classes": [{**pose, "geometry_config": {"nodes": nodes, "edges": []}}], "tags": []}

    found = read(written(write_snapshot(tmp_path / "made", {}, meta)), tmp_path).project_meta

    assert found["classes"][0]["geometry_config"] == {"nodes": nodes, "edges": []}


def test_long_texts_that_pile_up_are_refused(tmp_path: Path) -> None:
    data = h.payload(h.project(h.dict_of(a=h.list_of(*[h.text("x" * 1000)] * 10))))
    assert read(data, tmp_path)

    with pytest.raises(FormatError, match="piles up"):
        read(data, tmp_path, max_open_text=5000)


def test_a_number_that_no_pickle_of_versions_holds_is_an_error_of_ours() -> None:
    with pytest.raises(FormatError, match="too large to be written"):
        PickleEncoder(io.BytesIO()).value(10**1000)


@pytest.mark.parametrize(
    "color",
    [
        h.NONE,
        h.list_of(h.number(1)),
        h.list_of(*[h.number(256)] * 3),
        h.list_of(*[h.text("a")] * 3),
        h.text("red"),
        h.list_of(*[h.NONE] * 3),
    ],
)
def test_a_damaged_color_is_refused(color, tmp_path: Path) -> None:
    state = h.dict_of(
        _name=h.text("c"), _geometry_type=h.named("supervisely.geometry.point", "Point"), _color=color
    )
    meta = h.meta(h.dict_of(c=h.instance("annotation.obj_class", "ObjClass", state)))

    with pytest.raises(FormatError, match="color of class 'c'"):
        read(h.payload(project_meta=meta), tmp_path)


def test_datasets_that_are_each_others_parents_do_not_hang_the_reader(tmp_path: Path):
    def dataset(dataset_id: int, parent_id: int) -> bytes:
        values = [h.number(dataset_id), h.text(f"d{dataset_id}"), *[h.NONE] * 10, h.number(parent_id)]
        return h.record("dataset_api", "DatasetInfo", *values)

    with pytest.raises(FormatError, match="each other's parents"):
        read(h.payload(datasets=h.list_of(dataset(1, 2), dataset(2, 1), dataset(3, 9))), tmp_path)

    snapshot = read(h.payload(datasets=h.list_of(dataset(1, 2), dataset(2, 9))), tmp_path)
    assert snapshot.read("datasets")["full_path"].to_pylist() == ["d2/d1", "d2"]


def test_longer_records_of_tomorrow_are_read(tmp_path: Path) -> None:
    values = [h.number(1), h.text("n.png"), *[h.NONE] * 8, h.number(5), *[h.NONE] * 15, h.number(7)]
    tomorrow = h.record("image_api", "ImageInfo", *values, h.text("novel"), h.dict_of(a=h.NONE))

    (found,) = read(h.payload(images=h.list_of(tomorrow)), tmp_path).read("images").to_pylist()

    assert (found["name"], found["parent_src_image_id"]) == ("n.png", 7)


@pytest.mark.parametrize("limit", ["max_opcodes", "max_depth", "max_open_bytes"])
def test_limits_are_kept(limit, snapshot: Snapshot, tmp_path: Path) -> None:
    data = written(snapshot)
    assert read(data, tmp_path)

    many = h.payload(h.project(h.dict_of(a=h.list_of(*[h.list_of(h.NONE)] * 70_000))))
    with pytest.raises(FormatError):
        read(many, tmp_path, **{limit: 2})


def test_a_pickle_cut_anywhere_is_refused(snapshot: Snapshot, tmp_path: Path) -> None:
    data = written(snapshot)
    for length in range(1, len(data), 3):
        with pytest.raises(FormatError):
            read(data[:length], tmp_path)


def test_memory_does_not_grow_with_the_project(tmp_path: Path) -> None:
    """Everything that was handed on is forgotten."""
    import tracemalloc

    geometry = h.list_of(*[h.list_of(h.number(1), h.number(2))] * 20)
    peaks = []
    for count in (15, 60):
        figures = (
            h.number(image_id) + h.list_of(*[h.figure(1, image_id, geometry)] * 100) + h.SETITEM
            for image_id in range(count)
        )
        data = h.payload(figures=h.EMPTY_DICT + b"".join(figures))
        tracemalloc.start()
        read(data, tmp_path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


def test_json_stays_as_it_was(tmp_path: Path) -> None:
    geometry = {"points": {"exterior": [[1, 1.0], [0.1, 1e-7]], "interior": []}, "ключ": [True, None, "ё"]}
    made = write_snapshot(
        tmp_path / "made", {"images": [image(31, 22, "a")], "figures": [figure(41, 31, 51, geometry)]}
    )

    (text,) = read(written(made), tmp_path).read("figures")["geometry_json"].to_pylist()

    assert text == json.dumps(geometry, ensure_ascii=False, separators=(",", ":"))
