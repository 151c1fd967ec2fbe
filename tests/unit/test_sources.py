"""Which sources an import reads, and the labels they go by."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ropewalk.errors import UsageError
from ropewalk.reading.options import ReadOptions
from ropewalk.reading.sources import files_read, find_sources


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[]")


def labels(*given: str | Path) -> list[str]:
    return [source.name for source in find_sources(given)]


def test_a_file_goes_by_its_folder_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "b/run.json")
    (source,) = find_sources(tmp_path / "b" / "run.json")
    assert (source.name, source.len_bytes) == ("b/run.json", 2)
    monkeypatch.chdir(tmp_path / "b")
    assert labels("run.json") == labels(os.path.join("..", "b", "run.json")) == ["b/run.json"]


def test_a_label_does_not_depend_on_other_sources(tmp_path: Path) -> None:
    make(tmp_path, "x/one/p.json", "x/two/deep/p.json", "only.json")
    found = labels(tmp_path / "only.json", tmp_path / "**" / "p.json")
    assert found == [f"{tmp_path.name}/only.json", "one/p.json", "deep/p.json"]
    assert labels(tmp_path / "x" / "one" / "p.json") == ["one/p.json"]


def test_a_folder_is_one_source(tmp_path: Path) -> None:
    make(tmp_path, "run/b.json", "run/a/c.ndjson", "run/.hidden.json")
    (source,) = find_sources(tmp_path / "run")
    # Of the files that are not hidden.
    assert (source.name, source.is_folder, source.len_bytes) == ("run", True, 4)


def test_globs_cross_folders_and_a_file_counts_once(tmp_path: Path) -> None:
    make(tmp_path, "a/p1.json", "b/p2.json", "b/q.json")
    assert labels(tmp_path / "**" / "p*.json", tmp_path / "a" / "p1.json") == ["a/p1.json", "b/p2.json"]


def test_a_name_with_brackets_is_a_file_first(tmp_path: Path) -> None:
    make(tmp_path, "a/run[1].json")
    assert labels(tmp_path / "a" / "run[1].json") == ["a/run[1].json"]


def test_a_label_for_all_sources(tmp_path: Path) -> None:
    make(tmp_path, "a/x.json", "b/x.json", "c/y.json")
    found = find_sources([tmp_path / "*" / "*.json", tmp_path / "c"], "run 7")
    assert {source.name for source in found} == {"run 7"} and len(found) == 4


def test_a_label_has_as_many_parts_as_asked_for(tmp_path: Path) -> None:
    make(tmp_path, "one/deep/x.json", "two/deep/x.json")
    paths = [tmp_path / "one" / "deep" / "x.json", tmp_path / "two" / "deep" / "x.json"]
    found = find_sources(paths, label_parts=3)
    assert [source.name for source in found] == ["one/deep/x.json", "two/deep/x.json"]
    with pytest.raises(UsageError) as refused:
        find_sources(paths)
    assert all(str(path) in str(refused.value) for path in paths)
    assert "'deep/x.json'" in str(refused.value) and "source_label NAME" in str(refused.value)
    assert find_sources(paths[:1], label_parts=1)[0].name == "x.json"
    # Folders are told apart by their files.
    assert labels(tmp_path / "one" / "deep", tmp_path / "two" / "deep") == ["deep", "deep"]


@pytest.mark.parametrize("name", ["missing.json", "*.json"])
def test_nothing_found_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no "):
        find_sources(tmp_path / name)


def test_a_hostile_name_is_escaped_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        find_sources(tmp_path / "a\x1b[31m\n.json")
    assert "\x1b" not in str(refused.value) and "\\x1b" in str(refused.value)


def test_no_source_at_all() -> None:
    with pytest.raises(UsageError, match="at least one"):
        find_sources([])


def test_a_compressed_file_goes_by_the_name_of_what_it_holds(tmp_path: Path) -> None:
    make(tmp_path, "a/p.json.gz", "a/q.ndjson.ZST", "a/notes.gz")
    assert labels(tmp_path / "a" / "*") == ["a/notes", "a/p.json", "a/q.ndjson"]


def test_what_is_read_is_known_in_folders_too(tmp_path: Path) -> None:
    make(tmp_path, "run/a.json", "b.json", "gt.json")
    read = files_read(
        find_sources([tmp_path / "run", tmp_path / "b.json"]), ReadOptions(annotations=tmp_path / "gt.json")
    )
    below = tmp_path.resolve()
    assert all(below / name in read for name in ("run/a.json", "b.json", "gt.json"))
    # A file that does not exist yet cannot be one that is read.
    assert below / "run" / "report.json" not in read and below / "c.json" not in read
