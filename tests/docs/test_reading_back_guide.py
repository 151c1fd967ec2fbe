"""The commands of the guide to reading back run as they stand there, and write what it says."""

from __future__ import annotations

import json
from pathlib import Path

from documents import ROOT, commands, run_ropewalk
from ropewalk.emulator import EmulatorOptions, running_emulator
from ropewalk.project.snapshot import read_snapshot

GUIDE = ROOT / "docs" / "guide" / "reading-back.md"


def test_the_commands_run(demo_folder: Path) -> None:
    lines = commands(GUIDE, "ropewalk")
    assert {arguments[0] for arguments in lines} == {"projects", "ontology", "media", "show", "sync"}
    options = EmulatorOptions(sync_before_import=None)
    with running_emulator(read_snapshot(demo_folder / "project.json"), options=options) as local:
        account = {"ENCORD_DOMAIN": local.url, "ENCORD_SSH_KEY_FILE": str(local.ssh_key_path)}
        for arguments in lines:
            done = run_ropewalk(*(local.project_hash if a == "HASH" else a for a in arguments), **account)
            assert done.returncode == 0, (arguments, done.stderr)
        onto = ("--project", local.project_hash, "--branch", "model-1")
        # The entries as the predictions name the classes.
        classes = json.loads(Path("classes.json").read_text(encoding="ascii"))
        assert classes["Car"] == "demo0001"
        Path("classes.json").write_text(json.dumps({name.lower(): value for name, value in classes.items()}))
        maps = ("--class-map", "classes.json", "--media-map", "media.json")
        done = run_ropewalk("import", "demo/predictions", *onto, *maps, **account)
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert len(local.store.started_in_active()) == 1
