"""The guide's way of mending rejects: correct the annotations in their lines and import the lines."""

from __future__ import annotations

import json
import re
from pathlib import Path

from documents import ROOT, run_ropewalk
from ropewalk.emulator import running_emulator
from ropewalk.project.snapshot import read_snapshot

MENDED = {"not_finite": {"score": 0.5}, "unknown_class": {"category_id": 0}, "frame_range": {"image_id": 0}}


def typed_in_the_guide() -> list[str]:
    guide = (ROOT / "docs" / "guide" / "importing.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^ropewalk (import rejects\.ndjson .*)$", guide, re.MULTILINE)
    return line.split()


def test_rejects_that_are_mended_are_written(demo_folder: Path) -> None:
    with running_emulator(read_snapshot(demo_folder / "project.json")) as local:
        account = {"ENCORD_DOMAIN": local.url, "ENCORD_SSH_KEY_FILE": str(local.ssh_key_path)}
        onto = ("--project", local.project_hash, "--branch", "model-1")
        first = run_ropewalk("import", "demo/spoilt.json", *onto, "--rejects", "rejects.ndjson", **account)
        assert first.returncode == 3, first.stderr
        lines = [json.loads(line) for line in Path("rejects.ndjson").read_text(encoding="utf-8").splitlines()]
        assert {line["code"] for line in lines} == set(MENDED)
        for line in lines:
            found = line["annotation"]
            # NaN is no JSON: such an annotation stands in its line as text.
            annotation = json.loads(found) if isinstance(found, str) else found
            line["annotation"] = annotation | MENDED[line["code"]]
        Path("rejects.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

        real = {"predictions.json": "demo/spoilt.json", "HASH": local.project_hash, "NAME": "model-1"}
        arguments = [real.get(argument, argument) for argument in typed_in_the_guide()]
        mended = run_ropewalk(*arguments, "--report", "report.json", **account)
        assert mended.returncode == 0, mended.stderr
        report = json.loads(Path("report.json").read_text(encoding="utf-8"))
        assert (report["annotations_read"], report["annotations_written"]) == (3, 3)
        shown = json.loads(run_ropewalk("show", *onto, "--json", **account).stdout)
    (unit,) = shown["branches"]["model-1"]
    assert (unit["objects"], unit["frames"], unit["classes"]) == (5, 1, {"Car": 5})
