"""Runs what the README and the guides show."""

from __future__ import annotations

import json
import os
import re
import runpy
import string
from pathlib import Path

import pytest

from documents import FOR_DEVELOPERS, GUIDES, README, ROOT, blocks, commands, run_ropewalk
from ropewalk.emulator import running_emulator
from ropewalk.project.snapshot import read_snapshot

# The emulator's guide has a test of its own: its example runs on the snapshot that it shows.
PYTHON_BLOCKS = [
    pytest.param(block, id=f"{document.name}-{number}")
    for document in (README, *GUIDES)
    if document.name != "emulator.md"
    for number, block in enumerate(blocks(document, "python"))
]


@pytest.mark.usefixtures("demo_folder")
@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_a_python_block_runs(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "example", "exec"), {})
    assert capsys.readouterr().out.strip()


def test_the_readme_has_python_to_run() -> None:
    assert blocks(README, "python")


def test_the_commands_of_the_readme_run(demo_folder: Path) -> None:
    lines = commands(README, "ropewalk")
    assert {arguments[0] for arguments in lines} == {
        *("import", "show", "verify", "status", "rollback", "snapshot", "convert"),
        *("projects", "ontology", "media", "sync", "evaluate", "inspect", "plan", "preview"),
    }
    with running_emulator(read_snapshot(demo_folder / "project.json")) as local:
        for arguments in lines:
            expanded = [string.Template(a).substitute(PROJECT=local.project_hash) for a in arguments]
            done = run_ropewalk(*expanded, ENCORD_DOMAIN=local.url, ENCORD_SSH_KEY_FILE=str(local.ssh_key_path))
            assert done.returncode == 0, (expanded, done.stdout, done.stderr)
        saves = [header.saves for header in local.store.headers("model-1")]
    # Written once, and emptied by the rollback.
    assert saves == [2] * 8
    written = {path.name for path in Path().iterdir()}
    assert written >= {"report.json", "project.json", "rows.ndjson", "table.parquet"}
    assert len(Path("rows.ndjson").read_text(encoding="ascii").splitlines()) == 8


def test_the_report_that_the_readme_shows_is_what_an_import_prints(demo_folder: Path) -> None:
    with running_emulator(read_snapshot(demo_folder / "project.json")) as local:
        done = run_ropewalk(
            *("import", "demo/spoilt.json", "--project", local.project_hash, "--branch", "model-1"),
            ENCORD_DOMAIN=local.url,
            ENCORD_SSH_KEY_FILE=str(local.ssh_key_path),
        )
    assert done.returncode == 3, done.stderr

    def timeless(text: str) -> str:
        return re.sub(r"saved, .*", "saved", text.replace(os.sep, "/"))

    assert timeless(blocks(README, "text")[0]) == timeless(done.stdout)


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [arguments[0] for document in (README, *FOR_DEVELOPERS) for arguments in commands(document, "make")]
    assert targets[:2] == ["demo", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert "ropewalk demo" in makefile


@pytest.mark.parametrize("document", FOR_DEVELOPERS, ids=lambda path: path.name)
def test_the_places_named_exist(document: Path) -> None:
    # Without those that stand for any format: rust/core/src/formats/NAME.rs.
    places = re.findall(
        r"`((?:benches|docs|python|rust|tests|tools)/[a-z0-9_./-]+)`", document.read_text(encoding="utf-8")
    )
    assert places
    for place in places:
        assert (ROOT / place).exists(), place


@pytest.mark.parametrize("document", [README, *FOR_DEVELOPERS, *GUIDES], ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (document.parent / link).exists(), link


def test_the_table_of_formats_is_the_one_that_the_program_lists() -> None:
    listed = json.loads(run_ropewalk("formats", "--json").stdout)
    text = README.read_text(encoding="utf-8")
    tool = runpy.run_path(str(ROOT / "tools" / "formats_table.py"))
    assert tool["table"](listed) in text, "ropewalk formats --json | python tools/formats_table.py --write"
