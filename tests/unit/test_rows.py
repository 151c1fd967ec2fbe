"""Lists of ids that are too much for one request: halved on every call, without a row lost or asked for twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from encord import Project

from playback import Answer, Playback, ok, refused
from ropewalk.errors import EncordError, RefusalError, TemporaryEncordError
from ropewalk.sinks.encord.calls import DirectCalls
from ropewalk.sinks.encord.retry import Retry
from ropewalk.sinks.encord.rows import LabelRows
from ropewalk.sinks.encord.transport import Transport

DATA_HASHES = [f"d-{n}" for n in range(11)]
LABEL_HASHES = [f"l-{n}" for n in range(11)]
TOO_LARGE: list[Answer] = [
    (413, b"<html>", {}),
    refused("SOMETHING_NEW", status=413),
    refused("MULTI_LABEL_LIMIT_ERROR", {"maximum_labels_allowed": 3}),
]


class Server:
    """Takes at most three ids a request, and never some of them."""

    def __init__(self, playback: Playback, too_large: Answer) -> None:
        playback.respond = self.respond
        self.too_large = too_large
        self.never: set[str] = set()
        self.there: set[str] = set()
        self.done: list[tuple[str, list[str]]] = []

    def respond(self, query: dict[str, Any]) -> Answer:
        method, uid = query["query_method"], query["values"]["uid"]
        listing = query["query_type"] == "labelrowmetadata"
        ids = query["values"]["payload"]["data_hashes"] if listing else uid
        if ids is None or len(ids) > 3 or self.never.intersection(ids):
            return self.too_large
        if method == "PUT" and self.there.intersection(ids):
            return refused("RESOURCE_EXISTS_ERROR")
        self.done.append(("LIST" if listing else method, ids))
        if listing:
            return ok([{"data_hash": i, "label_hash": i.replace("d", "l") if i in self.there else None} for i in ids])
        if method == "PUT":
            self.there.update(ids)
        return ok([{"data_hash": i.replace("l", "d"), "label_hash": i.replace("d", "l")} for i in ids])


@pytest.fixture
def rows(played_project: Project) -> Iterator[LabelRows]:
    transport = Transport(played_project, 1)
    yield LabelRows(DirectCalls(transport), Retry(budget_seconds=5, first_wait=0.001))
    transport.close()


@pytest.mark.parametrize("too_large", TOO_LARGE, ids=["413", "413 in the envelope", "named"])
def test_every_call_is_halved(playback: Playback, rows: LabelRows, too_large: Answer) -> None:
    server = Server(playback, too_large)
    assert list(rows.get(LABEL_HASHES)) == LABEL_HASHES
    assert [row["data_hash"] for row in rows.listing("b", data_hashes=DATA_HASHES)] == DATA_HASHES
    created, there = rows.create(DATA_HASHES, "b")
    assert ({data_hash: row[0] for data_hash, row in created.items()}, there) == (
        dict(zip(DATA_HASHES, LABEL_HASHES, strict=True)),
        {},
    )
    for method, ids in (("GET", LABEL_HASHES), ("LIST", DATA_HASHES), ("PUT", DATA_HASHES)):
        # Each id answered once, in order.
        assert [i for done, part in server.done if done == method for i in part] == ids


def test_rows_that_nobody_asked_for_do_not_count(playback: Playback, rows: LabelRows) -> None:
    playback.respond = lambda query: ok([{"data_hash": f"d-{n}", "label_hash": f"l-{n}"} for n in (1, 2, 3)])
    assert list(rows.get(["l-2"])) == ["l-2"]
    assert list(rows.create(["d-2"], "b")[0]) == ["d-2"]


def test_what_stands_there_is_found_in_halves(playback: Playback, rows: LabelRows) -> None:
    server = Server(playback, TOO_LARGE[0])
    server.there = {"d-2", "d-7"}
    created, there = rows.create(DATA_HASHES, "b")
    assert there == {"d-2": "l-2", "d-7": "l-7"}
    assert sorted([*created, *there]) == sorted(DATA_HASHES)
    puts = [i for method, ids in server.done if method == "PUT" for i in ids]
    assert sorted(puts) == sorted(created)


def test_the_listing_between_two_creates_is_halved_too(playback: Playback, rows: LabelRows) -> None:
    """A create of many rows breaks off; the server that took it lists fewer at once."""
    server = Server(playback, TOO_LARGE[0])
    puts = []

    def respond(query: dict[str, Any]) -> Answer:
        if query["query_method"] != "PUT":
            return server.respond(query)
        puts.append(query["values"]["uid"])
        server.there.update(puts[-1])
        return 503, b"", {}

    playback.respond = respond
    created, there = rows.create(DATA_HASHES, "b")
    assert (created, list(there)) == ({}, DATA_HASHES)
    assert puts == [DATA_HASHES]


def test_rows_missing_from_the_answer_to_a_create_are_listed_before_they_are_asked_for_again(
    playback: Playback, rows: LabelRows
) -> None:
    """Of five rows one is answered, one was made without an answer, one is made at the second try, two never are."""
    server = Server(playback, TOO_LARGE[0])
    puts = []

    def respond(query: dict[str, Any]) -> Answer:
        if query["query_method"] != "PUT":
            return server.respond(query)
        asked = query["values"]["uid"]
        puts.append(asked)
        given = ["d-1"] if len(puts) == 1 else ["d-3"] if "d-3" in asked else []
        server.there.update(given, ["d-2"])
        return ok([{"data_hash": i, "label_hash": i.replace("d", "l")} for i in given])

    playback.respond = respond
    created, there = rows.create(DATA_HASHES[:5], "b")
    assert {data_hash: row[0] for data_hash, row in created.items()} == {"d-1": "l-1", "d-3": "l-3"}
    assert there == {"d-2": "l-2"}
    assert puts == [DATA_HASHES[:5], ["d-0", "d-3", "d-4"], ["d-0", "d-4"]]


CALLS: dict[str, Callable[[LabelRows], Any]] = {
    "get": lambda rows: rows.get(["l-1", "l-2"]),
    "list": lambda rows: rows.listing("b", data_hashes=["l-1", "l-2"]),
    "create": lambda rows: rows.create(["l-1", "l-2"], "b"),
    "save": lambda rows: rows.save(["l-2"], [[b"{}"]]),
    "list nothing": lambda rows: rows.listing("b", data_hashes=[]),
}


@pytest.mark.parametrize("call", CALLS)
def test_one_id_that_is_too_much_is_refused(playback: Playback, rows: LabelRows, call: str) -> None:
    playback.respond = lambda query: (413, b'{"detail": "at most 50 MB"}', {})
    with pytest.raises(RefusalError, match="50 MB") as raised:
        CALLS[call](rows)
    assert raised.value.status == 413
    # Once with its neighbour, once by itself: 413 is no failure that passes.
    assert len(playback.bodies) <= 2


def test_a_listing_of_all_that_is_too_much_says_so(playback: Playback, rows: LabelRows) -> None:
    playback.respond = lambda query: TOO_LARGE[0]
    with pytest.raises(EncordError, match="too large .*cannot be halved") as raised:
        rows.listing("b")
    assert (type(raised.value), raised.value.status, len(playback.bodies)) == (EncordError, 413, 1)
    assert raised.value.__context__ is None


@pytest.mark.parametrize("call", CALLS)
def test_other_refusals_are_not_halved(playback: Playback, rows: LabelRows, call: str) -> None:
    playback.respond = lambda query: refused("CORRUPTED_LABEL_ERROR")
    with pytest.raises(RefusalError):
        CALLS[call](rows)
    assert len(playback.bodies) == 1


def test_creating_and_listing_again_share_one_budget(playback: Playback, played_project: Project) -> None:
    transport = Transport(played_project, 1)
    playback.answers = [(503, b"", {}), (503, b"", {})]
    with pytest.raises(TemporaryEncordError, match="tried 2 times"):
        LabelRows(DirectCalls(transport), Retry(budget_seconds=0, first_wait=0.001)).create(["d-1"], "b")
    queries = [json.loads(body)["query_type"] for body in playback.bodies]
    assert queries == ["labelrow", "labelrowmetadata"]
    transport.close()
