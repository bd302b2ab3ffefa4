"""The report of a race: medians, tables, and what run.md says of the machine."""

import csv
import datetime
import math
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = ("duckdb", "polars", "chdb", "datafusion")
ENGINES = ("cxlake", *PEERS)


@dataclass
class Run:
    """What one process took. Of cxlake all is of the whole process; of a peer `query_ms`, `cpu_ms` and `read_mb` leave the start of
    Python and the imports out, and `before_mb` is the memory that it had after them."""

    question: str
    engine: str
    round: int
    query_ms: float = math.nan
    cpu_ms: float = math.nan
    process_ms: float = math.nan
    read_mb: float = math.nan
    peak_mb: float = math.nan
    before_mb: float = 0.0
    error: str = ""


def median(runs: list[Run], field: str) -> float:
    values = [getattr(run, field) for run in runs if run.round and not run.error]
    return statistics.median(values) if values else math.nan


@dataclass
class Line:
    """The medians of one question, by engine."""

    question: str
    ms: dict[str, float]
    cpu: dict[str, float]
    read: dict[str, float]
    peak: dict[str, float]

    @property
    def best(self) -> str | None:
        """The peer that was fastest."""
        return least(self.ms)

    @property
    def ratio(self) -> float:
        return self.ms.get("cxlake", math.nan) / self.ms[self.best] if self.best else math.nan

    @property
    def cpu_ratio(self) -> float:
        """Of processor time to that of the peer that took the least; other work on the machine disturbs it less."""
        peer = least(self.cpu)
        return self.cpu.get("cxlake", math.nan) / self.cpu[peer] if peer else math.nan


def least(values: dict[str, float]) -> str | None:
    peers = [engine for engine in PEERS if not math.isnan(values.get(engine, math.nan))]
    return min(peers, key=values.get, default=None)


def line_of(question: str, runs: list[Run], engines: list[str]) -> Line:
    of = {engine: [run for run in runs if run.question == question and run.engine == engine] for engine in engines}
    fields = ("query_ms", "cpu_ms", "read_mb", "peak_mb")
    return Line(question, *({engine: median(of[engine], field) for engine in engines} for field in fields))


def geometric_mean(values: list[float]) -> float:
    values = [value for value in values if not math.isnan(value)]
    return math.exp(statistics.fmean(map(math.log, values))) if values else math.nan


def show(value: float, digits: int = 0) -> str:
    return "-" if math.isnan(value) else f"{value:,.{digits}f}"


def markdown(rows: list[list[str]], texts: set[int]) -> str:
    """A table whose columns are numbers but for those of `texts`."""
    rule = ["---" if place in texts else "---:" for place in range(len(rows[0]))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:]))


def tables(runs: list[Run], engines: list[str]) -> str:
    """The table of times, and that of bytes read and peak memory."""
    lines = [line_of(question, runs, engines) for question in dict.fromkeys(run.question for run in runs)]
    times = [["ms", *engines, "best peer", "cxlake / best", "CPU: cxlake / least"]]
    for line in lines:
        ratios = [show(line.ratio, 2), show(line.cpu_ratio, 2)]
        times.append([line.question, *(show(line.ms[engine]) for engine in engines), line.best or "-", *ratios])
    compared = sum(not math.isnan(line.ratio) for line in lines)
    means = [geometric_mean([line.ratio for line in lines]), geometric_mean([line.cpu_ratio for line in lines])]
    times.append([f"geometric mean of {compared} of {len(lines)}", *[""] * len(engines), "", *(show(mean, 2) for mean in means)])
    sizes = [["MB", *(f"{engine} {what}" for what in ("read", "peak") for engine in engines)]]
    sizes += [[line.question, *(show(values[engine]) for values in (line.read, line.peak) for engine in engines)] for line in lines]
    return markdown(times, {0, len(engines) + 1}) + "\n\n" + markdown(sizes, {0})


def keep(options, layout: Path, folder: Path, runs: list[Run], complaints: list[str]) -> None:
    """Prints the tables, and writes run.md and runs.csv to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "runs.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Run.__dataclass_fields__)
        for run in runs:
            values = vars(run).values()
            writer.writerow([f"{value:.2f}" if isinstance(value, float) else value for value in values])
    startup = startup_ms(options.cxlake, layout) if "cxlake" in options.engines else math.nan
    versions = [f"{name} {version(name)}" for name in ("duckdb", "polars", "chdb", "datafusion", "pyarrow")]
    commit = output("git", "-C", str(HERE), "rev-parse", "--short", "HEAD")
    changed = output("git", "-C", str(HERE), "--no-optional-locks", "status", "--porcelain", "--", "../../src", "../../Cargo.lock")
    text = [
        f"# Race of {datetime.date.today()}, layout {layout.name}, {options.threads} threads",
        "",
        f"- Command: `benches/peers/run.sh --layout {layout.name} --rounds {options.rounds} --threads {options.threads} --timeout {options.timeout}`",
        f"- Machine: {os.cpu_count()} cores, {of_machine('/proc/cpuinfo', 'model name')}, {memory_gib():.1f} GiB of memory",
        f"- Versions: {output(str(options.cxlake), '--version')}, {', '.join(versions)}, Python {sys.version.split()[0]}",
        f"- Commit: {commit}{', with changes not yet in it' if changed else ''}",
        f"- Data: `cxlake generate --scale {options.scale}`, {size(layout) / 1e6:,.0f} MB in this layout, in the page cache",
        f"- Rounds: {options.rounds} after one to warm up; the engines in turn, each run a process of its own; medians",
        f"- cxlake from the start of its process to its end, of which `select 1` takes {startup:.0f} ms; the others without the start"
        " of Python and imports",
    ]
    if options.memory:
        text.append(f"- Memory: {options.memory:,} bytes each; Polars has no limit to set")
    if options.note:
        text += ["", options.note]
    text += ["", tables(runs, options.engines), ""]
    if complaints:
        text += ["Failed or not agreed:", "", *(f"- {words}" for words in complaints), ""]
    else:
        text += ["All answers agree.", ""]
    (folder / "run.md").write_text("\n".join(text))
    print("\n".join(text))
    print(f"kept in {folder}", file=sys.stderr)


def output(*call: str) -> str:
    return subprocess.run(call, capture_output=True, text=True, check=False).stdout.strip()


def of_machine(file: str, name: str) -> str:
    lines = Path(file).read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "unknown")


def memory_gib() -> float:
    return int(of_machine("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


def startup_ms(cxlake: Path, lake: Path) -> float:
    """The median of eleven calls that only select 1."""
    times = []
    for _ in range(11):
        started = time.perf_counter()
        subprocess.run([cxlake, "--lake", lake, "-q", "-c", "select 1"], check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
