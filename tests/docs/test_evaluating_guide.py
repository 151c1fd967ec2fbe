"""The commands of the guide to evaluating run as they are written, on labels that differ from the predictions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from documents import ROOT, blocks, commands, run_ropewalk
from ropewalk.emulator import running_emulator
from ropewalk.project.snapshot import read_snapshot

GUIDE = ROOT / "docs" / "guide" / "evaluating.md"


def labels_like(predictions: dict[str, Any]) -> dict[str, Any]:
    """Make labels that the predictions fit in part: some objects are missing, and some boxes are 4 px off."""
    kept = [item for n, item in enumerate(predictions["annotations"]) if n % 5]
    for item in kept[::2]:
        item["bbox"] = [item["bbox"][0] + 4, *item["bbox"][1:]]
    return predictions | {"annotations": kept}


def test_the_commands_run(demo_folder: Path) -> None:
    labels, results = blocks(GUIDE, "json")
    Path("labels.json").write_text(labels)
    Path("results.json").write_text(results)
    assert run_ropewalk("convert", "demo/predictions", "--out", "labels.coco.json").returncode == 0
    made = Path("labels.coco.json")
    made.write_text(json.dumps(labels_like(json.loads(made.read_text(encoding="ascii")))))
    with running_emulator(read_snapshot(demo_folder / "project.json")) as local:
        account = {"ENCORD_DOMAIN": local.url, "ENCORD_SSH_KEY_FILE": str(local.ssh_key_path)}
        for branch, source in (("main", "labels.coco.json"), ("model-1", "demo/predictions")):
            onto = ("--project", local.project_hash, "--branch", branch, "--allow-branch")
            done = run_ropewalk("import", source, *onto, **account)
            assert done.returncode == 0, done.stderr
        lines = commands(GUIDE, "ropewalk")
        assert {arguments[0] for arguments in lines} == {"evaluate"}
        for arguments in lines:
            done = run_ropewalk(*(local.project_hash if a == "HASH" else a for a in arguments), **account)
            assert done.returncode == 0, (arguments, done.stderr)
            ap = re.match(r"AP (0\.\d+)  ", done.stdout)
            assert ap is not None and 0.1 < float(ap[1]) < 0.99, (arguments, done.stdout)
            if "results.json" in arguments:
                (output,) = blocks(GUIDE, "text")
                # The guide has blanks where the output has tabs.
                assert [line.split() for line in output.splitlines()] == [
                    line.split() for line in done.stdout.splitlines()
                ]
            assert ("\nHOTA " in done.stdout) == ("--tracking" in arguments)
    assert json.loads(Path("metrics.json").read_text(encoding="ascii"))["iou"] == "segm"
    assert "<svg" in Path("evaluation.html").read_text(encoding="utf-8")
