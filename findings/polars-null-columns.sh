#!/usr/bin/env bash
# polars exports an Arrow array of type Null with a buffer. Arrow's layout of that type has none, and libraries on arrow-rs
# refuse the array.
#
# Runs pinned public packages in a temporary folder, on a table of one row; fails if what they do has changed.
# Source: "Null Layout" in Arrow's columnar format: "no memory buffers are allocated". The C data interface wants n_buffers
# to match the layout.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 arro3-core==0.8.0 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import arro3.core
import polars
import pyarrow

print("polars", polars.__version__, "arro3-core", arro3.core.__version__, "pyarrow", pyarrow.__version__)
expected = 'The datatype "Null" doesn\'t expect buffer at index 0'
for name, frame in {
    "column of nulls": polars.DataFrame({"a": [None]}),
    "lists of nothing": polars.DataFrame({"a": [[]]}),
}.items():
    try:
        arro3.core.Table.from_arrow(frame)
    except Exception as error:
        print(f"{name}: arrow-rs refuses it: {error}")
        assert expected in str(error), "another error than before"
    else:
        raise SystemExit(f"{name}: arrow-rs takes it now")
    # C++ is lenient.
    assert pyarrow.table(frame).num_rows == 1
    # The same types of pyarrow are taken.
    arro3.core.Table.from_arrow(pyarrow.table({"a": pyarrow.nulls(1)}))
print("as described")
PYTHON
