"""The four calls an import makes: list, create, get and save label rows, each sent again where that is safe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from ropewalk.errors import EncordError, TemporaryEncordError
from ropewalk.sinks.encord.retry import Retry
from ropewalk.sinks.encord.transport import Transport


class LabelRows:
    """The label rows of a project. Safe to use from several threads; rows are handed on as JSON bytes, one by one."""

    def __init__(self, transport: Transport, retry: Retry) -> None:
        self._transport = transport
        self._retry = retry

    def listing(
        self,
        branch: str | None = None,
        *,
        data_hashes: Sequence[str] | None = None,
        images_data: bool = False,
    ) -> list[dict[str, Any]]:
        """List data rows with their label row, if there is one.

        Args:
            branch: One branch, or None for all of them (those that exist, and uninitialised rows of `main`).
            data_hashes: Only these.
            images_data: Whether image groups list their images.

        Returns:
            Entries of `labelrowmetadata`.

        Raises:
            EncordError: The listing was refused, or no attempt is left.
        """
        payload = {
            "edited_before": None,
            "edited_after": None,
            "label_statuses": None,
            "shadow_data_state": None,
            "include_uninitialised_labels": True,
            "data_hashes": None if data_hashes is None else list(data_hashes),
            "label_hashes": None,
            "data_title_eq": None,
            "data_title_like": None,
            "workflow_graph_node_title_eq": None,
            "workflow_graph_node_title_like": None,
            "include_client_metadata": False,
            "include_images_data": images_data,
            "include_children": False,
            "include_workflow_graph_node": True,
            "include_all_label_branches": branch is None,
            "branch_name": branch,
            "client_metadata_as_signed_url": False,
        }
        return self._retry(lambda: _rows(self._transport.query("labelrowmetadata", "GET", None, payload), "data_hash"))

    def get(self, label_hashes: Sequence[str]) -> dict[str, bytes]:
        """Fetch label rows.

        Args:
            label_hashes: Which.

        Returns:
            label_hash -> the label row's JSON; rows that the server does not have are left out.

        Raises:
            EncordError: The request was refused, or no attempt is left.
        """
        payload = {
            "get_signed_url": False,
            "multi_request": True,
            "include_object_feature_hashes": None,
            "include_classification_feature_hashes": None,
            "include_reviews": False,
            "include_export_history": False,
            "include_archived": False,
        }
        rows = self._retry(
            lambda: _rows(self._transport.query("labelrow", "GET", list(label_hashes), payload), "label_hash")
        )
        wanted = set(label_hashes)
        return {row["label_hash"]: orjson.dumps(row) for row in rows if row["label_hash"] in wanted}

    def create(self, data_hashes: Sequence[str], branch: str) -> tuple[dict[str, tuple[str, bytes]], dict[str, str]]:
        """Create label rows. A create is never repeated blindly: the rows are listed again first.

        Args:
            data_hashes: Media without a label row on the branch, as far as is known.
            branch: The branch.

        Returns:
            data_hash -> (label_hash, JSON) of the rows created, and data_hash -> label_hash of those that stood there.

        Raises:
            EncordError: The request was refused, or no attempt is left.
        """
        payload = {"multi_request": True, "get_signed_url": False, "branch_name": branch}
        missing = list(data_hashes)
        there: dict[str, str] = {}
        attempt = 0
        while missing:
            self._retry.check()
            try:
                rows = _rows(self._transport.query("labelrow", "PUT", missing, payload), "data_hash", "label_hash")
            except EncordError as e:
                if not isinstance(e, TemporaryEncordError) and e.name != "ResourceExistsError":
                    raise
                self._retry.wait(attempt, e)
            else:
                wanted = set(missing)
                created = {
                    row["data_hash"]: (row["label_hash"], orjson.dumps(row))
                    for row in rows
                    if row["data_hash"] in wanted
                }
                return created, there
            attempt += 1
            listed = self.listing(branch, data_hashes=missing)
            there |= {row["data_hash"]: row["label_hash"] for row in listed if row.get("label_hash")}
            missing = [data_hash for data_hash in missing if data_hash not in there]
        return {}, there

    def save(self, label_hashes: Sequence[str], rows: Sequence[bytes]) -> int:
        """Store label rows whose content depends on the input alone, so that sending them again changes nothing.

        Returns:
            Bytes of the request.

        Raises:
            EncordError: The request was refused, or no attempt is left.
        """
        return self._retry(lambda: self._transport.save_label_rows(label_hashes, rows))


def _rows(answer: Any, *keys: str) -> list[dict[str, Any]]:
    if isinstance(answer, list) and all(
        isinstance(row, dict) and all(isinstance(row.get(key), str) for key in keys) for row in answer
    ):
        return answer
    raise TemporaryEncordError(
        f"the answer is not a list of rows with {' and '.join(keys)}", status=200, name="BadAnswer"
    )
