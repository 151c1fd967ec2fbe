"""The command line's edges: usage, exit codes, secrets, start-up cost. What needs the core is tested end to end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from typer.testing import CliRunner

from ropewalk.cli.commands import app
from ropewalk.project.snapshot import write_snapshot
from snapshots import make_snapshot

RUNNER = CliRunner()
SECRET_VARIABLES = ("ENCORD_SSH_KEY", "ENCORD_SSH_KEY_FILE", "ENCORD_DOMAIN")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in SECRET_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "predictions.json"
    path.write_text("[]")
    return path


def run(*arguments: str | Path) -> tuple[int, str]:
    result = RUNNER.invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.json", "--branch", "b", "--project", "p"], "no such file"),
        (["predictions.json", "--branch", "b"], "give --project"),
        (["predictions.json", "--branch", "b", "--project", "p", "--project-file", "f"], "give --project"),
        (["predictions.json", "--branch", "b", "--project-file", "f"], "--dry-run"),
        (["predictions.json", "--branch", "b", "--project", "p", "--jobs", "0"], "--jobs is 0"),
        (["predictions.json", "--branch", "b", "--project", "p", "--on-existing", "x"], "fail, skip, replace, merge"),
        (["predictions.json", "--branch", "b", "--project", "p", "--max-rejects", "5x"], "--max-rejects"),
        (["predictions.json", "--branch", "b", "--project", "p", "--format", "voc"], "expected one of auto, coco"),
        (["predictions.json", "--branch", "b", "--project", "p", "--annotations", "gt.json"], "gt.json: no such file"),
        (["predictions.json", "--branch", "b", "--project", "p"], "no key"),
        (["predictions.json", "--project", "p"], "--branch"),
        (["--branch", "b", "--project", "p"], "SOURCE"),
    ],
)
def test_usage_errors_exit_with_2(source: Path, arguments: list[str], said: str) -> None:
    code, output = run("import", *arguments)
    assert (code, said in " ".join(output.split())) == (2, True), output


@pytest.mark.parametrize("branch", ["main", "encord-1", "a b"])
def test_a_refused_branch_name_is_a_blocker(source: Path, branch: str) -> None:
    code, output = run("import", source, "--project", "p", "--branch", branch)
    assert code == 1 and branch in output


def test_a_class_map_with_an_unknown_hash_is_named(source: Path, tmp_path: Path) -> None:
    write_snapshot(make_snapshot(), tmp_path / "project.json")
    (tmp_path / "map.json").write_text('{"1": "obj-none"}')
    code, output = run(
        "import", source, "--branch", "b", "--dry-run", "--project-file", "project.json", "--class-map", "map.json"
    )
    assert (code, "obj-none" in output) == (2, True), output


def test_convert_refuses_names_it_does_not_know(source: Path) -> None:
    assert run("convert", source, "--out", "x.csv")[0] == 2
    code, output = run("convert", source, "--out", "x.ndjson")
    assert code == 2 and "--project-file" in output


def private_key(kind: str) -> bytes:
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ed25519.Ed25519PrivateKey.generate()
    protection = BestAvailableEncryption(b"canary-passphrase") if kind == "passphrase" else NoEncryption()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, protection)
    return text[: len(text) // 2] if kind == "cut" else text


@pytest.mark.parametrize("kind", ["rsa", "passphrase", "cut"])
@pytest.mark.parametrize("given_as", ["option", "variable", "file variable"])
def test_a_key_that_does_not_work_is_never_shown(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, given_as: str
) -> None:
    pytest.importorskip("bcrypt") if kind == "passphrase" else None
    key = private_key(kind)
    path = tmp_path / "key"
    path.write_bytes(key)
    extra: list[str | Path] = []
    if given_as == "option":
        extra = ["--ssh-key", path]
    elif given_as == "variable":
        monkeypatch.setenv("ENCORD_SSH_KEY", key.decode())
    else:
        monkeypatch.setenv("ENCORD_SSH_KEY_FILE", str(path))
    code, output = run("import", source, "--branch", "b", "--project", "p", *extra)
    assert code == 2
    assert "passphrase" in output if kind == "passphrase" else "Ed25519" in output
    lines = [line for line in key.decode().splitlines() if "-----" not in line]
    assert not any(line[:16] in output for line in lines)


def test_a_domain_that_is_none(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(private_key("ed25519"))
    code, output = run(
        "import", source, "--branch", "b", "--project", "p", "--ssh-key", path, "--domain", "user:canary@host"
    )
    assert code == 2 and "canary" not in output


def test_module_and_import_cost() -> None:
    shown = subprocess.run([sys.executable, "-m", "ropewalk", "--help"], capture_output=True, text=True, check=True)
    assert all(name in shown.stdout for name in ("import", "convert", "snapshot", "emulator", "show"))
    code = (
        "import sys, ropewalk, ropewalk.cli; assert 'import_predictions' in dir(ropewalk); "
        "heavy = {'numpy', 'polars', 'encord', 'rich', 'typer', 'requests'} & set(sys.modules); sys.exit(bool(heavy))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
