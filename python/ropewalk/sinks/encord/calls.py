"""The calls as requests of their own: what each asks Encord for, sent by the transport, once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ropewalk.sinks.encord.answers import bad_answer, http_date
from ropewalk.sinks.encord.transport import Blocks, Transport, len_bytes
from ropewalk.text import without_secrets


@dataclass(frozen=True)
class Acknowledged:
    """A save that the server answered with a yes.

    Attributes:
        len_bytes: Size of the request's body.
        server_time: The server's clock as it answered, in UTC; None where it does not tell.
    """

    len_bytes: int
    server_time: datetime | None


class Calls(Protocol):
    """What is asked of Encord: each method one request, failures as `EncordError` of the subclass that says what to do.

    What the first four give is not checked yet.
    """

    def ontology(self, ontology_hash: str) -> Any:
        """Fetch the structure of the project's ontology."""

    def list_rows(
        self,
        branch: str | None,
        data_hashes: Sequence[str] | None,
        *,
        images_data: bool = False,
        client_metadata: bool = False,
    ) -> Any:
        """List data rows of a branch, or of all, with their label row: entries of `labelrowmetadata`."""

    def get_rows(self, label_hashes: Sequence[str]) -> Any:
        """Fetch label rows."""

    def create_rows(self, data_hashes: Sequence[str], branch: str) -> Any:
        """Create label rows, and fetch them."""

    def save_rows(self, label_hashes: Sequence[str], rows: Sequence[Blocks]) -> Acknowledged:
        """Store label rows, each as ASCII JSON parallel to its label_hash."""


class DirectCalls:
    """The calls as the SDK spells them, their bodies made here."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def ontology(self, ontology_hash: str) -> Any:
        """Fetch the structure of the project's ontology, as the server has it."""
        return self._transport.get(f"ontologies/{ontology_hash}").get("editor")

    def list_rows(
        self,
        branch: str | None,
        data_hashes: Sequence[str] | None,
        *,
        images_data: bool = False,
        client_metadata: bool = False,
    ) -> Any:
        """List data rows of a branch, or of all, with their label row."""
        payload = {
            "edited_before": None,
            "edited_after": None,
            "label_statuses": None,
            "shadow_data_state": None,
            "include_uninitialised_labels": True,
            "data_hashes": data_hashes,
            "label_hashes": None,
            "data_title_eq": None,
            "data_title_like": None,
            "workflow_graph_node_title_eq": None,
            "workflow_graph_node_title_like": None,
            "include_client_metadata": client_metadata,
            "include_images_data": images_data,
            "include_children": False,
            "include_workflow_graph_node": True,
            "include_all_label_branches": branch is None,
            "branch_name": branch,
            "client_metadata_as_signed_url": False,
        }
        return self._transport.query("labelrowmetadata", "GET", None, payload)

    def get_rows(self, label_hashes: Sequence[str]) -> Any:
        """Fetch label rows."""
        payload = {
            "get_signed_url": False,
            "multi_request": True,
            "include_object_feature_hashes": None,
            "include_classification_feature_hashes": None,
            "include_reviews": False,
            "include_export_history": False,
            "include_archived": False,
        }
        return self._transport.query("labelrow", "GET", label_hashes, payload)

    def create_rows(self, data_hashes: Sequence[str], branch: str) -> Any:
        """Create label rows, and fetch them."""
        payload = {"multi_request": True, "get_signed_url": False, "branch_name": branch}
        return self._transport.query("labelrow", "PUT", data_hashes, payload)

    def save_rows(self, label_hashes: Sequence[str], rows: Sequence[Blocks]) -> Acknowledged:
        """Store label rows; an answer that is not a plain yes is an error."""
        body = save_body(label_hashes, rows)
        answer, headers = self._transport.send(body, "POST labelrow")
        stored = answer is True or (isinstance(answer, (list, dict)) and answer and not _holds_a_no(answer))
        if not stored:
            raise bad_answer(f"a save was answered with {without_secrets(json.dumps(answer), 60)}, not with a yes")
        return Acknowledged(len_bytes(body), http_date(headers.get("Date", "")))


def save_body(label_hashes: Sequence[str], rows: Sequence[Blocks]) -> Blocks:
    """Make the body of a save of encoded label rows, as the SDK spells it; their blocks are not copied."""
    uid = json.dumps(list(label_hashes)).encode("ascii")
    body: list[bytes | memoryview] = [b'{"query_type": "labelrow", "query_method": "POST", "values": {"uid": ', uid]
    before = b', "payload": {"multi_request": true, "labels": ['
    for row in rows:
        body += (before, *row)
        before = b", "
    body.append(b'], "validate_before_saving": false}}}')
    return body


def _holds_a_no(answer: list[Any] | dict[str, Any]) -> bool:
    return any(item is None or item is False for item in (answer if isinstance(answer, list) else answer.values()))
