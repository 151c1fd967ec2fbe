"""The table that the guide describes is the table that comes out."""

from __future__ import annotations

import re

import ropewalk
from documents import ROOT


def test_the_columns_are_those_of_the_schema() -> None:
    guide = (ROOT / "docs" / "guide" / "formats.md").read_text(encoding="utf-8")
    section = guide.split("## The table")[1]
    rows = re.findall(r"^\| (`.*?`) \| (.*?) \| (?:yes|no) \|", section, re.MULTILINE)
    described = [(name, type_) for names, type_ in rows for name in re.findall(r"`(\w+)`", names)]
    schema = ropewalk.read_coco([{"image_id": 7, "category_id": 1, "bbox": [2, 3, 5, 4]}]).to_polars().schema
    assert [name for name, _ in described] == list(schema)
    types = {
        "string": "String",
        "u64": "UInt64",
        "u32": "UInt32",
        "f64": "Float64",
        "binary": "Binary",
        "f64 x 4": "Array(Float64, shape=(4,))",
        "list of u8": "List(UInt8)",
        "list of list of list of f64": "List(List(List(Float64)))",
        "list of struct": "List(Struct({'name': String, 'value': String, 'frame': UInt32, 'frame_last': UInt32}))",
    }
    assert [types[type_] for _, type_ in described] == [str(found) for found in schema.values()]
