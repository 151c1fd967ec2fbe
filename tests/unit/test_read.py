"""`ropewalk.read` takes a source of every format, with the options that the format takes."""

from __future__ import annotations

import doctest
import json
import os
from pathlib import Path
from typing import Any

import polars
import pytest

import ropewalk
from ropewalk import _core
from ropewalk.errors import UsageError
from ropewalk.reading import predictions
from test_archives import zipped

FORMATS = Path(__file__).parents[1] / "formats"
NAMES = [info["name"] for info in _core.formats() if info["suffixes"] or info["members"]]
LINE = "1,7,20,30,40,10,0.5,-1,-1,-1\n"


def options_of(name: str) -> dict[str, Any]:
    """Give the options of a format's examples; a text that names a file beside them is that file."""
    home = FORMATS / name
    options: dict[str, Any] = json.loads(path.read_text()) if (path := home / "options.json").exists() else {}
    return {
        option: home / value if isinstance(value, str) and (home / value).is_file() else value
        for option, value in options.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_every_format(name: str) -> None:
    options, found = options_of(name), []
    for kind, chosen in (("good", {}), ("named", {"format": name})):
        for example in sorted((FORMATS / name / kind).glob("[!.]*")):
            predictions = ropewalk.read(example, **(options | chosen))
            found.append(predictions.to_polars())
            opened = predictions.open()
            assert sum(map(len, opened)) == len(found[-1]) and not opened.rejects
    lines = map(json.loads, (FORMATS / name / "expected.ndjson").read_text(encoding="utf-8").splitlines())
    columns = ("source", "media", "frame", "class", "track", "score", "shape")
    assert polars.concat(found).select(columns).rows() == [
        tuple(line.get(column, 0 if column == "frame" else None) for column in columns) for line in lines
    ]


def test_a_folder_and_an_archive_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("b", "a"):
        (folder / f"{name}.txt").write_text(LINE)
    (tmp_path / "packed").mkdir()
    archive = zipped(folder, tmp_path / "packed", None)
    tables = [ropewalk.read(source, class_="Car").to_polars() for source in (folder, os.fspath(folder), archive)]
    assert tables[0]["source"].to_list() == ["run/a.txt", "run/b.txt"]
    assert tables[0].equals(tables[1]) and tables[0].equals(tables[2])


def test_labels_and_rejects(tmp_path: Path) -> None:
    path = tmp_path / "seq.txt"
    path.write_text(LINE + "1,8,20,30,-40,10,0.5,-1,-1,-1\n")
    found = ropewalk.read(path, class_="Car", source_label="model-1")
    opened = found.open()
    assert polars.concat(map(polars.DataFrame, opened))["source"].to_list() == ["model-1"]
    assert [reject["code"] for reject in opened.rejects] == ["negative_box"]
    assert set(ropewalk.read(path, class_="Car", label_parts=1).to_polars()["source"]) == {"seq.txt"}
    # It is read anew each time.
    path.write_text(2 * LINE)
    assert found.to_polars()["offset"].to_list() == [0, len(LINE)]


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("seq.txt", {"format": "mott"}, "format is 'mott'; expected one of auto, "),
        ("seq.txt", {"include_crowd": True}, r"include_crowd does not apply to these sources: mot \(.*seq.txt\) takes"),
        ("seq.txt", {"clas": "Car"}, "unknown option clas; did you mean class"),
        ("seq.txt", {"score": "keep"}, "score is 'keep'"),
        ("other.txt", {}, "other.txt: no such file or folder"),
        ("*.txt", {}, r"\*.txt names 2 sources; give one file or folder"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, path: str, options: dict[str, Any], message: str) -> None:
    for name in ("seq.txt", "walk.txt"):
        (tmp_path / name).write_text(LINE)
    with pytest.raises(UsageError, match=message):
        ropewalk.read(tmp_path / path, **options)


@pytest.mark.parametrize("given", [[], ["a.txt"], {"images": []}, polars.DataFrame(), b"[]", None])
def test_what_is_not_a_path_is_told_where_it_goes(given: Any) -> None:
    with pytest.raises(
        UsageError, match="is not a path; tables in memory go to read_table, documents of COCO to read_co"
    ):
        ropewalk.read(given)


def test_the_examples_run() -> None:
    results = doctest.testmod(predictions)
    assert results.attempted > 8 and not results.failed
