"""The tables of a run as Markdown, under what they were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from timing import Samples

PACKAGES = (
    "encord",
    "ropewalk",
    "polars",
    "numpy",
    "pycocotools",
    "rlemasklib",
    "hotcoco",
    "orjson",
    "opencv-python-headless",
)


@dataclass(frozen=True)
class Line:
    """One input of a table: what it is, how many things it holds, and the samples of each way.

    Figures are seconds * `scale` / `number`, so 1e6 gives us a thing; with `per_second` number / seconds / `scale`.
    """

    input: str
    number: int
    samples: Mapping[str, Samples]
    per_second: bool = False
    scale: float = 1e6

    def figure(self, seconds: float) -> float:
        """Turn the seconds of a run into the table's unit."""
        return self.number / seconds / self.scale if self.per_second else seconds * self.scale / self.number


@dataclass(frozen=True)
class Table:
    """Lines that share their ways; ratios are to the way named first."""

    title: str
    text: str
    ways: tuple[str, ...]
    lines: tuple[Line, ...]

    def markdown(self) -> str:
        """Render the table: median, in brackets fastest and slowest, then how many times as long as ours."""
        ours = self.ways[0]
        rows = [["input", *self.ways], ["---", *("---:" for _ in self.ways)]]
        for line in self.lines:
            cells = [line.input]
            for way in self.ways:
                samples = line.samples.get(way)
                if samples is None:
                    cells.append("-")
                    continue
                low, high = sorted(map(line.figure, samples.spread))
                cell = f"**{number(line.figure(samples.median))}** ({number(low)}..{number(high)})"
                if way != ours:
                    ratio = samples.median / line.samples[ours].median
                    cell += f", x {number(ratio)}"
                cells.append(cell)
            rows.append(cells)
        body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return f"## {self.title}\n\n{self.text}\n\n{body}\n"


def number(value: float) -> str:
    """Write a figure with three digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def write(tables: Iterable[Table], command: str) -> str:
    """Put the tables under a heading that says where and with what they were measured."""
    parts = [
        "# Results\n",
        f"Made by `{command}` on {datetime.now(timezone.utc):%Y-%m-%d}. Machines differ and are shared: read the "
        "ratios, which come from one run with the ways taking turns. [README](README.md) says how.\n",
        "\n".join(f"* {name}: {value}" for name, value in environment().items()) + "\n",
        *(table.markdown() for table in tables),
    ]
    return "\n".join(parts)


def environment() -> dict[str, str]:
    """Name the machine, the versions and the commit."""
    return {
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "commit": _commit(),
    }


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown CPU"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _commit() -> str:
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!benches/RESULTS.md", ":/")
        return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
