"""The second API: projects, ontology, branches and datasets by address."""

from __future__ import annotations

import uuid
from typing import Any

from ropewalk.emulator.refusals import invalid, not_found
from ropewalk.emulator.store import Store

_ADMIN = 0


class SecondApi:
    """Answers the addresses below `/v2/public/` from a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._snapshot = store.snapshot
        self._created_at = store.created_at.isoformat()
        self.workflow_graph_node = {
            "uuid": str(uuid.uuid5(uuid.UUID(store.snapshot.project_hash), "Annotate 1")),
            "title": "Annotate 1",
        }

    def list_projects(self, query: dict[str, str]) -> dict[str, Any]:
        """List the one project, unless `titleEq` excludes it.

        Raises:
            Refused: A filter that the emulator does not know.
        """
        unknown = query.keys() - {"titleEq", "includeOrgAccess"}
        if unknown:
            raise invalid(f"the emulator does not filter projects by {sorted(unknown)[0]}")
        wanted = query.get("titleEq", self._snapshot.project_title)
        return _page([self._project()] if wanted == self._snapshot.project_title else [])

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
            "workflow": {"stages": [{"stageType": "ANNOTATION", **self.workflow_graph_node}]},
        }


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"results": results, "nextPageToken": None}
