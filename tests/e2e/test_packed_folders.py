"""An archive imports as the folder that it was made of: the objects of one are those of the other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from encord import Project

import ropewalk
from ropewalk.emulator import running_emulator
from ropewalk.sinks.encord.client import open_project
from snapshots import make_format_project
from workbench import check_sums

EXAMPLES = Path(__file__).parents[1] / "formats"


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with running_emulator(make_format_project()) as emulator:
        yield open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
def test_an_archive_of_what_is_there_writes_nothing(project: Project, tmp_path: Path, kind: str) -> None:
    """With tracks, which are recognised by the folder's name, and a file that is rejected."""
    folder = tmp_path / "listed"
    shutil.copytree(EXAMPLES / "yolo" / "good" / "listed", folder)
    (folder / "labels" / "still.txt").write_text("0 0.5 0.5 0.4 word\n")
    (tmp_path / "sent").mkdir()
    archive = Path(shutil.make_archive(str(tmp_path / "sent" / "listed"), kind, tmp_path, "listed"))
    assert archive.suffix in (".zip", ".tar", ".gz")
    branch = f"yolo-{kind}"
    reports = []
    for source in (folder, archive):
        rejects = tmp_path / f"{source.name}.ndjson"
        report = ropewalk.import_predictions(
            source,
            project,
            branch=branch,
            format="yolo",
            yolo_extra="conf,track",
            work_dir=tmp_path / f"work-{source.name}",
            rejects=rejects,
        )
        check_sums(report)
        reports.append((report, [json.loads(line) for line in rejects.read_text().splitlines()]))
    (first, first_rejects), (second, second_rejects) = reports
    assert first.annotations_written > 1 and first.annotations_rejected == 1
    assert (second.annotations_written, second.annotations_already_there) == (0, first.annotations_written)
    assert second_rejects == first_rejects and first_rejects[0]["member"] == "labels/still.txt"
