"""The calls through the SDK's public `LabelRowV2` alone: slower, equal rows, for an SDK that is built otherwise.

What it costs: rows pass through the SDK's objects, one request at a time, and what Encord answered is known only as far
as the SDK's exceptions tell: no Retry-After, no status.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from encord.exceptions import EncordException, RequestException, TimeOutError

from ropewalk.errors import EncordError, TemporaryEncordError
from ropewalk.sinks.encord.answers import error_of_name
from ropewalk.sinks.encord.calls import Acknowledged
from ropewalk.sinks.encord.causes import cause_of
from ropewalk.sinks.encord.transport import Blocks, len_bytes
from ropewalk.sinks.encord.versions import ANSWERS_ON_SPACES, check_sdk, lack_of
from ropewalk.text import without_secrets

if TYPE_CHECKING:
    import encord
    from encord.objects import LabelRowV2
    from encord.objects.spaces.base_space import Space

Result = TypeVar("Result")

# Statuses that names stand for, where it matters; the SDK's exceptions do not keep them.
_STATUS = {
    "ResourceNotFoundError": 404,
    "PayloadTooLargeError": 413,
    "RateLimitExceededError": 429,
    "GenericServerError": 500,
}


class SdkCalls:
    """The calls of one project. Safe to use from several threads, which take turns: the SDK's rows are not."""

    def __init__(self, project: encord.Project) -> None:
        self._project = project
        self._turn = threading.Lock()
        self._rows: dict[str, LabelRowV2] = {}

    def ontology(self, ontology_hash: str) -> Any:
        """Give the structure of the project's ontology, as far as the SDK keeps it."""
        return self._project.ontology_structure.to_dict()

    def list_rows(
        self,
        branch: str | None,
        data_hashes: Sequence[str] | None,
        *,
        images_data: bool = False,
        client_metadata: bool = False,
    ) -> Any:
        """List data rows of a branch, or of all, with their label row."""

        def listed() -> list[dict[str, Any]]:
            rows = self._project.list_label_rows_v2(
                data_hashes=None if data_hashes is None else list(data_hashes),
                branch_name=branch,
                include_all_label_branches=branch is None,
                include_images_data=images_data,
                include_client_metadata=client_metadata,
            )
            self._remember(rows)
            return [_entry(row, images_data) for row in rows]

        return self._in_turn(listed)

    def get_rows(self, label_hashes: Sequence[str]) -> Any:
        """Fetch label rows that were listed before."""
        return self._in_turn(lambda: self._initialised([self._rows[label_hash] for label_hash in label_hashes]))

    def create_rows(self, data_hashes: Sequence[str], branch: str) -> Any:
        """Create label rows, and fetch them."""

        def created() -> list[dict[str, Any]]:
            rows = self._project.list_label_rows_v2(data_hashes=list(data_hashes), branch_name=branch)
            contents = self._initialised(rows)
            self._remember(rows)
            return contents

        return self._in_turn(created)

    def save_rows(self, label_hashes: Sequence[str], rows: Sequence[Blocks]) -> Acknowledged:
        """Store label rows."""

        def save() -> None:
            with self._project.create_bundle(bundle_size=len(rows)) as bundle:
                for label_hash, content in zip(label_hashes, rows, strict=True):
                    row, labels = self._rows[label_hash], json.loads(b"".join(content))
                    if any(answer["spaces"] for answer in labels["classification_answers"].values()):
                        # What the SDK does not read it would not send.
                        check_sdk(ANSWERS_ON_SPACES)
                    row.from_labels_dict(labels)
                    row.save(bundle=bundle)

        self._in_turn(save)
        return Acknowledged(sum(map(len_bytes, rows)), None)

    def _initialised(self, rows: Sequence[LabelRowV2]) -> list[dict[str, Any]]:
        with self._project.create_bundle(bundle_size=len(rows)) as bundle:
            for row in rows:
                row.initialise_labels(overwrite=True, bundle=bundle)
        return [_with_confidences(row.to_encord_dict()) for row in rows if row.is_labelling_initialised]

    def _remember(self, rows: Sequence[LabelRowV2]) -> None:
        self._rows |= {row.label_hash: row for row in rows if row.label_hash}

    def _in_turn(self, call: Callable[[], Result]) -> Result:
        """Make a call while no other thread does."""
        with self._turn:
            return translated(call)


