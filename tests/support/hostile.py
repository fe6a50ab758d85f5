"""Pickles assembled by hand, opcode by opcode: what no honest writer makes."""

import struct

PROTO = b"\x80\x04"
STOP = b"."
NONE = b"N"
EMPTY_LIST, APPEND, APPENDS = b"]", b"a", b"e"
EMPTY_DICT, SETITEM, SETITEMS = b"}", b"s", b"u"
EMPTY_TUPLE, MARK, TUPLE = b")", b"(", b"t"
MEMOIZE, NEWOBJ, BUILD, REDUCE, STACK_GLOBAL = b"\x94", b"\x81", b"b", b"R", b"\x93"


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def get(place: int) -> bytes:
    return b"j" + struct.pack("<I", place)


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + STACK_GLOBAL


def tuple_of(*values: bytes) -> bytes:
    return MARK + b"".join(values) + TUPLE


def list_of(*values: bytes) -> bytes:
    return EMPTY_LIST + MARK + b"".join(values) + APPENDS


def dict_of(**values: bytes) -> bytes:
    return EMPTY_DICT + MARK + b"".join(text(key) + value for key, value in values.items()) + SETITEMS


def record(module: str, name: str, *values: bytes) -> bytes:
    return named(f"supervisely.api.{module}", name) + tuple_of(*values) + NEWOBJ


def instance(module: str, name: str, state: bytes) -> bytes:
    return named(f"supervisely.{module}", name) + EMPTY_TUPLE + NEWOBJ + state + BUILD


def project(custom_data: bytes = EMPTY_DICT) -> bytes:
    values = [number(1), text("p"), *[NONE] * 11, custom_data, *[NONE] * 5]
    return record("project_api", "ProjectInfo", *values)


def collection(module: str, name: str, items: bytes = EMPTY_DICT) -> bytes:
    return instance(f"annotation.{module}", name, dict_of(_collection=items))


def meta(classes: bytes = EMPTY_DICT) -> bytes:
    return instance(
        "project.project_meta",
        "ProjectMeta",
        dict_of(
            _obj_classes=collection("obj_class_collection", "ObjClassCollection", classes),
            _tag_metas=collection("tag_meta_collection", "TagMetaCollection"),
            _project_type=text("images"),
            _project_settings=NONE,
        ),
    )


def image(image_id: int, image_meta: bytes = EMPTY_DICT) -> bytes:
    values = [number(image_id), text(f"{image_id}.png"), *[NONE] * 8, number(5), NONE, NONE, image_meta]
    return record("image_api", "ImageInfo", *values, NONE, NONE, EMPTY_LIST)


def figure(figure_id: int, image_id: int, geometry: bytes = NONE) -> bytes:
    head = [number(figure_id), number(7), NONE, NONE, number(image_id), NONE, NONE, number(5), NONE]
    return record(
        "entity_annotation.figure_api",
        "FigureInfo",
        *[*head, text("polygon"), geometry, NONE, EMPTY_LIST, EMPTY_DICT, NONE],
    )


def payload(
    project_info: bytes | None = None,
    project_meta: bytes | None = None,
    datasets: bytes = EMPTY_LIST,
    images: bytes = EMPTY_LIST,
    figures: bytes = EMPTY_DICT,
    alpha: bytes = EMPTY_DICT,
) -> bytes:
    parts = (project_info or project(), project_meta or meta(), datasets, images, figures, alpha)
    return PROTO + tuple_of(*parts) + STOP
