"""An archive is read as the folder that it unpacks to, and never leads out of itself."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ropewalk import _core
from ropewalk.errors import RopewalkError, SourceError
from ropewalk.reading.sources import Source, find_sources

FORMATS = Path(__file__).parents[1] / "formats"
FOLDERS = sorted(
    path
    for pattern in ("*/good/*", "*/named/*", "*/malformed/*/*")
    for path in FORMATS.glob(pattern)
    if path.is_dir() and not path.name.startswith(".")
)


def zipped(folder: Path, out: Path, top: str | None, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Pack what is in a folder, below a folder `top` of the archive where one is given."""
    path = out / f"{folder.name}.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        # In another order than a folder's.
        for file in sorted(folder.rglob("*"), reverse=True):
            archive.write(file, file.relative_to(folder) if top is None else Path(top, file.relative_to(folder)))
    return path


def tarred(folder: Path, out: Path, top: str | None, suffix: str = ".tar") -> Path:
    """As `zipped`."""
    path = out / f"{folder.name}{suffix}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if suffix in (".tar.gz", ".tgz") else "w") as archive:
        for file in sorted(folder.rglob("*"), reverse=True):
            name = file.relative_to(folder) if top is None else Path(top, file.relative_to(folder))
            # As GNU tar does in the folder itself.
            archive.add(file, name if top else f"./{name}", recursive=False)
    path.write_bytes(buffer.getvalue())
    return path


PACKED: dict[str, Callable[[Path, Path], Path]] = {
    "zip": lambda folder, out: zipped(folder, out, None),
    "stored zip with its folder": lambda folder, out: zipped(folder, out, folder.name, zipfile.ZIP_STORED),
    "tar": lambda folder, out: tarred(folder, out, None),
    "tar with its folder": lambda folder, out: tarred(folder, out, folder.name),
    "tar.gz": lambda folder, out: tarred(folder, out, folder.name, ".tar.gz"),
    "tgz": lambda folder, out: tarred(folder, out, None, ".tgz"),
}


def options_of(example: Path) -> tuple[str | None, str]:
    """Give the format that an example is read as, None for the one that it tells, and its options."""
    home = FORMATS / example.relative_to(FORMATS).parts[0]
    given = json.loads(path.read_text()) if (path := home / "options.json").exists() else {}
    values = {
        name: str(home / value) if isinstance(value, str) and (home / value).is_file() else value
        for name, value in given.items()
    }
    tells = "good" in example.parts or not (home / "named").exists()
    return values.pop("format", None if tells else home.name), json.dumps(values)


def read(source: Path, format: str | None = None, options: str = "{}") -> tuple[Any, ...]:
    """Give rows, rejects and counts, or the error; a path as that of the folder."""

    def as_folder(text: str) -> str:
        name = source.name.split(".")[0]
        return text.replace(f"{source}/{name}", "FOLDER").replace(str(source), "FOLDER").replace(str(source.parent), "")

    try:
        opened = _core.read(source, None, format, options)
        rows = polars.concat([polars.DataFrame(_core.AnnotationBatch.empty()), *map(polars.DataFrame, opened)])
    except RopewalkError as e:
        return type(e), as_folder(str(e))
    counts: Any = opened.counts
    counts["left_out_names"] = list(map(as_folder, counts["left_out_names"]))
    return rows.rows(), opened.rejects, counts


@pytest.mark.parametrize("example", FOLDERS, ids=lambda path: str(path.relative_to(FORMATS)))
def test_an_archive_is_its_folder(tmp_path: Path, example: Path) -> None:
    """Rows, rejects, counts and errors are the same, labels among them."""
    folder = tmp_path / "folder" / example.name
    shutil.copytree(example, folder)
    options = options_of(example)
    expected = read(folder, *options)
    for name, pack in PACKED.items():
        out = tmp_path / name
        out.mkdir()
        assert read(pack(folder, out), *options) == expected, name


def test_there_are_examples_of_folders() -> None:
    """Good ones, and ones with rejects and with errors."""
    found = {path.relative_to(FORMATS).parts[1] for path in FOLDERS}
    assert found == {"good", "named", "malformed"} and len(FOLDERS) > 50


LINE = "Car 0 0 -1.57 5 6 25 20 1 1 3 0 1 46 -1 0.9\n"
NDJSON = '{"media": "a.jpg", "class": "Car", "box": [1, 2, 3, 4], "unit": "px"}\n'


