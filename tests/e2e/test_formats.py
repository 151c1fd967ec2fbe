"""Every format's examples in tests/formats, imported: the labels of the expected rows, and rejects once fixed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient, Project

import ropewalk
from ropewalk import _core
from ropewalk.emulator import running_emulator
from snapshots import make_format_project
from workbench import check_sums

EXAMPLES = Path(__file__).resolve().parents[1] / "formats"
FORMATS = {found["name"]: found for found in _core.formats() if found["suffixes"] or found["members"]}
FRAME_OPTIONS = ("frame_base", "frame_stride")
MALFORMED = [
    (name, key, place)
    for name in FORMATS
    for key, place in json.loads((EXAMPLES / name / "malformed.json").read_text(encoding="utf-8")).items()
    if not key.startswith("blocker-")
]

Json = dict[str, Any]


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with running_emulator(make_format_project()) as emulator:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url
        )
        yield client.get_project(emulator.project_hash)


def options_of(name: str) -> Json:
    """Read the options of a format's examples; a text that names a file in its folder is that file."""
    path = EXAMPLES / name / "options.json"
    options: Json = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {
        option: path.parent / value if isinstance(value, str) and (path.parent / value).is_file() else value
        for option, value in options.items()
    }


def import_options_of(name: str) -> Json:
    """Read what an import of a format's examples needs besides the options of reading."""
    path = EXAMPLES / name / "import.json"
    options: Json = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return options


def run(sources: list[Path], project: Project, branch: str, folder: Path, **options: Any) -> ropewalk.Report:
    report = ropewalk.import_predictions(
        sources, project, branch=branch, work_dir=folder / "work", rejects=folder / f"{branch}.ndjson", **options
    )
    check_sums(report)
    return report


def read_back(project: Project, branch: str) -> list[Any]:
    """Read all labels of a branch: each object and answer with its class, and where it is, without hashes and times."""
    found: list[Any] = []
    for row in project.list_label_rows_v2(branch_name=branch):
        if row.label_hash is None:
            continue
        row.initialise_labels()
        for instance in row.get_object_instances():
            labels = [(a.frame, a.confidence, json.dumps(a.coordinates.to_dict())) for a in instance.get_annotations()]
            found.append((row.data_title, instance.feature_hash, sorted(labels)))
        for answer in row.get_classification_instances():
            labels = [(a.frame, a.confidence) for a in answer.get_annotations()]
            found.append((row.data_title, answer.feature_hash, sorted(labels), repr(answer.get_answer())))
    return sorted(found, key=repr)


@pytest.mark.parametrize("name", FORMATS)
def test_good_sources_give_the_labels_of_the_expected_rows(name: str, project: Project, tmp_path: Path) -> None:
    options = options_of(name)
    good, named = (sorted((EXAMPLES / name / folder).glob("*")) for folder in ("good", "named"))
    told = {"format": name} if named else {}
    besides = import_options_of(name)
    report = run(good + named, project, f"pred-{name}", tmp_path, **told, **besides, **options)
    assert report.exit_code == 0, report

    # The table counts every frame from 0 on, unless it is told otherwise; expected.ndjson has the source's own numbers.
    frames = {option: FORMATS[name][option] for option in FRAME_OPTIONS}
    frames |= {option: value for option, value in options.items() if option in FRAME_OPTIONS}
    rows = EXAMPLES / name / "expected.ndjson"
    expected = run([rows], project, f"pred-{name}-expected", tmp_path, format="ndjson", **besides, **frames)
    assert (expected.exit_code, expected.annotations_written) == (0, report.annotations_written)

    labels = read_back(project, f"pred-{name}")
    assert labels
    assert labels == read_back(project, f"pred-{name}-expected")


@pytest.mark.parametrize(("name", "key", "place"), MALFORMED)
def test_a_reject_is_fixed_and_imported(name: str, key: str, place: Json, project: Project, tmp_path: Path) -> None:
    branch = f"pred-{name}-{key.replace('/', '-')}"
    # What is wrong may keep it from being recognised.
    options = options_of(name) | {"format": name}
    source = EXAMPLES / name / "malformed" / key
    report = run([source], project, branch, tmp_path, **import_options_of(name), **options)
    code = key.split("/")[0]
    assert report.rejects_by_code == {code: 1}
    rejects = tmp_path / f"{branch}.ndjson"
    (line,) = [json.loads(text) for text in rejects.read_text(encoding="utf-8").splitlines()]
    assert (line["code"], line["byte"], line.get("member")) == (code, place["byte"], place.get("member"))
    assert line["format"] == name
    if "fix" not in place:
        assert line["annotation"] is not None
        return

    if isinstance(line["annotation"], str):
        line["annotation"] = place["fix"]
    else:
        fixed = line["annotation"] | place["fix"]
        line["annotation"] = {member: value for member, value in fixed.items() if value is not None}
    mended = tmp_path / "fixed.ndjson"
    mended.write_text(json.dumps(line) + "\n", encoding="utf-8")
    # Lines of a reject file name their format.
    del options["format"]
    # Rows of the table are read without the source's options; COCO's own annotations are not.
    if "media" in line["annotation"]:
        options = {option: value for option, value in options.items() if option in FRAME_OPTIONS}
    again = run([mended], project, branch, tmp_path / "again", on_existing="merge", **options)
    assert (again.exit_code, again.annotations_written) == (0, 1), again
