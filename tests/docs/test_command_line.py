"""The command line has the names that were fixed for it, and says what its documents say."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from documents import ROOT, run_ropewalk

FIXED = {
    "import": "--project --branch --domain --ssh-key --format --annotations --ground-truth --class-map --media-map "
    "--media-from --frame-from --frame-pattern --frame-base --frame-stride --only-classes --only-media --limit-rows "
    "--confidence-field --include-crowd --box-format --min-confidence --every --max-per-frame --decimals --off-image "
    "--simplify --source-label --allow-branch "
    "--on-existing --empty-rows --jobs --threads --work-dir --report --rejects --written --max-rejects --dry-run "
    "--project-file --plan --yes "
    "--batch-rows --batch-bytes --max-inflight-bytes --max-row-bytes --retry-seconds --timeout --verify --sync "
    "--ssh-key-passphrase-env",
    "plan": "--project --project-file --branch --plan --report --rejects --class-map --media-map --domain --ssh-key",
    "verify": "--project --branch --out --allow-extra --json --domain --ssh-key --ssh-key-passphrase-env --class-map",
    "status": "--work-dir --branch --json",
    "rollback": "--project --branch --work-dir --ledger --also-edited --yes --json --ssh-key-passphrase-env",
    "promote": "--project --branch --to --replace --limit-rows --yes --json --jobs --domain --ssh-key",
    "prioritize": "--project --branch --priority-from --against --yes --json --jobs --domain --ssh-key",
    "convert": "--project-file --out --every --max-per-frame --decimals",
    "snapshot": "--project --out --domain --ssh-key",
    "emulator": "--project-file --env --db --port --faults",
    "show": "--project --branch --media --labels --json --out --domain --ssh-key",
    "ontology": "--project --project-file --json --map --out --domain --ssh-key",
    "media": "--project --project-file --media --json --map --out --domain --ssh-key",
    "data-mapping": "--project --project-file --media --json --map --out --domain --ssh-key",
    "evaluate": "--project --project-file --branch --labels --predictions-branch --iou --all-frames --per-class "
    "--per-medium --tracking --confusion --curves --page --json --out --annotations --class-map --work-dir --domain "
    "--ssh-key",
    "preview": "--project --project-file --branch --out --media-dir --frames --json --class-map --work-dir --domain "
    "--ssh-key",
    "inspect": "--project --project-file --json --out --frame-base --frame-stride --frame-pattern --media-map --domain "
    "--ssh-key",
    "map": "--project --project-file --out --frame-pattern --domain --ssh-key",
    "projects": "--query --json --out --domain --ssh-key",
    "sync": "--project --import-as --video-sampling-rate --json --domain --ssh-key",
    "formats": "--json",
    "demo": "--out --annotations --seed",
}


@pytest.mark.parametrize("command", FIXED)
def test_help_lists_the_options(command: str) -> None:
    done = run_ropewalk(command, "--help")
    assert done.returncode == 0, done.stderr
    listed = set(re.findall(r"--[a-z][a-z-]*", done.stdout))
    assert not set(FIXED[command].split()) - listed


def test_help_lists_the_commands() -> None:
    done = run_ropewalk("--help")
    assert done.returncode == 0
    assert not [command for command in FIXED if not re.search(rf"\W{command}\W", done.stdout)]


def test_version() -> None:
    done = run_ropewalk("--version")
    assert (done.returncode, done.stdout) == (0, f"ropewalk {version('ropewalk')}\n")


def test_the_guides_name_no_option_that_does_not_exist() -> None:
    listed = set(re.findall(r"--[a-z][a-z-]*", run_ropewalk("--help").stdout))
    for command in FIXED:
        listed |= set(re.findall(r"--[a-z][a-z-]*", run_ropewalk(command, "--help").stdout))
    for document in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs" / "guide").rglob("*.md")):
        named = set(re.findall(r"--[a-z][a-z-]*", document.read_text(encoding="utf-8")))
        assert not named - listed, document.name


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("import", "nothing.json", "--project", "x", "--branch", "b"), 2, "no such file"),
        (("import", ".", "--branch", "b"), 2, "--project"),
        (("import", "nothing.json", "--project", "x", "--branch", "main"), 1, "--allow-branch"),
        (("import", "nothing.json", "--project", "x", "--branch", "a/b"), 1, "not a branch name"),
        (("no-such-command",), 2, "No such command"),
    ],
)
def test_exit_codes_without_a_connection(arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run_ropewalk(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
