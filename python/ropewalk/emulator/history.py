"""What a request of the first API asks for and what became of it: attempts that can be compared with what is stored."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

_OPERATIONS = {
    ("GET", "labelrowmetadata"): "list",
    ("GET", "labelrow"): "get",
    ("PUT", "labelrow"): "create",
    ("POST", "labelrow"): "save",
}
OTHER = "other"
# How clients spell the beginning of a body; it saves parsing many megabytes to learn two words.
_BEGINNING = re.compile(rb'\s*\{\s*"query_type"\s*:\s*"(\w+)"\s*,\s*"query_method"\s*:\s*"(\w+)"\s*,\s*"values"\s*:')
# The parts of a label row that are its content; the others are a header, which belongs to the server.
_CONTENT = ("object_answers", "classification_answers", "object_actions", "data_units", "spaces")


@dataclass(frozen=True)
class Exchange:
    """One request of the first API and its answer.

    Attributes:
        operation: `list`, `create`, `get`, `save`, `other`; `unread` where a limit refused it unread.
        number: The request's number within its operation, from 1, as faults count it.
        ids: Its label or data hashes.
        digests: Of a save, the `content_digest` of each label row as it was sent, parallel to `ids`.
        applied: Whether it was carried out with success.
        answered: `ok`, `refused:NAME` with Encord's name of the error, or `fault:NAME`.
        delivered: Whether the whole answer was handed to a connection that the client had not closed.
    """

    operation: str
    number: int
    ids: tuple[str, ...]
    digests: tuple[str, ...]
    applied: bool
    answered: str
    delivered: bool


def content_digest(label_row: Any) -> str:
    """Compute the SHA-256 of a label row's content, in hex: its labels and data units, without the header.

    The header (hashes, titles, times) is the server's own, so a row has one digest as it was sent and as it is stored.

    Args:
        label_row: The label row, as `json.loads` gives it.
    """
    content = {key: label_row.get(key) for key in _CONTENT} if isinstance(label_row, dict) else label_row
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def operation_of(body: bytes) -> str:
    """Tell which operation a request of the first API asks for.

    Args:
        body: The request's body.
    """
    beginning = _BEGINNING.match(body)
    if beginning is not None:
        kind, method = beginning[1].decode("ascii"), beginning[2].decode("ascii")
        return _OPERATIONS.get((method, kind), OTHER)
    query = _parsed(body)
    try:
        return _OPERATIONS.get((query["query_method"], query["query_type"]), OTHER)
    except (KeyError, TypeError):
        return OTHER


def rows_of(operation: str, body: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List the hashes a request names and, of a save, the digest of each label row.

    Args:
        operation: What `operation_of` says of the body.
        body: The request's body.

    Returns:
        Hashes and digests, each empty where the body has none.
    """
    try:
        values = _parsed(body)["values"]
        uid, payload = values["uid"], values["payload"]
    except (KeyError, TypeError):
        return (), ()
    ids = tuple(item for item in (uid if isinstance(uid, list) else [uid]) if isinstance(item, str))
    if operation != "save" or not isinstance(payload, dict):
        return ids, ()
    contents = payload.get("labels") if payload.get("multi_request") else [payload]
    try:
        return ids, tuple(content_digest(row) for row in contents) if isinstance(contents, list) else ()
    except RecursionError:
        return ids, ()


def answered(body: bytes) -> str:
    """Tell what the emulator itself answered: `ok` or `refused:NAME`.

    Args:
        body: The answer's body, an envelope.
    """
    if body.startswith(b'{"status":200,'):
        return "ok"
    return f"refused:{json.loads(body)['response'][0]}"


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
