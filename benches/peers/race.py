"""The race of cxlake against DuckDB, Polars, chDB and DataFusion. See README.md.

Every run is a process of its own; the engines run in turn, round by round. A first round warms the page cache and keeps the
answers, which must agree; the others are timed.
"""

import argparse
import datetime
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import ENGINES, Run, keep
from tables import LAYOUTS

HERE = Path(__file__).resolve().parent

class Race:
    def __init__(self, options, layout: Path, answers: Path):
        self.options, self.layout, self.answers = options, layout, answers

    def call(self, engine: str, question: Path, answer: Path | None) -> list[str]:
        threads, memory = str(self.options.threads), self.options.memory
        if engine != "cxlake":
            question = question.with_stem(question.stem.removesuffix("_native"))
            driver = [sys.executable, HERE / "driver.py", engine, self.layout, question, threads]
            return [*driver, str(memory or "-"), str(answer or "-")]
        call = [self.options.cxlake, "--lake", self.layout, "--quiet", "--threads", threads]
        if memory:
            call += ["--memory-limit", str(memory)]
        call += ["--format", "parquet", "--output", answer] if answer else ["--format", "csv"]
        return [*call, "--file", question]

    def run(self, engine: str, question: Path, number: int) -> Run:
        """Runs one question in one engine; round 0 keeps the answer."""
        answer = None if number else self.answers / f"{question.stem}.{engine}.parquet"
        run = Run(question.stem, engine, number)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            started = time.perf_counter()
            process = subprocess.Popen(
                self.call(engine, question, answer),
                stdin=subprocess.DEVNULL,
                stdout=out if engine != "cxlake" else subprocess.DEVNULL,
                stderr=errors,
                env=os.environ | {"POLARS_MAX_THREADS": str(self.options.threads)},
            )
            read, usage, status = ended(process.pid, self.options.timeout)
            run.process_ms = (time.perf_counter() - started) * 1000
            process.returncode = status or 0
            run.peak_mb = usage.ru_maxrss * 1024 / 1e6
            for file in (out, errors):
                file.seek(0)
            if status is None:
                run.error = f"stopped after {self.options.timeout} s"
                return run
            if status:
                run.error = last_words(errors.read().decode(errors="replace").strip().splitlines())
                return run
            if engine == "cxlake":
                run.query_ms, run.cpu_ms, run.read_mb = run.process_ms, (usage.ru_utime + usage.ru_stime) * 1000, read / 1e6
                return run
            told = json.loads(out.read())
            run.query_ms, run.cpu_ms, run.read_mb = told["query_ms"], told["cpu_ms"], told["read"] / 1e6
            run.before_mb = told["rss_before"] / 1e6
        return run

    def disagreements(self, question: str, runs: list[Run]) -> list[str]:
        """How answers differ from that of the first engine that has one. Compared in another process, because a large one would
        pass its size on to the peak memory of those that it starts."""
        answers = [self.answers / f"{question}.{run.engine}.parquet" for run in runs if not run.error]
        call = [sys.executable, HERE / "agree.py", *answers]
        said = subprocess.run(call, capture_output=True, text=True, check=True).stdout.splitlines()
        for answer in answers:
            answer.unlink()
        return said


def ended(pid: int, timeout: float):
    """Waits for a process: what it read, what it used, and its exit code, or None when it had to be stopped."""
    watch, in_time = os.pidfd_open(pid), []
    try:
        in_time = select.select([watch], [], [], timeout)[0]
    finally:
        # Too late, or the race itself is being stopped.
        if not in_time:
            os.kill(pid, signal.SIGKILL)
            select.select([watch], [], [])
        os.close(watch)
    # What has ended and is not yet waited for still says what it read.
    read = int(re.search(r"rchar: (\d+)", Path(f"/proc/{pid}/io").read_text()).group(1))
    _, status, usage = os.wait4(pid, 0)
    return read, usage, os.waitstatus_to_exitcode(status) if in_time else None


