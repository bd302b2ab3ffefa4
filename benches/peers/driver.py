"""One question put to one peer, in a process of its own: opens the tables, asks, fetches the answer as Arrow, and says on
standard output, as JSON, what that took. Imports and the making of a connection are not timed; opening the tables is, because
cxlake's call opens them too.

Call: driver.py ENGINE LAYOUT QUESTION THREADS MEMORY ANSWER; MEMORY in bytes or `-`, ANSWER a file to write or `-`.
"""

import json
import re
import resource
import sys
import time
from pathlib import Path

from tables import MONTHS, TABLES


class Question:
    """A question, and the files of the tables that it names."""

    def __init__(self, engine: str, layout: Path, path: Path):
        own = path.with_suffix(f".{engine}.sql")
        self.name = path.stem
        self.sql = (own if own.exists() else path).read_text()
        words = set(re.findall(r"\b(?:from|join)\s+(\w+)", path.read_text()))
        self.files = {table: self.glob(layout, table) for table in TABLES if table in words}

    @staticmethod
    def glob(layout: Path, table: str) -> str:
        folders = f"{MONTHS[table]}=*/" if layout.name == "hive" and table in MONTHS else ""
        return f"{layout}/{table}/{folders}*.parquet"


def duckdb(threads, memory):
    import duckdb

    connection = duckdb.connect(config={"threads": threads} | ({"memory_limit": f"{memory}B"} if memory else {}))
    connection.execute("set timezone = 'UTC'")

    def ask(question):
        for table, files in question.files.items():
            connection.execute(f"create view {table} as from read_parquet('{files}')")
        return connection.sql(question.sql).to_arrow_table()

    return ask


def polars(threads, memory):
    import frames
    import polars

    assert polars.thread_pool_size() == threads, "POLARS_MAX_THREADS is set by the caller"

    def ask(question):
        def table(name):
            files = question.files[name]
            return polars.scan_parquet(files, hive_partitioning="=*" in files)

        return getattr(frames, question.name)(table).collect(engine="streaming").to_arrow()

    return ask


def chdb(threads, memory):
    from chdb import session

    connection = session.Session()
    settings = {
        "max_threads": threads,
        "session_timezone": "'UTC'",
        "join_use_nulls": 1,
        "cast_keep_nullable": 1,
        "prefer_column_name_to_alias": 1,
        "output_format_arrow_string_as_string": 1,
    } | ({"max_memory_usage": memory} if memory else {})
    for name, value in settings.items():
        connection.query(f"set {name} = {value}")

    def ask(question):
        for table, files in question.files.items():
            connection.query(f"create view {table} as select * from file('{files}', Parquet)")
        return connection.query(question.sql, "ArrowTable")

    return ask


def datafusion(threads, memory):
    import datafusion
    import pyarrow

    runtime = datafusion.RuntimeEnvBuilder()
    if memory:
        runtime = runtime.with_fair_spill_pool(memory)
    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(threads), runtime)

    def ask(question):
        for table, files in question.files.items():
            month = MONTHS.get(table)
            folders = [(month, pyarrow.date32())] if f"{month}=*" in files else []
            context.register_parquet(table, files.split("*")[0].rsplit("/", 1)[0] + "/", table_partition_cols=folders)
        batches = context.sql(question.sql)
        return pyarrow.Table.from_batches(batches.collect(), batches.schema())

    return ask


def read_bytes() -> int:
    """What the process has read so far by system calls."""
    return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text()).group(1))


def main(engine, layout, question, threads, memory, answer):
    ask = globals()[engine](int(threads), None if memory == "-" else int(memory))
    asked = Question(engine, Path(layout), Path(question))
    rss, read = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, read_bytes()
    started, cpu_started = time.perf_counter(), time.process_time()
    table = ask(asked)
    seconds, cpu_seconds, read = time.perf_counter() - started, time.process_time() - cpu_started, read_bytes() - read
    print(json.dumps({"query_ms": seconds * 1000, "cpu_ms": cpu_seconds * 1000, "read": read, "rss_before": rss * 1024}))
    if answer != "-":
        import pyarrow

        from pyarrow import parquet

        # Views of texts become texts: a batch of views would be written with everything that it was cut from.
        views = (pyarrow.types.is_string_view, pyarrow.types.is_large_string, pyarrow.types.is_binary)
        fields = [field.with_type(pyarrow.string()) if any(is_(field.type) for is_ in views) else field for field in table.schema]
        parquet.write_table(table.cast(pyarrow.schema(fields)), answer)


main(*sys.argv[1:])
