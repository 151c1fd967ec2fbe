"""Options: declared once, checked in one place, spelt as their caller does, and known to type checkers."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

import ropewalk
from ropewalk.cli.account import AccountOptions
from ropewalk.converting.convert import convert
from ropewalk.errors import UsageError
from ropewalk.evaluating.options import EvaluateKeywords, EvaluateOptions
from ropewalk.importing import options as importing
from ropewalk.options import Options, fields_of, made, on_command_line, spelt
from ropewalk.project.options import PlanKeywords, PlanOptions
from ropewalk.reading.options import FrameKeywords, FrameOptions, ReadKeywords, ReadOptions
from ropewalk.showing.sync import SyncOptions
from ropewalk.sinks.encord.client import open_project
from snapshots import make_snapshot

ROOT = Path(__file__).parents[2]

FAMILIES: dict[type[Options], type] = {
    FrameOptions: FrameKeywords,
    ReadOptions: ReadKeywords,
    PlanOptions: PlanKeywords,
    EvaluateOptions: EvaluateKeywords,
    **{
        getattr(importing, f"{name}Options"): getattr(importing, f"{name}Keywords")
        for name in ("Work", "Connect", "Batch", "Send", "Stage", "Verify", "Rollback", "Upload", "Import")
    },
}

# What a caller may give for a value that is kept as the type on the left.
GIVEN: dict[Any, tuple[Any, ...]] = {Path: (str, os.PathLike[str]), tuple[str, ...]: (str, Iterable[str])}


def alternatives(annotation: Any) -> set[Any]:
    return set(get_args(annotation)) if get_origin(annotation) in (Union, UnionType) else {annotation}


def given_for(family: type[Options]) -> dict[str, set[Any]]:
    """List the types that a caller may give for each option of a family."""
    return {
        name: {given for kind in field.types for given in GIVEN.get(kind, (kind,))}
        for name, field in fields_of(family).items()
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_type_checkers_know_the_options_that_there_are(family: type[Options]) -> None:
    keywords = {name: alternatives(hint) for name, hint in get_type_hints(FAMILIES[family]).items()}
    assert keywords == given_for(family)


@pytest.mark.parametrize(
    ("function", "family"),
    [
        (ropewalk.read_coco, ReadOptions),
        (ropewalk.read_table, ReadOptions),
        (ropewalk.sync_project, SyncOptions),
        (ropewalk.rollback, importing.WorkOptions),
        (ropewalk.status, importing.WorkOptions),
        (open_project, AccountOptions),
    ],
)
def test_arguments_that_are_options_are_those(function: Any, family: type[Options]) -> None:
    shared = inspect.signature(inspect.unwrap(function)).parameters.keys() & fields_of(family).keys()
    assert shared
    source = {**vars(sys.modules[function.__module__]), "Retry": Any, "encord": Any}
    for name in shared:
        parameter = inspect.signature(function).parameters[name]
        assert alternatives(eval(parameter.annotation, source)) <= given_for(family)[name] | {Path}
        assert parameter.default == fields_of(family)[name].default


@pytest.mark.parametrize(
    ("function", "family"),
    [
        (ropewalk.import_predictions, importing.ImportOptions),
        (ropewalk.verify_predictions, importing.VerifyOptions),
        (ropewalk.rollback, importing.RollbackOptions),
        (ropewalk.evaluate, EvaluateOptions),
        (ropewalk.convert, importing.StageOptions),
    ],
)
def test_signatures_list_the_options_with_their_defaults(function: Any, family: type[Options]) -> None:
    parameters = inspect.signature(function).parameters
    assert fields_of(family).keys() <= parameters.keys()
    assert all(parameters[name].default == field.default for name, field in fields_of(family).items())


SCRIPT = """
from pathlib import Path

import ropewalk

def run(project: ropewalk.Snapshot) -> int:
    report = ropewalk.import_predictions(
        "predictions", project, branch="b", dry_run=True, min_confidence=0.5, only_classes=["Car"],
        class_map={"1": None}, box_format="corners", work_dir=Path("work"), max_rejects="1%", frame_base=1,
    )
    ropewalk.convert(ropewalk.read_coco("a.json", box_format="xywh"), "out.ndjson", project, every=5)
    ropewalk.evaluate("a.json", "b.json", iou="segm", all_frames=False)
    return report.exit_code
