"""Measures the memory of imports in processes of their own, which end when the import does. Linux only."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from report import number
from ropewalk.progress import NoProgress
from ropewalk.project.snapshot import write_snapshot

TEXT = """\
Resident memory of a process that imports into the local Encord, in MB (2 threads, 8 jobs): its peak, and what it holds
when the first label row is about to be sent and when the last one is stored. The first line imports nothing: it is the
interpreter, the packages and an open project. What grows with the number of rows is the listing of the project, which
Encord gives in one answer, and what the stage keeps in memory (25 MB at most)."""

_COLUMNS = ("peak", "before the first row", "after the last")
_PER_ROW = 10


@dataclass(frozen=True)
class MemoryTable:
    """Memory by input; None where nothing was sent."""

    lines: Sequence[tuple[str, Sequence[float | None]]]

    def markdown(self) -> str:
        """Render the table."""
        rows = ["| input | " + " | ".join(_COLUMNS) + " |", "| --- |" + " ---: |" * len(_COLUMNS)]
        for name, figures in self.lines:
            cells = ("-" if mb is None else f"**{number(mb)}**" for mb in figures)
            rows.append(f"| {name} | {' | '.join(cells)} |")
        return "\n".join(["## Memory of imports", "", TEXT, "", *rows, ""])


def import_memory(scale: float, folder: Path) -> MemoryTable:
    """Measure imports of ever more label rows; `scale` multiplies their number."""
    sizes = [max(2, round(rows * scale)) for rows in (1_000, 10_000)]
    lines = [("nothing", _figures(2, folder, nothing=True))]
    for rows in sizes:
        lines.append((f"{rows * _PER_ROW:,} boxes in {rows:,} label rows", _figures(rows, folder)))
    return MemoryTable(lines)


def _figures(rows: int, folder: Path, *, nothing: bool = False) -> list[float | None]:
    from sending import boxes, local_encord, make_project

    with tempfile.TemporaryDirectory(dir=folder) as own:
        project_file, source = Path(own, "project.json"), Path(own, "boxes.json")
        snapshot = make_project(rows)
        write_snapshot(snapshot, project_file)
        source.write_text(json.dumps(boxes(snapshot, _PER_ROW)), encoding="ascii")
        with local_encord(project_file, Path(own), latency_ms=0) as where:
            given = [where["url"], where["ssh_key"], where["project_hash"], "" if nothing else str(source), own]
            done = subprocess.run([sys.executable, __file__, *given], capture_output=True, text=True, check=True)
    figures: list[float | None] = json.loads(done.stdout)
    return figures


class _WhileSending(NoProgress):
    """Notes the memory at both ends of the phase in which rows are sent."""

    def __init__(self) -> None:
        self.phase = ""
        self.first: float | None = None
        self.last: float | None = None

    def start(self, phase: str, total: int, unit: str) -> None:
        self.phase = phase
        if phase == "sending":
            self.first = status_mb("VmRSS")

    def end(self) -> None:
        if self.phase == "sending":
            self.last = status_mb("VmRSS")


def _import(url: str, ssh_key: str, project_hash: str, source: str, work_dir: str) -> None:
    from ropewalk import import_predictions
    from ropewalk.sinks.encord.client import open_project

    project = open_project(project_hash, ssh_key=Path(ssh_key), domain=url)
    seen = _WhileSending()
    if source:
        given = {"work_dir": work_dir, "jobs": 8, "threads": 2, "progress": seen}
        assert import_predictions(source, project, branch="bench", **given).exit_code == 0
    # Not ru_maxrss: with that a child begins at the peak of the process that started it.
    sys.stdout.write(json.dumps([status_mb("VmHWM"), seen.first, seen.last]))


def status_mb(name: str) -> float:
    """Read a figure of this process from the kernel, MB: `VmRSS` is resident now, `VmHWM` was at most."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    _import(*sys.argv[1:])
