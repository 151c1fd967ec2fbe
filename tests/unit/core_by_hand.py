"""A core made by hand, for tests of what Python does around it: a source is JSON of titles with boxes in fractions.

`{"still.jpg": [[x, y, w, h], ...], ...}`; a box that is null is a reject, a box that is 0 is filtered.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from ropewalk.errors import RopewalkError


class SourceError(RopewalkError, ValueError):
    """What the core raises for a source that cannot be read."""


class CocoPredictions:
    """Batches of one column; a null is a reject."""

    def __init__(self, source: str | Path | bytes, label: str) -> None:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
        boxes = [box for boxes in json.loads(content).values() for box in boxes]
        self._good = [box[0] for box in boxes if box not in (None, 0)]
        bad = boxes.count(None)
        self.rejects = [{"code": "bad_field", "source": label}] * bad
        self.counts = {"read": len(boxes), "rejected": bad, "filtered_crowd": boxes.count(0)}
        self.counts["duplicate_annotation_id"] = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"x": pa.array(self._good[:1], pa.float64())})
        yield pa.record_batch({"x": pa.array(self._good[1:], pa.float64())})


def read_coco(source: str | Path | bytes, label: str, *_: Any) -> CocoPredictions:
    """Open a source."""
    return CocoPredictions(source, label)


class AnnotationBatch:
    """Only its empty form, of the one column."""

    @staticmethod
    def empty() -> pa.RecordBatch:
        return pa.record_batch({"x": pa.array([], pa.float64())})


class Stage:
    """Takes the same arguments as the core's."""

    def __init__(
        self, plan: str, rejects: str, work_dir: str | None = None, memory_bytes: int = 0, threads: int = 1
    ) -> None:
        assert work_dir is not None and Path(work_dir).is_dir()
        self._plan = json.loads(plan)
        self._rejects_path = Path(rejects)
        self._rejects: list[str] = []
        self._rows: dict[str, list[list[float]]] = {}
        self._read = self._rejected = self._filtered = 0
        self._unknown: dict[str, int] = {}

    def add_coco(self, path: str, label: str, *, progress: Any = None, **_: Any) -> None:
        content = Path(path).read_bytes()
        try:
            document = json.loads(content)
        except json.JSONDecodeError as e:
            raise SourceError(f"{label}: byte {e.pos}: {e.msg}") from e
        titles = {medium["title"] for medium in self._plan["media"]}
        for title, boxes in document.items():
            for box in boxes:
                self._read += 1
                if box == 0:
                    self._filtered += 1
                elif box is None or title not in titles:
                    self._rejected += 1
                    self._rejects.append(json.dumps({"code": "bad_field", "source": label}) + "\n")
                    if title not in titles:
                        self._unknown[title] = self._unknown.get(title, 0) + 1
                else:
                    self._rows.setdefault(title, []).append(box)
        progress(len(content))

    def finish(self) -> Staged:
        self._rejects_path.write_text("".join(self._rejects))
        counts = {
            "read": self._read,
            "staged": sum(map(len, self._rows.values())),
            "rejected": self._rejected,
            "rejects_by_code": {"bad_field": self._rejected} if self._rejected else {},
            "filtered_by_reason": {"crowd": self._filtered} if self._filtered else {},
            "warnings": {},
            "unresolved_media": [(name, "unknown_media", n) for name, n in self._unknown.items()],
            "unresolved_classes": [],
        }
        return Staged(self._plan, self._rows, counts)


class Staged:
    """Boxes of the ontology's first object, on the first frame of media."""

    def __init__(self, plan: dict[str, Any], rows: dict[str, list[list[float]]], counts: dict[str, Any]) -> None:
        self.counts = counts
        self._plan = plan
        media = {medium["title"]: medium for medium in plan["media"]}
        self._rows = [(media[title], boxes) for title, boxes in sorted(rows.items())]

    def __len__(self) -> int:
        return len(self._rows)

    def label_row(self, index: int) -> dict[str, Any]:
        medium, boxes = self._rows[index]
        number = [m["data_hash"] for m in self._plan["media"]].index(medium["data_hash"])
        return {
            "medium": number,
            "data_hash": medium["data_hash"],
            "title": medium["title"],
            "annotations": len(boxes),
            "sized": True,
        }

    def encode(self, index: int, header: bytes | None, when: str) -> bytes:
        medium, boxes = self._rows[index]
        unit_hash = medium["units"][0]["data_hash"] if medium["units"] else medium["data_hash"]
        row = {"label_hash": "", "data_units": {unit_hash: {}}} if header is None else json.loads(header)
        objects = [self._object(box, n, when) for n, box in enumerate(boxes)]
        labels = {"objects": objects, "classifications": []}
        is_video = medium["data_type"] == "video"
        row["data_units"][unit_hash]["labels"] = {"0": labels} if is_video else labels
        row["object_answers"] = {
            item["objectHash"]: {"objectHash": item["objectHash"], "classifications": []} for item in objects
        }
        return json.dumps(row).encode("ascii")

    def reconcile(self, index: int, existing: bytes, when: str, policy: str) -> dict[str, Any]:
        mine = json.loads(self.encode(index, existing, when))
        there = set(json.loads(existing)["object_answers"])
        ours = set(mine["object_answers"])
        foreign = there - ours
        verdict = "save"
        if foreign and policy in ("fail", "skip"):
            verdict = {"fail": "refused", "skip": "skipped"}[policy]
        elif ours <= there and not (foreign and policy == "replace"):
            verdict = "already_there"
        return {
            "verdict": verdict,
            "already_there": len(ours & there),
            "ours": len(ours & there),
            "foreign": len(foreign),
            "body": self._merged(mine, json.loads(existing), foreign, policy) if verdict == "save" else None,
        }

    def _merged(self, mine: dict[str, Any], existing: dict[str, Any], foreign: set[str], policy: str) -> bytes:
        if policy == "merge":
            mine["object_answers"] |= {name: existing["object_answers"][name] for name in foreign}
            for data_hash, unit in existing["data_units"].items():
                ours = mine["data_units"][data_hash]["labels"]
                frames = [(ours, unit["labels"])] if "objects" in ours else [(ours["0"], unit["labels"].get("0", {}))]
                for own, other in frames:
                    own["objects"] += [o for o in other.get("objects", []) if o["objectHash"] in foreign]
        return json.dumps(mine).encode("ascii")

    def _object(self, box: list[float], n: int, when: str) -> dict[str, Any]:
        ontology_object = copy.copy(self._plan["ontology"][0])
        x, y, w, h = box
        return {
            "name": ontology_object["name"],
            "color": ontology_object["color"],
            "shape": ontology_object["shape"],
            "value": ontology_object["name"].lower(),
            "createdAt": when,
            "createdBy": "test@example.com",
            "confidence": 1.0,
            "objectHash": hashlib.sha256(json.dumps([self._plan["branch"], box, n]).encode()).hexdigest()[:8],
            "featureHash": ontology_object["feature_hash"],
            "manualAnnotation": False,
            "boundingBox": {"x": x, "y": y, "w": w, "h": h},
        }