def last_words(lines: list[str]) -> str:
    telling = [line.strip() for line in lines if re.search(r"error|exception", line, re.IGNORECASE)]
    return (telling or lines or ["no word"])[-1][:300]


def race(options, layout: Path, folder: Path) -> bool:
    """Runs the race on one layout, prints and keeps its tables. True when all answers agree and no engine failed."""
    questions = [path for path in sorted(HERE.glob("questions/*.sql")) if path.name.count(".") == 1]
    if options.questions:
        questions = [path for path in questions if any(part in path.stem for part in options.questions)]
    runs, complaints = [], []
    with tempfile.TemporaryDirectory(dir=layout.parent) as answers:
        contest = Race(options, layout, Path(answers))
        for number in range(options.rounds + 1):
            for question in questions:
                turn = []
                for engine in options.engines:
                    if any(run.error and run.engine == engine and run.question == question.stem for run in runs):
                        continue
                    turn.append(contest.run(engine, question, number))
                    if turn[-1].error:
                        complaints.append(f"{question.stem}: {engine} failed: {turn[-1].error}")
                        say(complaints[-1])
                runs += turn
                say(f"{layout.name}, round {number}: {question.stem} " + ", ".join(f"{run.engine} {run.query_ms:.0f}" for run in turn))
                if number == 0:
                    for said in contest.disagreements(question.stem, turn):
                        complaints.append(f"{question.stem}: {said}")
                        say(complaints[-1])
    keep(options, layout, folder, runs, complaints)
    return not complaints


def make_data(options, data: Path, name: str) -> None:
    """Makes a layout, and the lake that it is made from, unless they are there."""
    if (data / name / "cxlake.toml").exists():
        return
    if not (data / "lake" / "cxlake.toml").exists():
        subprocess.run([options.cxlake, "generate", "--scale", str(options.scale), data / "lake"], check=True)
    subprocess.run([sys.executable, HERE / "layouts.py", data / "lake", data / name], check=True)


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "target" / "peers", help="folder for the data, some GB")
    parser.add_argument("--scale", type=int, default=760, help="of `cxlake generate`; 760 is twenty million invitations")
    parser.add_argument("--layout", type=lambda text: text.split(","), default=LAYOUTS, help=f"of {','.join(LAYOUTS)}")
    parser.add_argument("--questions", type=lambda text: text.split(","), help="those whose names contain one of these")
    parser.add_argument("--engines", type=lambda text: text.split(","), default=list(ENGINES), help=f"of {','.join(ENGINES)}")
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds, after one to warm up")
    parser.add_argument("--threads", type=int, default=2, help="of every engine")
    parser.add_argument("--memory", type=int, help="bytes that each engine may take; without it, each one's own default")
    parser.add_argument("--timeout", type=int, default=60, help="seconds after which a run is stopped")
    found = os.environ.get("CXLAKE") or shutil.which("cxlake")
    parser.add_argument("--cxlake", type=Path, default=found, help="else $CXLAKE, else on the path")
    parser.add_argument("--keep", type=Path, help="folder for run.md and runs.csv; else benches/runs/DATE-CORES-cores-peers-LAYOUT")
    parser.add_argument("--note", help="a sentence for run.md, such as what else the machine did")
    options = parser.parse_args()
    if not options.cxlake or not Path(options.cxlake).is_file():
        parser.error("no cxlake: build it with `cargo build --release`, then --cxlake target/release/cxlake")
    for given, known in ((options.layout, LAYOUTS), (options.engines, ENGINES)):
        if unknown := set(given) - set(known):
            parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return options


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    options.cxlake, data = Path(options.cxlake).resolve(), options.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    agreed = True
    for name in options.layout:
        make_data(options, data, name)
        day = f"{datetime.date.today()}-{os.cpu_count()}-cores-peers-{name}"
        agreed &= race(options, data / name, options.keep / name if options.keep else HERE.parent / "runs" / day)
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
