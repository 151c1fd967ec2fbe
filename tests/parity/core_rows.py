"""Label rows by the core: a model written as COCO, staged and encoded, with no server in between."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coco_model import Model, Style, write_coco
from ropewalk import _core
from ropewalk.emulator import RunningEmulator
from ropewalk.project.plan import PlanOptions, plan_of
from sdk_oracle import WHEN_TEXT, server_row

BRANCH = "model-v2.1_a"
LABEL = "predictions.json"
ALL_IN_MEMORY = 1 << 30
PLAIN = Style()


def encoded_rows(model: Model, style: Style = PLAIN, **options: Any) -> dict[int, dict[str, Any]]:
    """Import a model's COCO file; returns label rows by medium. Asserts that every annotation became part of one."""
    with tempfile.TemporaryDirectory() as folder:
        path, tables = write_coco(model, Path(folder), style)
        staged = staged_files(model, [path], tables, Path(folder), **options)
        assert staged.counts["staged"] == len(model.predictions), staged.counts
        return {medium: json.loads(body) for medium, body in encoded(model, staged).items()}


def staged_files(
    model: Model,
    paths: list[Path],
    tables: Path | None,
    work_dir: Path,
    *,
    threads: int = 1,
    memory_bytes: int = ALL_IN_MEMORY,
    **options: Any,
) -> _core.Staged:
    """Stage files as parts of one source; masks without a pixel are kept, as the SDK keeps them."""
    plan = plan_of(model.snapshot(), BRANCH, PlanOptions(**{"empty_masks": "keep"} | options))
    rejects = str(work_dir / "rejects.ndjson")
    stage = _core.Stage(plan, rejects, str(work_dir / "runs"), memory_bytes=memory_bytes, threads=threads)
    for path in paths:
        stage.add(str(path), LABEL, "coco", json.dumps({} if tables is None else {"annotations": str(tables)}))
    return stage.finish()


def encoded(
    model: Model, staged: _core.Staged, header: Callable[[Any, str], Any] | None = server_row
) -> dict[int, bytes]:
    """Encode all label rows, into what a server answers or (without `header`) on their own; by medium."""
    rows = {}
    for index in range(len(staged)):
        medium = staged.label_row(index)["medium"]
        given = None if header is None else json.dumps(header(model.media[medium], BRANCH)).encode()
        rows[medium] = staged.encode(index, given, WHEN_TEXT)
    return rows


def saved_rows(emulator: RunningEmulator, branch: str) -> dict[str, dict[str, Any]]:
    """Read what stands on a branch of an emulator, as it was sent; by data_hash."""
    headers = emulator.store.headers(branch)
    texts = emulator.store.contents(header.label_hash for header in headers)
    return {header.data_hash: json.loads(text) for header, text in zip(headers, texts, strict=True)}
