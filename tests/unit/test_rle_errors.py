"""Each kind of bad run lengths, polygon and size arrives under its class, code and fields."""

from __future__ import annotations

import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest

from ropewalk import errors, rle


@pytest.mark.parametrize(
    ("counts", "size", "code", "fields"),
    [
        ("22", (2, 3), "rle_sum", {"found": 4, "expected": 6, "h": 2, "w": 3}),
        ([2, 3, 2], (2, 3), "rle_sum", {"found": 7, "expected": 6}),
        ([], (2, 3), "rle_sum", {"found": 0, "expected": 6}),
        ([2**80], (2, 3), "rle_sum", {"expected": 6}),
        ([2**32 + 6], (2, 3), "rle_sum", {"found": 2**32 + 6}),
        ([2**63 - 1, 2**63 - 1, 8], (2, 3), "rle_sum", {"found": 2**64 - 1}),
        ("2 1", (2, 3), "rle_alphabet", {"byte": 32, "at": 1}),
        ("23p", (2, 3), "rle_alphabet", {"byte": ord("p"), "at": 2}),
        ("2é1", (2, 3), "rle_alphabet", {"byte": 0xC3, "at": 1}),
        ("2\ud8001", (2, 3), "rle_alphabet", {"at": 1}),
        (b"2\x001", (2, 3), "rle_alphabet", {"byte": 0, "at": 1}),
        ("23Q", (2, 3), "rle_truncated", {"len": 3}),
        ("2PPPPPPP0", (2, 3), "rle_number", {"at": 1}),
        ("2N3", (2, 3), "rle_negative", {"run": 1, "value": -2}),
        ("222K", (2, 3), "rle_negative", {"run": 3, "value": -3}),
        ([2, -1, 5], (2, 3), "rle_negative", {"run": 1, "value": -1}),
        ([-(2**70)], (2, 3), "rle_negative", {"run": 0}),
        ([2.0, 1.5, 2.5], (2, 3), "rle_fraction", {"run": 1, "value": 1.5}),
        ([2.0, 5.0], (2, 3), "rle_sum", {"found": 7, "expected": 6}),
    ],
)
def test_bad_run_lengths(counts: Any, size: tuple[int, int], code: str, fields: dict[str, int]) -> None:
    readers = [rle.coco_to_encord, rle.decode_coco]
    if isinstance(counts, str):
        readers += [rle.encord_to_coco, rle.decode, rle.to_polygons]
    for read in readers:
        with pytest.raises(errors.RleError) as caught:
            read(counts, size)
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, errors.RopewalkError)
        assert caught.value.code == code
        assert fields.items() <= caught.value.fields.items()


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((2**40, 2**40), "rle_size"),
        ((2**70, 1), "rle_size"),
        ((2**24, 2**24), "rle_size"),
        ((2**24 + 1, 1), "rle_size"),
        ((-1, 3), "size_value"),
        ((2.0, 3), "size_value"),
        (("2", 3), "size_value"),
        ((2, 3, 1), "size_shape"),
        (6, "size_shape"),
        (None, "size_shape"),
    ],
)
def test_bad_sizes(size: Any, code: str) -> None:
    calls = [
        lambda: rle.coco_to_encord("231", size),
        lambda: rle.decode("231", size),
        lambda: rle.to_polygons("231", size),
        lambda: rle.from_polygons([[0, 0, 3, 0, 0, 3]], size),
    ]
    for call in calls:
        with pytest.raises(errors.SizeError) as caught:
            call()
        assert isinstance(caught.value, ValueError)
        assert caught.value.code == code


def test_a_huge_declared_size_costs_nothing() -> None:
    tracemalloc.start()
    for string, size in [("0", (2**40, 2**40)), ("231", (2**15, 2**16)), ("", (2**16, 2**15))]:
        with pytest.raises(errors.RopewalkError):
            rle.decode(string, size)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_dense_masks_are_capped() -> None:
    size = (2**16, 2**15 + 1)
    with pytest.raises(errors.SizeError) as caught:
        rle.decode_coco([0, size[0] * size[1]], size)
    assert caught.value.code == "rle_dense"
    assert rle.to_polygons(rle.coco_to_encord([0, size[0] * size[1]], size), size)[0][0].tolist() == [
        [0, 0],
        [size[1], 0],
        [size[1], size[0]],
        [0, size[0]],
    ]


