"""What the emulator refuses to create or save, under Encord's error name and with the row named."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import requests
from encord import EncordUserClient, Project
from encord.exceptions import (
    AnswerDictionaryError,
    CorruptedLabelError,
    EncordException,
    FeatureDoesNotExistError,
    InvalidArgumentsError,
    ResourceNotFoundError,
)
from encord.objects import LabelRowV2, Object
from encord.objects.coordinates import BitmaskCoordinates, BoundingBoxCoordinates, PointCoordinate, PolygonCoordinates

from ropewalk.emulator import EmulatorOptions, RunningEmulator, running_emulator
from snapshots import hash_of, make_snapshot
from test_emulator_rows import open_project

Row = dict[str, Any]


def filled_row(project: Project, title: str = "drive.mp4") -> LabelRowV2:
    """Make a saved-to-be row with a box, a polygon and a bitmask on frame 4."""
    row = project.list_label_rows_v2(branch_name="pred-1", data_title_eq=title)[0]
    row.initialise_labels()
    mask = np.zeros((36, 64), dtype=bool)
    mask[3:20, 5:9] = True
    triangle = [PointCoordinate(0.1, 0.2), PointCoordinate(0.7, 0.2), PointCoordinate(0.4, 0.9)]
    for name, coordinates in (
        ("Car", BoundingBoxCoordinates(height=0.25, width=0.125, top_left_x=0.5, top_left_y=0.0)),
        ("Road", PolygonCoordinates(triangle)),
        ("Tree", BitmaskCoordinates(mask)),
    ):
        instance = project.ontology_structure.get_child_by_title(name, type_=Object).create_instance()
        instance.set_for_frames(coordinates, 4)
        row.add_object_instance(instance)
    return row


def unit(row: Row) -> Row:
    return next(iter(row["data_units"].values()))


def item(row: Row, index: int) -> Row:
    return unit(row)["labels"]["4"]["objects"][index]


def put(*path: str | int, value: Any, of: Callable[[Row], Any] = unit) -> Callable[[Row], None]:
    """Give a change that sets the value at a path below a part of the row."""

    def change(row: Row) -> None:
        place = of(row)
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def box(row: Row) -> Row:
    return item(row, 0)


def whole(row: Row) -> Row:
    return row


CHANGES: list[tuple[str, Callable[[Row], None], type[Exception], str]] = [
    ("NaN in a box", put("boundingBox", "x", value=math.nan, of=box), CorruptedLabelError, r"boundingBox\[x\].*nan"),
    ("infinite width", put("boundingBox", "w", value=math.inf, of=box), CorruptedLabelError, r"boundingBox\[w\]"),
    ("text as a coordinate", put("boundingBox", "y", value="0.5", of=box), CorruptedLabelError, "'0.5'"),
    ("true as a coordinate", put("boundingBox", "y", value=True, of=box), CorruptedLabelError, "True"),
    ("a box that is a list", put("boundingBox", value=[0, 0, 1, "1"], of=box), CorruptedLabelError, r"\[3\]"),
    ("a box that is null", put("boundingBox", value=None, of=box), CorruptedLabelError, "expected coordinates"),
    ("no geometry", lambda row: box(row).pop("boundingBox"), CorruptedLabelError, "boundingBox: missing"),
    ("confidence 1.7", put("confidence", value=1.7, of=box), CorruptedLabelError, "confidence.*1.7"),
    ("confidence -0.1", put("confidence", value=-0.1, of=box), CorruptedLabelError, "confidence"),
    ("confidence NaN", put("confidence", value=math.nan, of=box), CorruptedLabelError, "confidence"),
    ("confidence high", put("confidence", value="high", of=box), CorruptedLabelError, "'high'"),
    ("no confidence", lambda row: box(row).pop("confidence"), CorruptedLabelError, "confidence"),
    ("another shape", put("shape", value="polygon", of=box), CorruptedLabelError, "shape: expected bounding_box"),
    ("NaN in a polygon", put("polygon", "1", "y", value=math.nan, of=lambda r: item(r, 1)), CorruptedLabelError, "1"),
    ("null in polygons", put("polygons", 0, 0, 3, value=None, of=lambda r: item(r, 1)), CorruptedLabelError, "None"),
    ("mask too high", put("bitmask", "height", value=37, of=lambda r: item(r, 2)), CorruptedLabelError, r"36, 64"),
    (
        "mask transposed",
        put("bitmask", value={"height": 64, "width": 36, "rleString": "1"}, of=lambda r: item(r, 2)),
        CorruptedLabelError,
        r"\(64, 36\)",
    ),
    ("mask as bytes list", put("bitmask", "rleString", value=[1], of=lambda r: item(r, 2)), CorruptedLabelError, "rle"),
    ("unknown feature", put("featureHash", value="obj-none", of=box), FeatureDoesNotExistError, ""),
    ("feature list", put("featureHash", value=["obj-car1"], of=box), FeatureDoesNotExistError, ""),
    ("no answer", put("object_answers", value={}, of=whole), AnswerDictionaryError, ""),
    ("frame past the end", put("labels", "12", value={"objects": []}), CorruptedLabelError, "frame '12'.* 12 frames"),
    ("negative frame", put("labels", "-1", value={"objects": []}), CorruptedLabelError, "frame '-1'"),
    ("frame as a word", put("labels", "four", value={"objects": []}), CorruptedLabelError, "frame 'four'"),
    ("frame of many digits", put("labels", "9" * 5000, value={"objects": []}), CorruptedLabelError, "frame '999"),
    ("objects as a dict", put("labels", "4", "objects", value={}), CorruptedLabelError, "objects: expected a list"),
    ("an object that is null", put("labels", "4", "objects", 1, value=None), CorruptedLabelError, r"objects\[1\]"),
    ("labels that are a list", put("labels", value=[]), CorruptedLabelError, "labels"),
    ("no data units", put("data_units", value={}, of=whole), CorruptedLabelError, hash_of("drive.mp4")),
    ("another unit", put("data_units", hash_of("walk"), value={}, of=whole), CorruptedLabelError, hash_of("walk")),
    ("another data_hash", put("data_hash", value=hash_of("walk"), of=whole), InvalidArgumentsError, hash_of("walk")),
    ("another label_hash", put("label_hash", value=hash_of("x"), of=whole), InvalidArgumentsError, "label_hash"),
    ("another branch", put("branch_name", value="pred-2", of=whole), InvalidArgumentsError, "pred-2"),
    (
        "unknown classification",
        put("classification_answers", "a", value={"featureHash": "no"}, of=whole),
        FeatureDoesNotExistError,
        "",
    ),
    ("classification null", put("classification_answers", "a", value=None, of=whole), CorruptedLabelError, "answers"),
    ("NaN out of the way", put("notes", value=math.nan, of=whole), CorruptedLabelError, "NaN"),
    ("NaN as an action", put("object_actions", "a", value=math.nan, of=whole), CorruptedLabelError, "SDK cannot open"),
]


@pytest.mark.parametrize(("change", "error", "message"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_bad_row_is_refused_and_nothing_is_stored(
    project: Project,
    emulator: RunningEmulator,
    change: Callable[[Row], None],
    error: type[Exception],
    message: str,
) -> None:
    row = filled_row(project)
    assert row.label_hash is not None
    good = row.to_encord_dict()
    before = emulator.store.contents([row.label_hash])
    bad = copy.deepcopy(good)
    change(bad)
    with pytest.raises(error, match=message) as caught:
        project._client.save_label_rows([row.label_hash], [bad])
    if error is CorruptedLabelError:
        assert row.label_hash in str(caught.value)
    assert emulator.store.contents([row.label_hash]) == before
    project._client.save_label_rows([row.label_hash], [good])
    assert emulator.store.header(row.label_hash).saves == 1


@pytest.mark.parametrize("partial_saves", [False, True])
def test_of_several_rows_with_a_bad_one(partial_saves: bool) -> None:
    with running_emulator(make_snapshot(), options=EmulatorOptions(partial_saves=partial_saves)) as emulator:
        project = open_project(emulator)
        rows = project.list_label_rows_v2(branch_name="pred-1")
        with project.create_bundle() as bundle:
            for row in rows:
                row.initialise_labels(bundle=bundle)
        contents = [row.to_encord_dict() for row in rows]
        contents[1]["data_units"] = None
        hashes = [row.label_hash or "" for row in rows]
        with pytest.raises(CorruptedLabelError, match=hashes[1]):
            project._client.save_label_rows(hashes, contents)
        assert [emulator.store.header(key).saves for key in hashes] == [int(partial_saves), 0, 0]


def test_unknown_hashes_are_not_found(project: Project) -> None:
    row = filled_row(project)
    strange = hash_of("no such row")
    with pytest.raises(ResourceNotFoundError, match=strange):
        project._client.save_label_rows([strange], [row.to_encord_dict()])
    with pytest.raises(ResourceNotFoundError, match=strange):
        project._client.get_label_rows([row.label_hash, strange])
    with pytest.raises(ResourceNotFoundError, match=strange):
        project._client.create_label_rows([hash_of("walk"), strange], branch_name="pred-1")
    listed = {r.data_title: r.label_hash for r in project.list_label_rows_v2(branch_name="pred-1")}
    assert listed == {"drive.mp4": row.label_hash, "still.jpg": None, "walk": None}


@pytest.mark.parametrize("branch_name", ["a/b", "a b", "ä", "x\n"])
def test_a_bad_branch_name_is_refused(project: Project, branch_name: str) -> None:
    with pytest.raises(InvalidArgumentsError, match="branch name"):
        project.list_label_rows_v2(branch_name=branch_name)
    with pytest.raises(InvalidArgumentsError, match="branch name"):
        project._client.create_label_rows([hash_of("walk")], branch_name=branch_name)


def test_arguments_that_make_no_sense_are_refused(project: Project) -> None:
    with pytest.raises(InvalidArgumentsError, match="2 label hashes"):
        project._client.save_label_rows(["a", "b"], [])
    with pytest.raises(InvalidArgumentsError, match="include_all_label_branches"):
        project.list_label_rows_v2(branch_name="pred-1", include_all_label_branches=True)
    with pytest.raises(InvalidArgumentsError, match="datasetdata"):
        project.get_data(hash_of("walk"))
    with pytest.raises(EncordException, match="does not answer GET"):
        list(project.list_groups())


def test_another_project_and_a_filter_that_is_not_known_are_refused(project: Project, client: EncordUserClient) -> None:
    with pytest.raises(InvalidArgumentsError, match="tagsAnyof"):
        list(client.list_projects(tags_anyof=["a"]))
    project._client._querier.resource_id = hash_of("another project")
    with pytest.raises(ResourceNotFoundError, match=hash_of("project")):
        project.list_label_rows_v2()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"payload": {"data_hashes": "x"}}, "INVALID_ARGUMENTS_ERROR"),
        ({"payload": {"edited_after": "yesterday"}}, "INVALID_DATE_FORMAT_ERROR"),
        ({"payload": {"edited_after": 5}}, "INVALID_DATE_FORMAT_ERROR"),
        ({"payload": {"data_title_like": 5}}, "INVALID_ARGUMENTS_ERROR"),
        ({"payload": {"branch_name": {}, "include_uninitialised_labels": True}}, "OK"),
        ({"payload": {"branch_name": 7}}, "INVALID_ARGUMENTS_ERROR"),
        ({"payload": None}, "INVALID_ARGUMENTS_ERROR"),
        ({"payload": {}, "query_type": "labelrow", "uid": 5}, "INVALID_ARGUMENTS_ERROR"),
        ({"payload": {}, "query_type": "labelrow", "uid": ["\ud800"]}, "INVALID_ARGUMENTS_ERROR"),
        ({"payload": {}, "query_type": ["labelrow"]}, "INVALID_ARGUMENTS_ERROR"),
    ],
)
def test_signed_nonsense_gets_an_error_and_no_crash(project: Project, query: Row, name: str) -> None:
    body = {
        "query_type": query.get("query_type", "labelrowmetadata"),
        "query_method": "GET",
        "values": {"uid": query.get("uid"), "payload": query["payload"]},
    }
    assert signed(project, json.dumps(body)) == name


@pytest.mark.parametrize("body", ["", "[", "null", "[]", '{"query_method":"GET"}', "[" * 100_000])
def test_a_signed_body_that_is_no_query_gets_an_error(project: Project, body: str) -> None:
    assert signed(project, body) == "INVALID_ARGUMENTS_ERROR"


def test_deep_nesting_inside_a_row_gets_an_error(project: Project) -> None:
    row = filled_row(project)
    content = json.dumps({"multi_request": True, "labels": [row.to_encord_dict()]})
    depth = 900
    deep = content.replace('"object_actions": {}', '"object_actions": ' + '{"a":' * depth + "1" + "}" * depth)
    body = f'{{"query_type":"labelrow","query_method":"POST","values":{{"uid":["{row.label_hash}"],"payload":{deep}}}}}'
    assert signed(project, body) in ("OK", "CORRUPTED_LABEL_ERROR", "INVALID_ARGUMENTS_ERROR")


def signed(project: Project, body: str) -> str:
    """Send any text as a signed request of the first API; give the error's name, or OK."""
    config = project._client._config
    headers = config.define_headers(project.project_hash, "project", body)
    answer = requests.post(config.endpoint, data=body.encode(), headers=headers).json()
    return "OK" if answer["status"] == 200 else answer["response"][0]
