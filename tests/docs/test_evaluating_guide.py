"""The commands of the guide to evaluating run as they stand there, with labels that the predictions equal."""

from __future__ import annotations

import json
from pathlib import Path

from documents import ROOT, commands, run_ropewalk
from ropewalk.emulator import running_emulator
from ropewalk.project.snapshot import read_snapshot

GUIDE = ROOT / "docs" / "guide" / "evaluating.md"


def test_the_commands_run(demo_folder: Path) -> None:
    assert run_ropewalk("convert", "demo/predictions", "--out", "labels.coco.json").returncode == 0
    annotations = json.loads(Path("labels.coco.json").read_text(encoding="ascii"))["annotations"]
    Path("results.json").write_text(json.dumps(annotations))
    with running_emulator(read_snapshot(demo_folder / "project.json")) as local:
        account = {"ENCORD_DOMAIN": local.url, "ENCORD_SSH_KEY_FILE": str(local.ssh_key_path)}
        for branch in ("main", "model-1"):
            onto = ("--project", local.project_hash, "--branch", branch, "--allow-branch")
            assert run_ropewalk("import", "demo/predictions", *onto, **account).returncode == 0
        lines = commands(GUIDE, "ropewalk")
        assert {arguments[0] for arguments in lines} == {"evaluate"}
        for arguments in lines:
            done = run_ropewalk(*(local.project_hash if a == "HASH" else a for a in arguments), **account)
            assert done.returncode == 0, (arguments, done.stderr)
            # Compared with themselves all of them are found.
            assert done.stdout.startswith("AP 1.000  AP50 1.000"), arguments
    assert json.loads(Path("metrics.json").read_text(encoding="ascii"))["iou"] == "segm"
