"""Classes with the names and the state of Encord Active's predictions, to make pickles as it does.

Encord Active pins pydantic below 2 and cannot be installed beside the SDK, so its models are written down here.
pydantic 2 carries pydantic 1, so that both give their own state.
"""

from __future__ import annotations

import io
import pickle
import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any
from unittest import mock

import pydantic
import pydantic.v1

MODULE = "encord_active.lib.db.predictions"
OLD_MODULE = "encord_active.app.db.predictions"
BASES = {1: pydantic.v1.BaseModel, 2: pydantic.BaseModel}


def make_classes(pydantic_version: int = 1, *, flat: bool = False, module: str = MODULE) -> types.SimpleNamespace:
    """Make the classes: those since 0.1.33, or those before, in which a prediction holds all fields itself."""
    # Models of both versions; arrays are of a type that only one of them has a name for.
    base: Any = BASES[pydantic_version]
    config = (
        {"Config": type("Config", (), {"arbitrary_types_allowed": True})}
        if pydantic_version == 1
        else {"model_config": {"arbitrary_types_allowed": True}}
    )

    def model(name: str, fields: dict[str, Any], **defaults: Any) -> Any:
        return type(name, (base,), {"__annotations__": fields, "__module__": module, **config, **defaults})

    format_ = Enum(  # type: ignore[misc]
        "Format",
        {"BOUNDING_BOX": "bounding-box", "MASK": "mask", "POLYGON": "polygon"},
        type=str,
        module=module,
    )
    point = model("Point", {"x": float, "y": float})
    sides: dict[str, Any] = {"x": float, "y": float, "h": float, "w": float}
    shape = {"format": format_, "data": Any, "track_id": Any}
    if flat:
        box = model("BoundingBox", sides)
        fields = {"data_hash": str, "frame": Any, "class_id": str, "confidence": float, **shape}
        prediction = model("Prediction", fields, frame=None, track_id=None)
        return types.SimpleNamespace(Format=format_, Point=point, BoundingBox=box, Prediction=prediction)
    box = model("BoundingBox", sides | {"theta": float}, theta=0.0)
    answer = model("FrameClassification", {"feature_hash": str, "attribute_hash": str, "option_hash": str})
    drawn = {"format": format_, "data": Any, "feature_hash": str, "track_id": Any}
    detection = model("ObjectDetection", drawn, track_id=None)
    fields = {"data_hash": str, "frame": Any, "confidence": float, "object": Any, "classification": Any}
    prediction = model("Prediction", fields, frame=None, object=None, classification=None)
    return types.SimpleNamespace(
        Format=format_,
        Point=point,
        BoundingBox=box,
        FrameClassification=answer,
        ObjectDetection=detection,
        Prediction=prediction,
    )


@contextmanager
def importable(classes: types.SimpleNamespace) -> Iterator[None]:
    """Let pickle find the classes in the module that they say they are of."""
    module = classes.Prediction.__module__
    parts = module.split(".")
    modules = {".".join(parts[:end]): types.ModuleType(".".join(parts[:end])) for end in range(1, len(parts) + 1)}
    modules[module].__dict__.update(vars(classes))
    with mock.patch.dict(sys.modules, modules):
        yield


def dump(classes: types.SimpleNamespace, predictions: Any, protocol: int, *, numpy_1: bool = False) -> bytes:
    """Pickle predictions; with the names that NumPy's modules had before version 2, if that is asked for."""
    with importable(classes):
        if not numpy_1:
            return pickle.dumps(predictions, protocol)
        known = pickle.whichmodule  # type: ignore[attr-defined]
        old = mock.patch.object(pickle, "whichmodule", lambda *of: known(*of).replace("numpy._core", "numpy.core"))
        content = io.BytesIO()
        with old, warnings.catch_warnings():
            # NumPy 2 warns of its old names.
            warnings.simplefilter("ignore", DeprecationWarning)
            # The one in C looks names up by itself.
            pickle._Pickler(content, protocol).dump(predictions)
        return content.getvalue()
