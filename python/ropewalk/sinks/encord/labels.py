"""The labels of a label row apart from its header: what is kept before a row is overwritten, and put back."""

from __future__ import annotations

from typing import Any

import orjson

_ANSWERS = ("object_answers", "classification_answers", "object_actions")
# What has labels in it: data units, and the spaces of a data group.
_LABELLED = ("data_units", "spaces")


def labels_of(label_row: bytes) -> dict[str, Any]:
    """Take the labels and answers out of a label row; its header, with the links in it, is left behind."""
    row = orjson.loads(label_row)
    labels = {
        member: {key: unit.get("labels") or {} for key, unit in (row.get(member) or {}).items()} for member in _LABELLED
    }
    return labels | {name: row[name] for name in _ANSWERS if row.get(name)}


def holds_labels(labels: dict[str, Any]) -> bool:
    """Tell whether there is any label among what `labels_of` gave."""
    if any(labels.get(name) for name in _ANSWERS):
        return True
    return any(
        frame.get("objects") or frame.get("classifications")
        for unit in labels["data_units"].values()
        # Of an image its labels, of anything else those of each frame.
        for frame in ([unit] if "objects" in unit or "classifications" in unit else unit.values())
    )


def with_labels(label_row: bytes, labels: dict[str, Any] | None) -> bytes:
    """Write a label row as ASCII JSON with other labels.

    Args:
        label_row: As the server has it.
        labels: As `labels_of` gives them; None for a row without labels.
    """
    import json

    row = orjson.loads(label_row)
    kept = labels or {}
    for member in _LABELLED:
        for key, unit in (row.get(member) or {}).items():
            unit["labels"] = kept.get(member, {}).get(key, {})
    for name in _ANSWERS:
        row[name] = kept.get(name, {})
    row.setdefault("spaces", {})
    return json.dumps(row, allow_nan=False).encode("ascii")
