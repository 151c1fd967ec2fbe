"""`--sdk-calls`: the SDK's public calls alone lead to the same label rows, and fail in the same terms."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
from encord import Project
from encord.exceptions import CorruptedLabelError, GenericServerError, PayloadTooLargeError, RequestException
from encord.objects import LabelRowV2

from ropewalk import rollback, verify_predictions
from ropewalk.errors import AccessError
from ropewalk.ledger.ledger import find_ledgers
from ropewalk.summary import report_lines
from workbench import Bench, box, dataset, ring

CONTENT = dataset([box(1), box(2), *(box(10 + n, image=100 + n, track_id=7) for n in range(3)), ring(20, image=2)])
MORE = dataset([box(3, score=0.5), box(30, image=105)])


def test_rows_equal_those_of_direct_calls(bench: Bench) -> None:
    direct = bench.run(CONTENT)
    expected = times_aside(bench.rows())
    roll_back(bench)
    report = bench.run(CONTENT, sdk_calls=True, verify=True)
    assert times_aside(bench.rows()) == expected
    assert report.annotations_written == direct.annotations_written == 6
    assert report.verification is not None and report.verification["equal"] == 6
    again = bench.run(CONTENT, sdk_calls=True)
    assert (again.annotations_already_there, again.label_rows_saved) == (6, 0)

    bench.run(MORE, on_existing="merge", sdk_calls=True)
    merged = times_aside(bench.rows())
    assert merged != expected
    roll_back(bench)
    assert times_aside(bench.rows()) == expected
    bench.run(MORE, on_existing="merge")
    assert times_aside(bench.rows()) == merged


def roll_back(bench: Bench) -> None:
    name = find_ledgers(bench.folder / "work", branch=bench.branch)[-1].name
    assert bench.cli("rollback", *bench.arguments("--yes", "--ledger", name, "--also-edited")).code == 0


def times_aside(value: Any) -> Any:
    """Leave out creation times: two imports have two."""
    if isinstance(value, dict):
        return {k: times_aside(v) for k, v in value.items() if k not in ("createdAt", "lastEditedAt")}
    return [times_aside(item) for item in value] if isinstance(value, list) else value


def test_the_command_line_takes_it(bench: Bench) -> None:
    source = bench.write(CONTENT)
    assert bench.cli_import(source, "--sdk-calls").code == 0
    assert bench.cli("rollback", *bench.arguments("--sdk-calls", "--yes")).code == 0
    assert bench.objects() == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CorruptedLabelError("no such shape"), "server_refused"),
        (PayloadTooLargeError("too much"), "row_too_large"),
        (RequestException("broken"), "no_answer"),
        (GenericServerError("down"), "no_answer"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_row_that_fails_costs_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    save = LabelRowV2.save

    def picky(self: LabelRowV2, *args: Any, **kwargs: Any) -> None:
        if self.data_title == "still.jpg":
            raise error
        save(self, *args, **kwargs)

    monkeypatch.setattr(LabelRowV2, "save", picky)
    report = bench.run(CONTENT, sdk_calls=True, retry_seconds=0.1)
    assert (report.rejects_by_code, report.label_rows_saved, report.label_rows_failed) == ({code: 2}, 2, 1)


def test_a_key_that_is_refused_stops_the_import(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from encord.exceptions import AuthorisationError

    def refuse(*_: Any, **__: Any) -> None:
        raise AuthorisationError("not you: Authorization: canary")

    monkeypatch.setattr(Project, "list_label_rows_v2", refuse)
    with pytest.raises(AccessError, match="not you") as raised:
        bench.run(CONTENT, sdk_calls=True)
    assert "canary" not in str(raised.value) and raised.value.__context__ is None


class OnlyPublic:
    """A project as a later SDK may have it: its private members are called something else."""

    def __init__(self, project: Project) -> None:
        self._moved = project

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name=name, obj=self)
        return getattr(self._moved, name)


def test_an_sdk_that_is_built_otherwise_is_asked_by_its_public_calls(bench: Bench) -> None:
    said = f"the encord SDK {version('encord')} has no OnlyPublic._client, so its public calls were used instead"
    source, project = bench.write(CONTENT), OnlyPublic(bench.project)
    report = bench.run(source, project=project, verify=True)
    assert report.annotations_written == 6 and report.notices[0].startswith(said)
    assert report.verification is not None and report.verification["equal"] == 6
    assert any(line.startswith(said) for line in report_lines(report, "written"))
    found = verify_predictions(source, project, branch=bench.branch, work_dir=bench.folder / "work")
    assert (found.equal, found.notices) == (6, report.notices)
    undone = rollback(project, branch=bench.branch, work_dir=bench.folder / "work", confirm=lambda _: True)
    assert undone is not None and (undone.emptied, undone.notices) == (3, report.notices)