def test_a_transposition_of_billions_of_runs_is_refused() -> None:
    size = (2**24, 200)
    with pytest.raises(errors.RleError) as caught:
        rle.coco_to_encord([2**24] * 200, size)
    assert caught.value.code == "rle_runs"
    assert caught.value.fields["needed"] == 2**24 * 200


@pytest.mark.parametrize(
    ("rings", "code", "fields"),
    [
        ([[]], "polygon_few", {"vertices": 0}),
        ([[1, 2, 3, 4]], "polygon_few", {"vertices": 2}),
        ([[0, 0, 3, 0, 0, 3], [1, 2, 3, 4, 5]], "polygon_odd", {"len": 5, "polygon": 1}),
        ([[0, 0, 3, 0, 0, float("nan")]], "polygon_not_finite", {"at": 5}),
        ([[0, 0, 3, float("-inf"), 0, 1]], "polygon_not_finite", {"at": 3}),
        ([[0, 0, 1e9, 0, 0, 1e9]], "polygon_range", {"at": 2, "value": 1e9}),
        ([[[0, 0, 3, 0, 0, 3], [1, 1]]], "polygon_few", {"vertices": 1}),
        (["abcdef"], "polygon_type", {}),
        ([[0, 0, "x", 0, 0, 3]], "polygon_type", {}),
        ([[0.0, 0.0, [1, 2], 0, 0, 3]], "polygon_type", {}),
        ([[0, 0, 10**400, 0, 0, 3]], "polygon_type", {}),
        ([5], "polygon_type", {}),
        (5, "polygon_type", {}),
        ([np.zeros((3, 3))], "polygon_shape", {"shape": (3, 3)}),
    ],
)
def test_bad_polygons(rings: Any, code: str, fields: dict[str, Any]) -> None:
    with pytest.raises(errors.PolygonError) as caught:
        rle.from_polygons(rings, (4, 5))
    assert isinstance(caught.value, ValueError)
    assert caught.value.code == code
    assert fields.items() <= caught.value.fields.items()


def test_bad_masks_and_outs() -> None:
    with pytest.raises(TypeError, match="float64"):
        rle.encode(np.zeros((2, 3)))
    with pytest.raises(TypeError, match="list"):
        rle.encode([[0, 1]])
    with pytest.raises(errors.SizeError, match=r"\(2, 3, 1\)"):
        rle.encode(np.zeros((2, 3, 1), bool))
    with pytest.raises(errors.SizeError, match=r"\(3, 2\)"):
        rle.decode("231", (2, 3), out=np.zeros((3, 2), bool))
    with pytest.raises(TypeError, match="int64"):
        rle.decode("231", (2, 3), out=np.zeros((2, 3), np.int64))
    frozen = np.zeros((2, 3), bool)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        rle.decode("231", (2, 3), out=frozen)
    shared = np.zeros((2, 3), bool)
    with pytest.raises(ValueError, match="out"):
        rle.decode_many(["231", "231"], (2, 3), out=[shared, shared])


def test_out_is_unchanged_on_error() -> None:
    out = np.full((2, 2, 3), 7, np.uint8)
    with pytest.raises(errors.RleError):
        rle.decode_many(["231", "23Q"], (2, 3), out=out)
    assert (out == 7).all()


def test_batches_say_which_item() -> None:
    with pytest.raises(errors.RleError, match="item 2") as caught:
        rle.coco_to_encord_many(["231", "6", "7", "x"], (2, 3))
    assert caught.value.fields["index"] == 2
    with pytest.raises(errors.SizeError, match="2 sizes for 3"):
        rle.coco_to_encord_many(["231", "6", "6"], [(2, 3), (2, 3)])


def test_one_string_is_not_a_batch() -> None:
    with pytest.raises(TypeError, match="sequence"):
        rle.coco_to_encord_many("231", (2, 3))


def test_counts_are_not_an_rle_string() -> None:
    for counts in [b"231", [2, 3, 1]]:
        with pytest.raises(TypeError, match="rle_string"):
            rle.decode(counts, (2, 3))
    with pytest.raises(TypeError, match="float"):
        rle.coco_to_encord(2.5, (2, 3))


def test_threads_are_at_least_one() -> None:
    with pytest.raises(ValueError, match="threads"):
        rle.encode_many([], threads=0)


def test_errors_survive_pickling() -> None:
    with pytest.raises(errors.RleError) as caught:
        rle.decode("22", (2, 3))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (errors.RleError, str(caught.value))
    assert (again.code, again.fields) == (caught.value.code, caught.value.fields)