def translated(call: Callable[[], Result]) -> Result:
    """Make a call of the SDK, its exceptions turned into ours.

    Raises:
        EncordError: Of the subclass that says what to do about it.
    """
    try:
        return call()
    except (RequestException, TimeOutError, requests.RequestException) as e:
        message = f"no whole answer from Encord ({type(e).__name__})"
        error: EncordError = TemporaryEncordError(message, status=None, name="ConnectionError")
        cause = cause_of(e, str(getattr(getattr(e, "context", None), "domain", None) or ""))
        if cause is not None:
            error = cause.error("Encord", begun=True)
    except EncordException as e:
        name = type(e).__name__
        message = without_secrets(str(e.message)) or f"Encord refused ({name})"
        error = error_of_name(_STATUS.get(name, 0), name, message, getattr(e, "retry_after", None))
    # Raised out here: the SDK's exceptions hold requests with their signatures.
    raise error


def _with_confidences(content: dict[str, Any]) -> dict[str, Any]:
    """Give the answers of a row their confidence, which older SDKs write only at the labels of each frame."""
    answers = content["classification_answers"]
    for unit in content["data_units"].values():
        labels = unit["labels"]
        for frame in [labels] if isinstance(labels.get("classifications"), list) else labels.values():
            for item in frame.get("classifications", []):
                if item["classificationHash"] in answers:
                    answers[item["classificationHash"]].setdefault("confidence", item["confidence"])
    return content


def _entry(row: LabelRowV2, images_data: bool) -> dict[str, Any]:
    """Give a row as the server lists it."""
    images = row.get_frames_metadata() if images_data and row.data_type.value == "img_group" else []
    return {
        "data_hash": row.data_hash,
        "data_title": row.data_title,
        "data_type": row.data_type.value,
        "dataset_hash": row.dataset_hash,
        "dataset_title": row.dataset_title,
        "label_hash": row.label_hash,
        "branch_name": row.branch_name,
        "last_edited_at": None if row.last_edited_at is None else row.last_edited_at.isoformat(),
        "file_type": row.file_type,
        "width": row.width,
        "height": row.height,
        "number_of_frames": row.number_of_frames,
        "frames_per_second": row.fps,
        "duration": row.duration,
        "audio_codec": row.audio_codec,
        "audio_sample_rate": row.audio_sample_rate,
        "audio_bit_depth": row.audio_bit_depth,
        "audio_num_channels": row.audio_num_channels,
        "client_metadata": row.client_metadata,
        "workflow_graph_node": None
        if row.workflow_graph_node is None
        else {"title": row.workflow_graph_node.title, "uuid": str(row.workflow_graph_node.uuid)},
        "backing_item_uuid": None if row.backing_item_uuid is None else str(row.backing_item_uuid),
        "spaces": {space.space_id: _space(space) for space in _spaces_of(row)},
        "images_data": [
            {
                "image_hash": image.image_hash,
                "title": image.title,
                "file_type": image.file_type,
                "width": image.width,
                "height": image.height,
                "index": image.frame_number,
            }
            for image in images
        ],
    }


def _spaces_of(row: LabelRowV2) -> list[Space[Any, Any, Any]]:
    """List the spaces of a data group; none where the SDK is too old to know them."""
    is_group = row.data_type.value == "group" and lack_of("spaces") is None
    return row.get_spaces() if is_group else []


def _space(space: Space[Any, Any, Any]) -> dict[str, Any]:
    """Give a space as the server lists it."""
    named = {"file_name": space.metadata.file_name, "layout_key": space.metadata.layout_key}
    return {**space._to_space_dict(), "child_info": named}
