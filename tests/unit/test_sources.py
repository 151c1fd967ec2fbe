"""Which files an import reads, and the labels they go by."""

from __future__ import annotations

from pathlib import Path

import pytest

from ropewalk.errors import UsageError
from ropewalk.reading.sources import find_sources


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[]")


def labels(*given: str | Path) -> list[str]:
    return [source.label for source in find_sources(given)]


def test_a_file_goes_by_its_name(tmp_path: Path) -> None:
    make(tmp_path, "b/run.json")
    (source,) = find_sources(tmp_path / "b" / "run.json")
    assert (source.label, source.len_bytes) == ("run.json", 2)


def test_folders_are_searched_below_and_ordered(tmp_path: Path) -> None:
    make(tmp_path, "b.json", "a/c.ndjson", "a/d.jsonl", "a/notes.txt", ".ropewalk/rejects.ndjson", ".hidden.json")
    assert labels(tmp_path) == ["c.ndjson", "d.jsonl", "b.json"]


def test_files_that_share_a_name_go_by_the_path_below_their_common_folder(tmp_path: Path) -> None:
    make(tmp_path, "x/one/p.json", "x/two/deep/p.json", "only.json")
    assert labels(tmp_path) == ["only.json", "one/p.json", "two/deep/p.json"]
    assert labels(tmp_path / "x" / "one") == ["p.json"]


def test_globs_cross_folders_and_a_file_counts_once(tmp_path: Path) -> None:
    make(tmp_path, "a/p1.json", "b/p2.json", "b/q.json")
    assert labels(tmp_path / "**" / "p*.json", tmp_path / "a" / "p1.json") == ["p1.json", "p2.json"]


def test_a_name_with_brackets_is_a_file_first(tmp_path: Path) -> None:
    make(tmp_path, "run[1].json")
    assert labels(tmp_path / "run[1].json") == ["run[1].json"]


def test_a_label_for_one_source(tmp_path: Path) -> None:
    make(tmp_path, "a.json", "b.json")
    assert find_sources(tmp_path / "a.json", "run 7")[0].label == "run 7"
    with pytest.raises(UsageError, match="2 were found"):
        find_sources(tmp_path, "run 7")


@pytest.mark.parametrize("name", ["missing.json", "*.json", "empty"])
def test_nothing_found_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
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
    assert labels(tmp_path / "a") == ["p.json", "q.ndjson"]
    # Beside its plain form each needs a name of its own.
    make(tmp_path, "a/p.json")
    assert labels(tmp_path / "a") == ["p.json", "p.json.gz", "q.ndjson"]
