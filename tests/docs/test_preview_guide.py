"""The commands of the guide to previews run as they are written, and its pictures exist and are small."""

from __future__ import annotations

import re
from pathlib import Path

from documents import ROOT, commands, run_ropewalk
from preview_pages import addresses_in, data_of
from ropewalk.emulator import running_emulator
from ropewalk.project.snapshot import read_snapshot

GUIDE = ROOT / "docs" / "guide" / "preview.md"


def test_the_commands_run(demo_folder: Path) -> None:
    page = demo_folder.parent / "preview.html"
    with running_emulator(read_snapshot(demo_folder / "project.json")) as local:
        account = {"ENCORD_DOMAIN": local.url, "ENCORD_SSH_KEY_FILE": str(local.ssh_key_path)}
        onto = ("--project", local.project_hash, "--branch", "model-1")
        assert run_ropewalk("import", "demo/predictions", *onto, **account).returncode == 0
        lines = commands(GUIDE, "ropewalk")
        assert [arguments[0] for arguments in lines] == ["preview"] * 4
        sides = []
        for arguments in lines:
            done = run_ropewalk(*(local.project_hash if a == "HASH" else a for a in arguments), **account)
            assert done.returncode == 0, (arguments, done.stderr)
            assert "60 frames" in done.stdout
            assert addresses_in(page) == set()
            sides.append([side["name"] for side in data_of(page)["sides"]])
    assert sides == [["predictions"], ["predictions"], ["model-1"], ["predictions", "model-1"]]
    assert "0 differences" in done.stdout


def test_its_pictures_exist_and_are_small() -> None:
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", GUIDE.read_text(encoding="utf-8"))
    assert len(pictures) == 4
    for name in pictures:
        assert (GUIDE.parent / name).stat().st_size < 120_000, name