"""
WRONG = """
import ropewalk

def run(project: ropewalk.Snapshot) -> None:
    ropewalk.import_predictions("a.json", project, branch="b", min_confidense=0.5)
    ropewalk.import_predictions("a.json", project, branch="b", dry_run="yes")
    ropewalk.import_predictions("a.json", project, branch="b", on_existing="overwrite")
    ropewalk.convert("a.json", "out.ndjson", project, jobs=2)
    ropewalk.read_table("a.parquet", unit="percent")
    ropewalk.evaluate("a.json", "b.json", iou="boxes")
"""


def mypy(script: Path) -> list[str]:
    # In the repository's folder, whose cache the lints have filled.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--no-error-summary", str(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if ": error: " in line]


def test_mypy_passes_a_right_script(tmp_path: Path) -> None:
    script = tmp_path / "right.py"
    script.write_text(SCRIPT)
    assert mypy(script) == []


def test_mypy_finds_what_is_wrong_with_a_script(tmp_path: Path) -> None:
    script = tmp_path / "wrong.py"
    script.write_text(WRONG)
    found = mypy(script)
    assert [int(line.split(":")[1]) for line in found] == [5, 6, 7, 8, 9, 10], found
    assert "min_confidense" in found[0] and "dry_run" in found[1]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"dry_run": "yes"}, "dry_run is 'yes'; expected True or False"),
        ({"jobs": 0}, "jobs is 0; expected a whole number of at least 1"),
        ({"jobs": 2.0}, "jobs is 2.0; expected a whole number of at least 1"),
        ({"jobs": True}, "jobs is True; expected a whole number of at least 1"),
        ({"decimals": 18}, "decimals is 18; expected a whole number from 0 to 17"),
        ({"timeout": 0}, "timeout is 0; expected a number above 0"),
        ({"timeout": float("inf")}, "timeout is inf; expected a number above 0"),
        ({"min_confidence": float("nan")}, "min_confidence is nan; expected a number from 0 to 1"),
        ({"on_existing": "x"}, "on_existing is 'x'; expected one of fail, skip, replace, merge"),
        ({"off_image": None}, "off_image is None; expected one of clip, keep, reject"),
        ({"class_map": 7}, "class_map is 7; expected a path or a dict"),
        ({"only_classes": [1]}, "only_classes is [1]; expected a list of names"),
        ({"confidence_field": 1}, "confidence_field is 1; expected text"),
        ({"annotations": "missing.json"}, "annotations missing.json: no such file"),
        ({"max_rejects": "5x"}, "max_rejects is '5x'; expected a whole number, or a percentage such as 0.5%"),
        ({"min_confidense": 0.5}, "unknown option min_confidense; did you mean min_confidence?"),
        ({"zebra": 1}, "unknown option zebra"),
        ({"verify": True, "dry_run": True}, "verify reads back what was written, dry_run writes nothing"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(option: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        made(importing.ImportOptions, option)
    assert str(caught.value).startswith(message)
    with on_command_line(), pytest.raises(UsageError) as caught:
        made(importing.ImportOptions, option)
    assert f"--{next(iter(option)).replace('_', '-')}" in str(caught.value)


def test_values_become_the_types_that_are_declared() -> None:
    options = made(
        importing.ImportOptions,
        {"work_dir": "work", "only_media": ["a*", "b"], "only_classes": "Car", "timeout": 5, "max_rejects": 7},
    )
    assert (options.work_dir, options.only_media, options.only_classes) == (Path("work"), ("a*", "b"), ("Car",))
    assert (options.timeout, options.max_rejects) == (5.0, 7)
    assert made(importing.ImportOptions, {"only_media": []}).only_media is None


def test_every_option_says_what_it_does() -> None:
    for family in (importing.ImportOptions, EvaluateOptions, SyncOptions, AccountOptions):
        for name, field in fields_of(family).items():
            assert field.opt.help.endswith(".") and field.opt.help[0].isupper(), name
            takes_a_value = bool not in field.types
            assert takes_a_value == bool(field.choices or field.opt.metavar), name
            # A default of None says nothing by itself, unless it is nothing.
            assert NoneType in field.types or field.default is not None, name


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.ndjson"
    path.write_text('{"media": "still.jpg", "class": "Car", "box": [1, 2, 3, 4], "unit": "px"}\n')
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.json"
    path.write_text('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]')
    return path


@pytest.mark.parametrize(
    ("options", "name"),
    [({"box_format": "corners"}, "box_format"), ({"include_crowd": True}, "include_crowd")],
)
def test_an_option_that_no_source_takes_is_refused(rows: Path, options: Any, name: str) -> None:
    label = f"{rows.parent.name}/rows.ndjson"
    expected = (
        f"{name} does not apply to these sources: ndjson ({label}) takes unit, frame_base, frame_stride and score"
    )
    for call in (
        lambda: convert(rows, rows.parent / "out.parquet", work_dir=rows.parent, **options),
        lambda: ropewalk.import_predictions(rows, make_snapshot(), branch="b", dry_run=True, **options),
        lambda: ropewalk.evaluate(rows, {"images": [], "annotations": [], "categories": []}, **options),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert str(caught.value) == expected


def test_each_source_is_given_what_its_format_takes(rows: Path, results: Path) -> None:
    with pytest.raises(UsageError, match="confidence_field does not apply to these sources: ndjson"):
        convert(rows, rows.parent / "out.parquet", confidence_field="score")
    report = convert(
        [rows, results], rows.parent / "out.parquet", work_dir=rows.parent, unit="px", confidence_field="score"
    )
    assert report.annotations_written == 2


@pytest.mark.parametrize(
    "options",
    [{"class_": "Car"}, {"classes": ["Car", "Bus"]}, {"media": "still.jpg"}, {"pixel_base": 1}, {"png_dir": "pngs"}],
)
def test_options_that_no_format_here_takes_are_refused_of_every_format(
    rows: Path, results: Path, options: dict[str, Any]
) -> None:
    for source in (rows, results, ropewalk.read_table([{"media": "a"}])):
        with pytest.raises(UsageError, match=rf"{next(iter(options))} does not apply to these sources"):
            convert(source, rows.parent / "out.parquet", **options)


def test_class_is_the_one_option_that_python_spells_otherwise() -> None:
    with on_command_line():
        assert spelt("class_") == "--class"
    assert [name for name in fields_of(EvaluateOptions) if name.endswith("_")] == ["class_"]
    with pytest.raises(UsageError, match="unknown option class; did you mean class_"):
        made(ReadOptions, {"class": "Car"})


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"frame_pattern": "no groups"}, "has no group named"),
        ({"only_media": "[a"}, '"[a": '),
    ],
)
def test_what_the_core_finds_wrong_is_spelt_as_the_caller_does(
    results: Path, options: dict[str, Any], problem: str
) -> None:
    (name,) = options
    for spelling in (nullcontext(), on_command_line()):
        with spelling, pytest.raises(UsageError) as caught:
            ropewalk.import_predictions(results, make_snapshot(), branch="b", dry_run=True, **options)
        expected = name if isinstance(spelling, nullcontext) else f"--{name.replace('_', '-')}"
        assert str(caught.value).startswith(f"{expected} {problem}")


def test_predictions_bring_their_options(rows: Path) -> None:
    predictions = ropewalk.read_table(rows, unit="px")
    assert predictions.options == ReadOptions(format="ndjson", unit="px")
    with pytest.raises(UsageError, match="box_format does not apply"):
        convert(predictions, rows.parent / "out.parquet", box_format="xywh")


def test_a_family_lists_its_own_options_first() -> None:
    assert list(fields_of(ReadOptions))[:2] == ["format", "source_label"]
    assert list(fields_of(ReadOptions))[-2:] == list(fields_of(FrameOptions))
