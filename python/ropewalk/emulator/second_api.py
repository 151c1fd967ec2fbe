"""The second API: projects, ontology, branches and datasets by address, and what is started in Active."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ropewalk.emulator.filters import like, moment
from ropewalk.emulator.first_api import EmulatorOptions
from ropewalk.emulator.refusals import Refused, invalid, not_found
from ropewalk.emulator.rows import stages_of
from ropewalk.emulator.store import ActiveStart, RowMissing, Store

_ADMIN = 0
_PROJECT_MODES = ("data", "label", "metric", "advanced")
_MOST_FRAMES_PER_SECOND = 1_000_000


def _is(value: str, asked: str) -> bool:
    return value == asked


def _like(value: str, asked: str) -> bool:
    pattern = like(asked, "a fuzzy filter")
    return pattern is not None and pattern.fullmatch(value) is not None


def _before(value: str, asked: str) -> bool:
    limit = moment(asked, "the time of a filter")
    return limit is not None and datetime.fromisoformat(value) < limit


def _after(value: str, asked: str) -> bool:
    limit = moment(asked, "the time of a filter")
    return limit is not None and datetime.fromisoformat(value) > limit


# The client's filter -> the field of the project, and when it fits.
_PROJECT_FILTERS: Mapping[str, tuple[str, Callable[[str, str], bool]]] = {
    "titleEq": ("title", _is),
    "titleLike": ("title", _like),
    "descEq": ("description", _is),
    "descLike": ("description", _like),
    "createdBefore": ("createdAt", _before),
    "createdAfter": ("createdAt", _after),
    "editedBefore": ("lastEditedAt", _before),
    "editedAfter": ("lastEditedAt", _after),
}


class SecondApi:
    """Answers the addresses below `/v2/public/` from a store.

    Args:
        store: The label rows.
        options: How to behave where Encord's behaviour is not known.
    """

    def __init__(self, store: Store, options: EmulatorOptions) -> None:
        self._store = store
        self._options = options
        self._snapshot = store.snapshot
        self._created_at = store.created_at.isoformat()

    def list_projects(self, query: dict[str, str]) -> dict[str, Any]:
        """List the one project, unless a filter excludes it.

        Raises:
            Refused: A filter that the emulator does not know.
        """
        unknown = query.keys() - _PROJECT_FILTERS.keys() - {"includeOrgAccess"}
        if unknown:
            raise invalid(f"the emulator does not filter projects by {sorted(unknown)[0]}")
        project = self._project()
        tests = [
            (project[field], fits, query[name]) for name, (field, fits) in _PROJECT_FILTERS.items() if name in query
        ]
        return _page([project] if all(fits(value, asked) for value, fits, asked in tests) else [])

    def get_project(self, project_hash: str) -> dict[str, Any]:
        """Answer with the project.

        Raises:
            Refused: It is another project.
        """
        self._check_project(project_hash)
        return self._project()

    def get_ontology(self, ontology_hash: str) -> dict[str, Any]:
        """Answer with the project's ontology.

        Raises:
            Refused: It is another ontology.
        """
        if ontology_hash != self._snapshot.ontology_hash:
            raise not_found(f"no ontology {ontology_hash}")
        return {
            "ontologyUuid": self._snapshot.ontology_hash,
            "title": self._snapshot.ontology_title,
            "description": "",
            "editor": self._snapshot.ontology_structure,
            "createdAt": self._created_at,
            "lastEditedAt": self._created_at,
            "userRole": _ADMIN,
        }

    def list_branches(self, project_hash: str) -> dict[str, Any]:
        """List the branches that have label rows, and `main`."""
        self._check_project(project_hash)
        return _page([{"name": name} for name in self._store.branches()])

    def list_datasets(self, project_hash: str) -> dict[str, Any]:
        """List the datasets that the project's data rows come from."""
        self._check_project(project_hash)
        titles = {medium.dataset_hash: medium.dataset_title for medium in self._snapshot.media}
        return _page([{"datasetHash": key, "title": title, "description": ""} for key, title in titles.items()])

    def copy_branch(self, project_hash: str, body: bytes) -> dict[str, Any]:
        """Copy label rows of one branch onto another.

        Raises:
            Refused: A body that makes no sense, a label row that is not on the branch, or it is another project.
        """
        self._check_project(project_hash)
        try:
            payload = json.loads(body)
            source, target = payload["sourceBranchName"], payload["targetBranchName"]
            label_hashes, overwrite = payload["labelUuids"], payload["overwrite"]
        except (ValueError, KeyError, TypeError, RecursionError) as e:
            raise invalid("the request's body is not that of a copy of label rows") from e
        if source == target or not isinstance(overwrite, bool):
            raise invalid("a copy needs two branches, and whether to overwrite")
        on_source = {header.label_hash for header in self._store.headers(source)}
        if not isinstance(label_hashes, list) or not on_source.issuperset(label_hashes):
            raise not_found(f"the branch {source} does not have all of these label rows")
        return {"copiedCount": self._store.copy(label_hashes, target, overwrite=overwrite)}

    def set_priorities(self, project_hash: str, body: bytes) -> Any:
        """Set priorities of tasks.

        Raises:
            Refused: A body that makes no sense, a data row that the project does not have, or it is another project.
        """
        self._check_project(project_hash)
        try:
            priorities = [(data_hash, priority) for data_hash, priority in json.loads(body)["priorities"]]
        except (ValueError, KeyError, TypeError, RecursionError) as e:
            raise invalid("the request's body is not one of priorities") from e
        if any(type(priority) not in (int, float) or not 0 <= priority <= 1 for _, priority in priorities):
            raise invalid("a priority is a number from 0 to 1")
        try:
            self._store.prioritize(priorities)
        except RowMissing as e:
            raise not_found(str(e)) from e
        return {}

    def active_sync(self, project_hash: str) -> Any:
        """Start a sync of the project in Active.

        Raises:
            Refused: The project was never imported into Active, or it is another one.
        """
        self._check_project(project_hash)
        status = self._options.sync_before_import
        imported = any(start.started == "import" for start in self._store.started_in_active())
        if status is not None and not imported:
            raise Refused("RESOURCE_NOT_FOUND_ERROR", status, "the project was never imported into Active")
        self._store.start_in_active(ActiveStart("sync"))
        return {}

    def active_import(self, project_hash: str, body: bytes) -> Any:
        """Start an import of the project into Active.

        Raises:
            Refused: A mode or a rate that makes no sense, or it is another project.
        """
        self._check_project(project_hash)
        try:
            payload = json.loads(body)
            mode, rate = payload["projectMode"], payload.get("videoSamplingRate")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
            raise invalid("the request's body is not that of an import into Active") from e
        if mode not in _PROJECT_MODES:
            raise invalid(f"projectMode is one of {', '.join(_PROJECT_MODES)}")
        if rate is not None and (type(rate) not in (int, float) or not 0 < rate <= _MOST_FRAMES_PER_SECOND):
            raise invalid("videoSamplingRate is a number of frames a second above 0")
        self._store.start_in_active(ActiveStart("import", mode, rate))
        return {}

    def _check_project(self, project_hash: str) -> None:
        if project_hash != self._snapshot.project_hash:
            raise not_found(f"no project {project_hash}")

    def _project(self) -> dict[str, Any]:
        return {
            "projectHash": self._snapshot.project_hash,
            "projectType": "workflow",
            "status": "inProgress",
            "title": self._snapshot.project_title,
            "description": self._snapshot.project_description,
            "createdAt": self._created_at,
            "creatorEmail": "nobody@ropewalk.invalid",
            "lastEditedAt": self._created_at,
            "ontologyHash": self._snapshot.ontology_hash,
            "editorOntology": self._snapshot.ontology_structure,
            "userRole": _ADMIN,
            "workflow": {"stages": [{"stageType": "ANNOTATION", **stage} for stage in stages_of(self._snapshot)]},
        }


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"results": results, "nextPageToken": None}
