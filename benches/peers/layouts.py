"""The data of the race: a generated lake, rewritten in three layouts that cxlake and its peers all read.

unsorted  plain files, rows in no order, the month a column
sorted    plain files, each table in the order that its readers look it up, the month a column
hive      a folder for each month, as `cxlake generate` writes it

A layout is a folder with a folder for each table and a cxlake.toml that says what is in them.

Call: layouts.py LAKE LAYOUT
"""

import os
import shutil
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tables import MONTHS, ORDERS, SMALL, TABLES

ROWS_OF_FILE = 8 << 19
ROWS_OF_GROUP = 1 << 19

# Finance posts each row of the generated table in three parts, each on an account of the office and a day later than the last:
# twenty million rows at scale 760. The parts add up to the row; what was not reported stays null in all three.
POSTINGS = """
    with customers as (
        select account_id, office_id, row_number() over (partition by office_id order by account_id) - 1 as place from accounts
    ), sizes as (
        select office_id, count(*) as places from accounts group by office_id
    ), numbered as (
        select *, row_number() over (partition by office_id order by period, function, category, posted_at, touches, cost) as number
        from generated
    ), parts as materialized (
        select numbered.*, part, (number * 3 + part) % places as place
        from numbered join sizes on sizes.office_id = numbered.office_id cross join (select unnest([0, 1, 2]) as part) as three
    )
    select customers.account_id, parts.office_id, function, category,
        case when part = 2 then touches - 2 * (touches // 3) else touches // 3 end as touches,
        cast(case when part = 2 then cost - 2 * cast(cost / 3 as decimal(18, 2)) else cast(cost / 3 as decimal(18, 2)) end
            as decimal(18, 2)) as cost,
        currency, is_estimate, posted_at + to_days(cast(part as integer)) as posted_at, period
    from parts join customers on customers.office_id = parts.office_id and customers.place = parts.place
"""


def make(generated: Path, layout: Path) -> None:
    """Writes `layout` (its last name is one of tables.LAYOUTS) from the lake in `generated`, unless it is there already."""
    source = generated / "sample-data"
    for table in TABLES:
        if (layout / table).exists():
            continue
        print(f"writing {layout.name}/{table}", file=sys.stderr, flush=True)
        partial = layout / "partial"
        shutil.rmtree(partial, ignore_errors=True)
        if table in SMALL or (layout.name == "hive" and table != "cost_per_touch"):
            # The same file under two names: nobody writes into it, and a large lake has no room for a copy.
            shutil.copytree(source / table, partial, copy_function=os.link)
        else:
            rewrite(source, table, layout.name, partial)
        partial.rename(layout / table)
    (layout / "cxlake.toml").write_text(manifest(source, layout.name))


def rewrite(source: Path, table: str, layout: str, folder: Path) -> None:
    """Writes one table to a folder, in files of a few million rows, or one for each month in the layout `hive`."""
    schema = schema_of(source, table)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; set threads = 2")
        connection.execute(f"set temp_directory = '{folder}.spill'")
        connection.execute(f"create view accounts as from read_parquet('{source}/accounts/*.parquet')")
        connection.execute(
            f"create view generated as from read_parquet('{source}/{table}/**/*.parquet', hive_partitioning = true)"
        )
        rows = f"({POSTINGS})" if table == "cost_per_touch" else "generated"
        names = ", ".join(schema.names)
        if layout != "hive":
            order = ORDERS[table] if layout == "sorted" else f"hash({names})"
            batches = connection.sql(f"select {names} from {rows} order by {order}").to_arrow_reader(ROWS_OF_GROUP)
            write(batches, schema, lambda number: folder / f"part-{number:04}.parquet")
            return
        connection.execute(f"create table all_rows as select * from {rows}")
        month = MONTHS[table]
        schema = schema.remove(schema.get_field_index(month))
        for (day,) in connection.execute(f"select distinct {month} from all_rows order by 1").fetchall():
            names = ", ".join(schema.names)
            batches = connection.sql(
                f"select {names} from all_rows where {month} = date '{day}' order by {ORDERS[table]}"
            ).to_arrow_reader(ROWS_OF_GROUP)
            write(batches, schema, lambda number: folder / f"{month}={day}" / f"part-{number:04}.parquet")


def write(batches: pa.RecordBatchReader, schema: pa.Schema, path_of) -> None:
    """Writes batches to files of ROWS_OF_FILE rows with row groups of ROWS_OF_GROUP."""
    writer, rows, number, held, held_rows = None, 0, 0, [], 0

    def flush():
        nonlocal writer, rows, number, held, held_rows
        if not held:
            return
        if writer is None:
            path = path_of(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = pq.ParquetWriter(path, schema, compression="zstd", write_page_index=True)
        group = pa.Table.from_batches(held).select(schema.names).cast(schema)
        writer.write_table(group, row_group_size=ROWS_OF_GROUP)
        rows, held, held_rows = rows + held_rows, [], 0
        if rows >= ROWS_OF_FILE:
            writer.close()
            writer, rows, number = None, 0, number + 1

    for batch in batches:
        while batch.num_rows:
            part = batch.slice(0, ROWS_OF_GROUP - held_rows)
            batch = batch.slice(part.num_rows)
            held.append(part)
            held_rows += part.num_rows
            if held_rows == ROWS_OF_GROUP:
                flush()
    flush()
    if writer is not None:
        writer.close()


def schema_of(source: Path, table: str) -> pa.Schema:
    """The columns of a table of the race, the month last."""
    schema = pq.read_schema(next((source / table).rglob("*.parquet"))).remove_metadata()
    if table == "cost_per_touch":
        schema = schema.insert(0, pa.field("account_id", pa.string(), nullable=False))
    if table in MONTHS:
        schema = schema.append(pa.field(MONTHS[table], pa.date32(), nullable=False))
    return schema


def manifest(source: Path, layout: str) -> str:
    """The cxlake.toml of a layout."""
    lines = ["[lake]", f'name = "race-{layout}"', 'time_zone = "UTC"']
    for table in TABLES:
        schema, month = schema_of(source, table), MONTHS.get(table) if layout == "hive" else None
        lines += ["", f"[table.{table}]", f'path = "{table}/"']
        if month:
            lines.append(f'partition = {{ {month} = "date" }}')
        lines.append(f"[table.{table}.columns]")
        for field in schema:
            if field.name != month:
                lines.append(f'{field.name} = "{type_of(field.type)}{"?" if field.nullable else ""}"')
    return "\n".join(lines) + "\n"


def type_of(type_: pa.DataType) -> str:
    """The manifest's word for a type."""
    if pa.types.is_integer(type_):
        return "int"
    if pa.types.is_floating(type_):
        return "float"
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_boolean(type_):
        return "bool"
    if pa.types.is_date(type_):
        return "date"
    if pa.types.is_timestamp(type_):
        return "timestamp"
    return "text"


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