def make_zip(path: Path, members: dict[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            # Taken as it is: writing by a name would put slashes right.
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, compression
            archive.writestr(info, content)
    return path


def make_tar(path: Path, members: dict[str, str | bytes | tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def media_of(path: Path, **options: Any) -> list[str]:
    return [row[3] for row in read(path, **options)[0]]


@pytest.mark.parametrize("name", ["/etc/a.txt", "../a.txt", "labels/../../a.txt", "C:/a.txt", "C:\\a.txt"])
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, make: Any, name: str) -> None:
    path = make(tmp_path / ("run.zip" if make is make_zip else "run.tar"), {"good.txt": LINE, name: LINE})
    with pytest.raises(
        SourceError, match=r"run\.(zip|tar): byte \d+: the path of its member .* leads out of the archive"
    ):
        _core.read(path)


@pytest.mark.parametrize("name", ["..\\a.txt", "\\a.txt"])
def test_a_path_of_windows_that_leads_out_of_a_zip_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="leads out of the archive; make it anew, with relative paths"):
        _core.read(make_zip(tmp_path / "run.zip", {"good.txt": LINE, name: LINE}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = make_tar(tmp_path / "run.tar", {"a.txt": LINE, "b.txt": link("labels/b.txt", "/etc/passwd", kind)})
    with pytest.raises(SourceError, match="its member labels/b.txt is a link, and links may lead out.*--dereference"):
        _core.read(path)


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("b.txt")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(SourceError, match="run.zip: byte 0: its member b.txt is a link"):
        _core.read(path)


def test_what_is_packed_in_another_way_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "run.zip", {"a.txt": LINE}, zipfile.ZIP_BZIP2)
    with pytest.raises(SourceError, match="its member a.txt is packed in a way .* deflate or none; unpack the archive"):
        _core.read(path)
    encrypted = bytearray(make_zip(tmp_path / "run.zip", {"a.txt": LINE}).read_bytes())
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(encrypted)
    with pytest.raises(SourceError, match="its member a.txt is encrypted; unpack the archive and give the folder"):
        _core.read(path)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    """300 MB of nothing; also where the archive says less of itself."""
    content = bytes(300_000_000)
    path = make_zip(tmp_path / "run.zip", {"a.txt": content})
    with pytest.raises(
        SourceError, match="run.zip: byte 0: it unpacks to more than 250 times its size; unpack it first"
    ):
        _core.read(path)
    lying = path.read_bytes().replace(len(content).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    path.write_bytes(lying)
    with pytest.raises(SourceError, match="run.zip/a.txt: byte 0: it does not unpack to the 1000 bytes"):
        _core.read(path)
    path = make_tar(tmp_path / "run.tar.gz", {"a.txt": content})
    with pytest.raises(SourceError, match="run.tar.gz: byte 0: it decodes to more than 250 times its size"):
        _core.read(path)


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    for name, pattern in (
        ("run.zip", r"run.zip: byte 0: this is not a zip archive, or it is damaged"),
        ("run.tar", r"run.tar: byte 0: this is not a tar archive, or it is damaged"),
        ("run.tgz", r"run.tgz: byte 0: this is not a tar archive, or it is damaged"),
    ):
        path = tmp_path / name
        path.write_text(LINE * 20)
        with pytest.raises(SourceError, match=pattern):
            _core.read(path)
    whole = make_zip(tmp_path / "run.zip", {"a.txt": LINE}).read_bytes()
    (tmp_path / "run.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="not a zip archive, or it is damaged"):
        _core.read(tmp_path / "run.zip")
    changed = whole.replace(zipfile.crc32(LINE.encode()).to_bytes(4, "little"), bytes(4))
    (tmp_path / "run.zip").write_bytes(changed)
    with pytest.raises(SourceError, match="run.zip/a.txt: byte 0: its checksum does not match; the archive is damaged"):
        _core.read(tmp_path / "run.zip")
    whole = make_tar(tmp_path / "run.tar", {"a.txt": LINE * 200}).read_bytes()
    (tmp_path / "run.tar").write_bytes(whole[:2048])
    with pytest.raises(SourceError, match=r"run.tar: byte 0: the archive ends in the middle of its member a.txt"):
        _core.read(tmp_path / "run.tar")
    zipped = make_tar(tmp_path / "run.tar.gz", {"a.txt": os.urandom(5000)}).read_bytes()
    (tmp_path / "run.tar.gz").write_bytes(zipped[:3000])
    with pytest.raises(SourceError, match="run.tar.gz: byte 0: its compressed data ends in the middle"):
        _core.read(tmp_path / "run.tar.gz")


def test_an_archive_without_files_is_told(tmp_path: Path) -> None:
    for path in (make_zip(tmp_path / "run.zip", {}), make_tar(tmp_path / "run.tar", {".hidden": "x"})):
        with pytest.raises(RopewalkError, match="no predictions among its files: there are none"):
            _core.read(path)


def test_what_macos_adds_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    members = {"a.txt": LINE, "._a.txt": "\0", "__MACOSX/._a.txt": "\0", ".git/b.txt": LINE, "x/.c/d.txt": LINE}
    for path in (make_zip(tmp_path / "run.zip", members), make_tar(tmp_path / "run.tar", members)):
        assert (media_of(path), read(path)[2]["left_out_files"]) == (["a"], 0)
    # They do not count as files beside a folder, either.
    path = make_zip(tmp_path / "run.zip", {"run/a.txt": LINE, "__MACOSX/run/._a.txt": "\0"})
    assert _core.read(path).counts["left_out_files"] == 0
    assert read(path)[0][0][0] == "run"


def test_slashes_of_windows_are_folders_in_a_zip(tmp_path: Path) -> None:
    members = {"run/": "", "run/labels/drive.mp4__7.txt": LINE, "run/labels/b.txt": "word\n"}
    expected = read(make_zip(tmp_path / "run.zip", members), "kitti")
    (tmp_path / "windows").mkdir()
    of_windows = {name.replace("/", "\\"): content for name, content in members.items()}
    found = read(make_zip(tmp_path / "windows" / "run.zip", of_windows), "kitti")
    assert found == expected and found[1][0]["member"] == "labels/b.txt" and len(found[0]) == 1


def test_a_file_that_is_packed_twice_is_the_later_one(tmp_path: Path) -> None:
    """As when it is unpacked; tar appends a new version."""
    path = tmp_path / "run.tar"
    with tarfile.open(path, "w") as archive:
        for line in (LINE, LINE.replace("Car", "Ship")):
            info = tarfile.TarInfo("a.txt")
            info.size = len(line)
            archive.addfile(info, io.BytesIO(line.encode()))
    assert [row[7] for row in read(path)[0]] == ["Ship"]


def test_an_archive_with_another_name_than_its_folder(tmp_path: Path) -> None:
    """It goes by its own name; what explains the folder is found in it."""
    members = {"run-1/data.yaml": "names: [Car, Ship]\n", "run-1/labels/a.txt": "1 0.5 0.5 0.25 0.125\n"}
    for path in (make_zip(tmp_path / "export.zip", members), make_tar(tmp_path / "export.tgz", members)):
        (row,) = read(path, "yolo")[0]
        assert (row[0], row[3], row[7]) == ("export", "a", "Ship")


def test_files_beside_an_archive_explain_it(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: [Car, Ship]\n")
    path = make_zip(tmp_path / "run.zip", {"labels/a.txt": "1 0.5 0.5 0.25 0.125\n"})
    assert [row[7] for row in read(path, "yolo")[0]] == ["Ship"]


def test_long_and_compressed_members_and_tables(tmp_path: Path) -> None:
    """Members above 1 MiB are unpacked to a file; one may be compressed itself; Parquet is read from its end."""
    lines = NDJSON * 150_000
    table = tmp_path / "table.parquet"
    schema = polars.DataFrame(_core.AnnotationBatch.empty())
    rows = polars.concat([schema, *map(polars.DataFrame, _core.read(NDJSON.encode() * 3, "label"))])
    rows.write_parquet(table)
    folder = tmp_path / "folder" / "run"
    folder.mkdir(parents=True)
    (folder / "long.ndjson").write_text(lines)
    (folder / "longer.ndjson").write_text(lines.replace("Car", "Ship") + NDJSON)
    (folder / "packed.ndjson.gz").write_bytes(gzip.compress(NDJSON.encode() * 2))
    (folder / "table.parquet").write_bytes(table.read_bytes())
    expected = read(folder)
    assert len(expected[0]) == 300_006
    for name in ("zip", "stored zip with its folder", "tar"):
        out = tmp_path / name
        out.mkdir()
        assert read(PACKED[name](folder, out)) == expected, name


def test_an_archive_is_a_source_like_a_folder(tmp_path: Path) -> None:
    names = ["b.zip", "a.ndjson", "c.tar.zst", "d.TGZ", "e.tar", "zip", ".zip"]
    for name in names:
        (tmp_path / name).write_text(NDJSON)
    (tmp_path / "f").mkdir()
    sources = find_sources([tmp_path / name for name in [*names, "f"]])
    assert [(source.name, source.is_folder) for source in sources if source.path.name not in (".zip", "zip")] == [  # type: ignore[union-attr]
        (f"{tmp_path.name}/a.ndjson", False),
        ("b", True),
        ("c", True),
        ("d", True),
        ("e", True),
        ("f", True),
    ]
    assert not Source(tmp_path / ".zip").is_folder and not Source(tmp_path / "zip").is_folder
    assert Source(tmp_path / "b.zip").is_packed and not Source(tmp_path / "e.tar").is_packed
    assert Source(tmp_path / "b.zip").len_bytes == len(NDJSON)


def test_a_tar_of_zstandard(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "run.tar", {"a.txt": LINE, "b.txt": "word\n"})
    expected = read(path, "kitti")
    packed = tmp_path / "run.tar.zst"
    packed.write_bytes(pyarrow.compress(path.read_bytes(), codec="zstd", asbytes=True))
    assert read(packed, "kitti") == expected and len(expected[1]) == 1


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_is_an_error_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    members: dict[str, Any] = {"run/a.txt": LINE, "run/labels/" + "long" * 40 + ".txt": LINE * 9}
    name, make = data.draw(st.sampled_from([("run.zip", make_zip), ("run.tar", make_tar), ("run.tgz", make_tar)]))
    path = make(tmp_path / name, members)  # type: ignore[operator]
    content = bytearray(path.read_bytes().rstrip(b"\0") if name == "run.tar" else path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path.write_bytes(content)
    rows = read(path)[0]
    assert isinstance(rows, list) or issubclass(rows, RopewalkError)
