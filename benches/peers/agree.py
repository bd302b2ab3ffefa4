"""Whether two answers to a question are the same.

Columns are compared by their place and, without regard to case, by name. Numbers of all types are compared as doubles: equal when
they differ by at most 1e-9 of the greater, or by 1e-9 where both are below 1. Texts, dates, instants (in microseconds UTC),
booleans and nulls must be equal. Rows are sorted first, so that order alone is never a difference.

Call: agree.py QUESTION.ENGINE.parquet ...; says on standard output how the answers differ from the first.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TOLERANCE = 1e-9


def difference(ours: pa.Table, theirs: pa.Table) -> str | None:
    """The first difference in words, or None where the answers agree."""
    names, other_names = ([name.lower() for name in table.schema.names] for table in (ours, theirs))
    if names != other_names:
        return f"columns {other_names}, not {names}"
    if ours.num_rows != theirs.num_rows:
        return f"{theirs.num_rows} rows, not {ours.num_rows}"
    kinds = [column_kind(field.type) for field in ours.schema]
    other_kinds = [column_kind(field.type) for field in theirs.schema]
    if kinds != other_kinds:
        return f"columns of {other_kinds}, not {kinds}"
    rows, other_rows = sorted_rows(ours, names, kinds), sorted_rows(theirs, names, kinds)
    for name, kind in zip(names, kinds, strict=True):
        differ = ~same(rows[name], other_rows[name], kind)
        if differ.any():
            place = int(differ.argmax())
            value, other = rows[name][place].as_py(), other_rows[name][place].as_py()
            where = f"in {differ.sum()} of {len(differ)} rows, first in {rows.slice(place, 1).to_pylist()}"
            return f"{name} is {other!r}, not {value!r}, {where}"
    return None


def same(column: pa.ChunkedArray, other: pa.ChunkedArray, kind: str) -> np.ndarray:
    """For each row whether the values are the same; nulls are the same as nulls."""
    null, other_null = column.is_null().to_numpy(), other.is_null().to_numpy()
    if kind == "number":
        value, other_value = (pc.fill_null(numbers, 0.0).to_numpy() for numbers in (column, other))
        greater = np.maximum(np.abs(value), np.abs(other_value))
        equal = (np.abs(value - other_value) <= TOLERANCE * np.maximum(greater, 1.0)) | (np.isnan(value) & np.isnan(other_value))
    else:
        equal = pc.fill_null(pc.equal(column, other), True).to_numpy()
    return (null == other_null) & (equal | null)


def column_kind(type_: pa.DataType) -> str:
    if pa.types.is_dictionary(type_):
        return column_kind(type_.value_type)
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    if pa.types.is_date(type_):
        return "date"
    if pa.types.is_timestamp(type_):
        return "instant"
    if pa.types.is_boolean(type_):
        return "boolean"
    return "text"


def sorted_rows(table: pa.Table, names: list[str], kinds: list[str]) -> pa.Table:
    """The rows in plain types, sorted by their texts and days first and then by their numbers."""
    columns = [plain(column, kind) for column, kind in zip(table.columns, kinds, strict=True)]
    order = sorted(zip(names, kinds, strict=True), key=lambda column: column[1] == "number")
    return pa.table(columns, names=names).sort_by([(name, "ascending") for name, _ in order])


def plain(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if kind == "number":
        return pc.cast(column, pa.float64(), safe=False)
    if kind == "instant":
        return pc.cast(pc.cast(column, pa.timestamp("us", "UTC"), safe=False), pa.int64())
    return pc.cast(column, pa.string()) if kind == "text" else column


def main(paths: list[Path]) -> None:
    engines = [path.name.split(".")[-2] for path in paths]
    answers = [pq.read_table(path) for path in paths]
    for engine, answer in zip(engines[1:], answers[1:], strict=True):
        if said := difference(answers[0], answer):
            print(f"{engine} disagrees with {engines[0]}: {said}")


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
