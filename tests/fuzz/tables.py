"""Changes of Parquet tables: values, columns, rows, types, and how they are written."""

import io
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.values import INTEGERS, TEXTS, mutated_bytes, mutated_json_text

_TYPES = (
    pa.int64(),
    pa.int8(),
    pa.uint64(),
    pa.float64(),
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.bool_(),
)
_CODECS = ("zstd", "snappy", "gzip", "none")
_WRITER_ERRORS = (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, UnicodeError)


def mutated_table(random: Random, data: bytes) -> bytes:
    """Change a Parquet file; what cannot be written comes as damaged bytes."""
    if random.random() < 0.2:
        return mutated_bytes(random, data)
    try:
        table = pq.read_table(io.BytesIO(data))
        for _ in range(random.choice((1, 1, 2, 3))):
            table = random.choice(_CHANGES)(random, table)
        return _written(random, table)
    except _WRITER_ERRORS:
        return mutated_bytes(random, data)


def _written(random: Random, table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    options: dict[str, Any] = {"compression": random.choice(_CODECS), "use_dictionary": random.random() < 0.7}
    if random.random() < 0.2:
        options |= {
            "row_group_size": random.choice((1, 2, 100)),
            "data_page_version": random.choice(("1.0", "2.0")),
        }
    if random.random() < 0.1:
        options |= {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"}
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def _value(random: Random, table: pa.Table) -> pa.Table:
    if not table.num_rows:
        return table
    number = random.randrange(table.num_columns)
    values = table.column(number).to_pylist()
    row = random.randrange(len(values))
    values[row] = _other(random, values, values[row], table.schema.field(number).type)
    field = table.schema.field(number)
    return table.set_column(number, field, pa.array(values, field.type))


def _other(random: Random, values: list[Any], old: Any, data_type: Any) -> Any:
    if random.random() < 0.2:
        return None
    if random.random() < 0.3:
        return random.choice(values)
    if pa.types.is_string(data_type) or pa.types.is_large_string(data_type):
        if isinstance(old, str) and old[:1] in ("{", "[") and random.random() < 0.7:
            return mutated_json_text(random, old).decode("utf-8", "replace")
        return random.choice(TEXTS)
    return random.choice(INTEGERS)


def _drop_column(random: Random, table: pa.Table) -> pa.Table:
    return table.remove_column(random.randrange(table.num_columns))


def _retype(random: Random, table: pa.Table) -> pa.Table:
    number = random.randrange(table.num_columns)
    column = table.column(number)
    changed = column.dictionary_encode() if random.random() < 0.3 else column.cast(random.choice(_TYPES))
    return table.set_column(number, table.schema.field(number).name, changed)


def _nested(random: Random, table: pa.Table) -> pa.Table:
    number = random.randrange(table.num_columns)
    values = [[value] for value in table.column(number).to_pylist()]
    return table.set_column(number, table.schema.field(number).name, pa.array(values))


def _rename(random: Random, table: pa.Table) -> pa.Table:
    names = list(table.schema.names)
    names[random.randrange(len(names))] = random.choice(names)
    return table.rename_columns(names)


def _rows(random: Random, table: pa.Table) -> pa.Table:
    if not table.num_rows:
        return table
    what = random.randrange(4)
    if what == 0:
        return pa.concat_tables([table] * random.choice((2, 3, 200)))
    if what == 1:
        return table.slice(0, random.randrange(table.num_rows))
    order = list(range(table.num_rows))
    random.shuffle(order)
    return table.take(order if what == 2 else order[:1] * random.choice((2, 5000)))


def _null_column(random: Random, table: pa.Table) -> pa.Table:
    field = table.schema.field(random.randrange(table.num_columns))
    return table.set_column(
        table.schema.get_field_index(field.name), field, pa.nulls(table.num_rows, field.type)
    )


_CHANGES = (
    _value,
    _value,
    _value,
    _value,
    _value,
    _drop_column,
    _retype,
    _nested,
    _rename,
    _rows,
    _null_column,
)
