"""Where options come from: the command line, the environment, `ropewalk.toml`; and what all commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ropewalk.cli.commands import app
from ropewalk.cli.guidance import EXAMPLES, GROUPS
from ropewalk.demo.synthetic import write_demo
from ropewalk.emulator import RunningEmulator, running_emulator
from ropewalk.errors import UsageError
from ropewalk.project.snapshot import read_snapshot
from ropewalk.sinks.encord.client import open_project

COMMANDS = typer.main.get_group(app).commands
WIDE = {"COLUMNS": "1000", "NO_COLOR": "1"}


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    write_demo(tmp_path, annotations=300, seed=1)
    with running_emulator(read_snapshot("project.json")) as emulator:
        monkeypatch.setenv("ENCORD_DOMAIN", emulator.url)
        monkeypatch.setenv("ENCORD_SSH_KEY_FILE", str(emulator.ssh_key_path))
        monkeypatch.delenv("ENCORD_PROJECT", raising=False)
        yield emulator


def ran(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments, env=WIDE)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_project_is_found_by_hash_title_and_address(local: RunningEmulator) -> None:
    listed = ran("media", "--project", local.project_hash)
    assert listed[0] == 0 and "street-1.mp4" in listed[1]
    assert ran("media", "--project", "Ropewalk demo") == listed
    address = f"https://app.encord.com/projects/view/{local.project_hash}/summary"
    assert ran("media", "--project", address) == listed
    code, _, err = ran("media", "--project", "ropewalk demo")
    assert (code, "titled ropewalk demo; give its hash, its exact title or its address" in err) == (2, True)


def test_several_projects_of_one_title_are_named_by_hash(
    local: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Twin:
        title = "Ropewalk demo"

        def __init__(self, project_hash: str) -> None:
            self.project_hash = project_hash

    monkeypatch.setattr(
        "encord.EncordUserClient.list_projects", lambda self, title_eq: [Twin("b"), Twin("a"), Twin("c")]
    )
    with pytest.raises(UsageError, match="3 projects are titled Ropewalk demo; give a hash: a, b, c"):
        open_project("Ropewalk demo", ssh_key=local.ssh_key_path, domain=local.url)


def test_the_environment_names_the_project_unless_the_command_line_does(
    local: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCORD_PROJECT", "no such title")
    assert ran("media")[0] == 2
    assert ran("media", "--project", local.project_hash)[0] == 0
    # Files that take the place of a project need no account.
    monkeypatch.setenv("ENCORD_SSH_KEY_FILE", "no such key")
    for line in (
        "media --project-file project.json",
        "ontology --project-file project.json",
        "plan predictions --project-file project.json --branch b",
        "import predictions --project-file project.json --branch b --dry-run",
        "convert predictions --out labels.json",
        "evaluate labels.json --labels labels.json",
    ):
        assert ran(*line.split())[0] == 0, line


def test_a_file_of_settings_gives_options_to_the_commands_that_have_them(local: RunningEmulator) -> None:
    Path("ropewalk.toml").write_text(
        f'project = "{local.project_hash}"\nbranch = "from-file"\nonly-classes = ["car"]\n'
        '[import]\nreport = "report.json"\nmin-confidence = 0.5\n[show]\nbranch = "from-file"\n'
    )
    assert ran("import", "predictions")[0] == 0
    code, out, _ = ran("show")
    assert (code, "\tCar " in out, "Lorry" in out) == (0, True, False)
    assert out.splitlines()[1].startswith("from-file\t")
    assert "min_confidence" in Path("report.json").read_text()
    # The command line wins.
    assert ran("show", "--branch", "other")[0] == 2
    assert ran("media", "--project-file", "project.json")[0] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "ropewalk.toml is not TOML"),
        ("projct = 'a'", 'no command has the option "projct"; did you mean project?'),
        (
            "[import]\nmin-confidense = 1",
            '`import` does not have the option "min-confidense"; did you mean min-confidence?',
        ),
        ("[inport]\nbranch = 'a'", 'no command is named "inport"; did you mean import?'),
    ],
)
def test_a_mistake_in_the_settings_is_named(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ropewalk.toml").write_text(text)
    code, _, err = ran("formats")
    assert (code, said in err) == (2, True), err


def test_quiet_says_nothing_of_what_went_well_and_verbose_logs_requests(local: RunningEmulator) -> None:
    onto = ("--project", local.project_hash, "--branch", "b")
    assert ran("import", "predictions", *onto, "--quiet") == (0, "", "")
    assert ran("verify", "predictions", *onto, "-q") == (0, "", "")
    code, _, err = ran("verify", "predictions", *onto, "--verbose")
    assert (code, "ropewalk.sinks.encord.transport: GET labelrow" in err) == (0, True)
    assert "Authorization" not in err
    code, out, err = ran("import", "spoilt.json", *onto, "--quiet", "--on-existing", "merge")
    assert (code, "rejected: frame_range 1" in out, err) == (3, True, "")


def test_a_command_runs_beside_an_emulator_and_gives_its_exit_code(local: RunningEmulator) -> None:
    serving = ("emulator", "--project-file", "project.json")
    shell = 'test -n "$ENCORD_DOMAIN" -a -f "$ENCORD_SSH_KEY_FILE" -a -n "$ENCORD_PROJECT" && exit 7'
    assert ran(*serving, "--", "sh", "-c", shell)[0] == 7
    assert ran(*serving, "--env", "--", "sh")[0] == 2
    code, _, err = ran(*serving, "--", "no-such-program")
    assert (code, "no-such-program" in err) == (1, True)
    code, _, err = ran("emulator", "--project-file", "missing.json", "--env")
    assert (code, "the emulator did not start" in err, "missing.json" in err) == (1, True, True)


def test_every_command_has_a_group_and_two_examples_of_itself() -> None:
    assert set(COMMANDS) <= GROUPS.keys()
    for name in COMMANDS:
        examples = EXAMPLES[name]
        assert len(examples) == 2
        help_text = ran(name, "-h")[1]
        for example in examples:
            assert f"$ ropewalk {example}" in help_text
            options = {word for word in example.split(" -- ")[0].split() if word.startswith("--")}
            assert all(option in help_text for option in options), example
            assert name in example.split()


def test_common_options_are_in_the_first_panel() -> None:
    panels = ran("import", "--help")[1].partition("Examples:")[0]
    first, _, rest = panels.partition("╭─ Reading")
    for option in ("--branch", "--class-map", "--media-map", "--min-confidence", "--frame-base", "--on-existing"):
        assert option in first and f" {option} " not in rest, option
