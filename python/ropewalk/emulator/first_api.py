"""The first API: one POST address, the query named in the body; listing, fetching, creating and saving label rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ropewalk.emulator.checks import LabelChecker
from ropewalk.emulator.filters import like, moment
from ropewalk.emulator.openable import RowOpener
from ropewalk.emulator.refusals import corrupted_label, exists, invalid, not_found
from ropewalk.emulator.rows import LABEL_TYPES, RowHeader, listing_entry, stage_of
from ropewalk.emulator.store import RowExists, RowMissing, RowNotJson, Store
from ropewalk.project.snapshot import Medium, Snapshot

_BRANCH_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class EmulatorOptions:
    """Where it is not known what Encord does: the choice, so that both can be tried.

    Args:
        partial_saves: Whether a save of several rows stores those before the one it refuses; else none.
        list_image_sizes: Whether a listing tells the size of single images.
        sync_before_import: HTTP status that a sync of a project gets which was never imported into Active; None where
            it is started all the same.
        open_rows: Whether a save is refused whose row the SDK cannot open. Opening it costs more than storing it.
    """

    partial_saves: bool = False
    list_image_sizes: bool = True
    sync_before_import: int | None = 404
    open_rows: bool = True


class FirstApi:
    """Answers the queries of the first API from a store.

    Args:
        store: The label rows.
        options: How to behave where Encord's behaviour is not known.
    """

    def __init__(self, store: Store, options: EmulatorOptions) -> None:
        self._store = store
        self._options = options
        self._checker = LabelChecker(store.snapshot.ontology_structure)
        self._opener = RowOpener(store.snapshot.ontology_structure)
        self._queries: dict[tuple[str, str], Callable[[Any, dict[str, Any]], str]] = {
            ("GET", "labelrowmetadata"): self._list,
            ("GET", "labelrow"): self._get,
            ("PUT", "labelrow"): self._create,
            ("POST", "labelrow"): self._save,
        }

    def answer(self, headers: Mapping[str, str], body: bytes) -> str:
        """Answer one request whose signature holds.

        Returns:
            The answer's `response`, as JSON text.

        Raises:
            Refused: The query cannot be answered.
        """
        try:
            request = json.loads(body)
            kind = (request["query_method"], request["query_type"])
            uid, payload = request["values"]["uid"], request["values"]["payload"]
        except (ValueError, KeyError, TypeError, RecursionError) as e:
            raise invalid("the request's body is not a query") from e
        query = self._queries.get(kind) if all(isinstance(part, str) for part in kind) else None
        if query is None:
            raise invalid(f"the emulator does not answer {kind[0]} {kind[1]}")
        if headers.get("resourceid") != self._store.snapshot.project_hash:
            raise not_found(f"the emulator holds project {self._store.snapshot.project_hash} only")
        if not isinstance(payload, dict):
            raise invalid("the query's payload is not an object")
        try:
            return query(uid, payload)
        except RowMissing as e:
            raise not_found(str(e)) from e
        except RowExists as e:
            raise exists(str(e)) from e
        except RowNotJson as e:
            raise corrupted_label(str(e)) from e
        except RecursionError as e:
            raise corrupted_label("a label row is nested too deeply") from e

    def _list(self, uid: Any, payload: dict[str, Any]) -> str:
        matches = _listing_filter(payload, self._store.snapshot)
        all_branches = payload.get("include_all_label_branches")
        if all_branches and payload.get("branch_name") is not None:
            raise invalid("branch_name cannot go with include_all_label_branches")
        branch_name = _branch_name(payload)
        by_medium: dict[str, list[RowHeader]] = {}
        for header in self._store.headers(None if all_branches else branch_name):
            by_medium.setdefault(header.data_hash, []).append(header)
        entries = []
        for medium in self._store.snapshot.media:
            found = by_medium.get(medium.data_hash, [])
            named: list[tuple[str, RowHeader | None]] = [(header.branch_name, header) for header in found]
            if payload.get("include_uninitialised_labels") and all(name != branch_name for name, _ in named):
                named.insert(0, (branch_name, None))
            for name, found_header in named:
                if matches(medium, found_header):
                    entry = listing_entry(
                        medium,
                        name,
                        found_header,
                        images_data=bool(payload.get("include_images_data")),
                        image_sizes=self._options.list_image_sizes,
                        client_metadata=bool(payload.get("include_client_metadata")),
                        workflow_graph_node=(
                            stage_of(medium, self._store.snapshot)
                            if payload.get("include_workflow_graph_node", True)
                            else None
                        ),
                    )
                    entries.append(entry)
        return json.dumps(entries)

    def _get(self, uid: Any, payload: dict[str, Any]) -> str:
        texts = self._store.contents(_uids(uid))
        objects = _optional_set(payload, "include_object_feature_hashes")
        classifications = _optional_set(payload, "include_classification_feature_hashes")
        if objects is not None or classifications is not None:
            texts = [json.dumps(_only_features(json.loads(text), objects, classifications)) for text in texts]
        return _one_or_list(uid, texts)

    def _create(self, uid: Any, payload: dict[str, Any]) -> str:
        branch_name = _branch_name(payload)
        data_hashes = _uids(uid)
        for data_hash in data_hashes:
            medium = self._store.media.get(data_hash)
            if medium is not None and medium.data_type not in LABEL_TYPES:
                raise invalid(f"the emulator has no label rows for {medium.data_type}, data_hash {data_hash}")
        return _one_or_list(uid, self._store.contents(self._store.create(data_hashes, branch_name)))

    def _save(self, uid: Any, payload: dict[str, Any]) -> str:
        label_hashes = _uids(uid)
        contents = payload.get("labels") if payload.get("multi_request") else [payload]
        if not isinstance(contents, list) or len(contents) != len(label_hashes):
            raise invalid(f"{len(label_hashes)} label hashes need as many labels")
        rows = list(zip(label_hashes, contents, strict=True))
        for label_hash, content in rows:
            header = self._store.header(label_hash)
            medium = self._store.media[header.data_hash]
            self._checker.check(content, header, medium)
            if self._options.open_rows:
                self._opener.check(content, header, medium)
            if self._options.partial_saves:
                self._store.save([(label_hash, content)])
        if not self._options.partial_saves:
            self._store.save(rows)
        return "true"


def _uids(uid: Any) -> list[str]:
    uids = uid if isinstance(uid, list) else [uid]
    if not all(isinstance(item, str) and item.isascii() for item in uids):
        raise invalid("uid is a hash or a list of hashes")
    return uids


def _branch_name(payload: dict[str, Any]) -> str:
    name = payload.get("branch_name") or "main"
    if not isinstance(name, str) or not _BRANCH_NAME.fullmatch(name):
        raise invalid("a branch name is made of A-Z a-z 0-9 - _ . only")
    return name


def _one_or_list(uid: Any, texts: list[str]) -> str:
    return f"[{','.join(texts)}]" if isinstance(uid, list) else texts[0]


def _listing_filter(payload: dict[str, Any], snapshot: Snapshot) -> Callable[[Medium, RowHeader | None], bool]:
    """Build the test of a listing's filters; a filter that is None lets everything through."""
    data_hashes = _optional_set(payload, "data_hashes")
    label_hashes = _optional_set(payload, "label_hashes")
    statuses = _optional_set(payload, "label_statuses")
    stage_eq = payload.get("workflow_graph_node_title_eq")
    stage_like = like(payload.get("workflow_graph_node_title_like"), "workflow_graph_node_title_like")
    # Every row is queued and none is shadow data: these filters let all rows through, or none.
    possible = (statuses is None or "QUEUED" in statuses) and payload.get("shadow_data_state") != "SHADOW_DATA"
    before = moment(payload.get("edited_before"), "edited_before")
    after = moment(payload.get("edited_after"), "edited_after")
    title_eq = payload.get("data_title_eq")
    title_like = like(payload.get("data_title_like"), "data_title_like")

    def matches(medium: Medium, header: RowHeader | None) -> bool:
        edited = header.last_edited_at if header else None
        stage = stage_of(medium, snapshot)["title"]
        return (
            possible
            and stage_eq in (None, stage)
            and (stage_like is None or stage_like.fullmatch(stage) is not None)
            and (data_hashes is None or medium.data_hash in data_hashes)
            and (label_hashes is None or (header is not None and header.label_hash in label_hashes))
            and (before is None or (edited is not None and edited < before))
            and (after is None or (edited is not None and edited > after))
            and (title_eq is None or medium.title == title_eq)
            and (title_like is None or title_like.fullmatch(medium.title) is not None)
        )

    return matches


def _optional_set(payload: dict[str, Any], name: str) -> set[str] | None:
    value = payload.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(f"{name} is a list of texts or null")
    return set(value)


def _only_features(row: dict[str, Any], objects: set[str] | None, classifications: set[str] | None) -> dict[str, Any]:
    """Leave out the objects and classifications whose feature hash is not asked for; None asks for all."""
    if objects is not None:
        dropped = set()
        for unit in row["data_units"].values():
            labels = unit["labels"]
            for frame in [labels] if "objects" in labels else labels.values():
                items = frame.get("objects", [])
                dropped |= {item["objectHash"] for item in items if item["featureHash"] not in objects}
                frame["objects"] = [item for item in items if item["featureHash"] in objects]
        row["object_answers"] = {
            key: answer
            for key, answer in row["object_answers"].items()
            # Only the objects of audio and text have their feature hash in the answer.
            if key not in dropped and ("featureHash" not in answer or answer["featureHash"] in objects)
        }
    if classifications is not None:
        answers = row["classification_answers"]
        row["classification_answers"] = {k: v for k, v in answers.items() if v.get("featureHash") in classifications}
    return row
