#!/usr/bin/env bash
# A polars Arrow file is not a stream between a magic word and a footer: its schema is written without the mark and length
# that begin a message. And dictionaries are written behind the batches that use them.
#
# Runs pinned public packages in a temporary folder, on a table of three rows; fails if what they do has changed.
# Source: "IPC File Format" in Arrow's columnar format: "the file starts and ends with a magic string ARROW1 (plus padding).
# What follows in the file is identical to the stream format". Dictionaries in any order are allowed in files.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import io

import polars
import pyarrow
import pyarrow.ipc

print("polars", polars.__version__, "pyarrow", pyarrow.__version__)
frame = polars.DataFrame({"a": polars.Series(["x", "y", "x"], dtype=polars.Categorical)})
START = 8  # ARROW1 and two bytes that fill up


def starts_with_message(file: bytes) -> bool:
    """Whether the first message has its mark, and its length."""
    return file[START : START + 4] == b"\xff\xff\xff\xff"


of_polars = io.BytesIO()
frame.write_ipc(of_polars)
of_pyarrow = io.BytesIO()
table = pyarrow.table({"a": pyarrow.array(["x", "y", "x"]).dictionary_encode()})
with pyarrow.ipc.new_file(of_pyarrow, table.schema) as writer:
    writer.write_table(table)

assert starts_with_message(of_pyarrow.getvalue())
assert pyarrow.ipc.open_stream(of_pyarrow.getvalue()[START:]).read_all() == table
print("pyarrow: the bytes behind the magic word are a stream")

assert not starts_with_message(of_polars.getvalue()), "polars writes a message now"
print("polars: the bytes behind the magic word are not a message:", of_polars.getvalue()[START : START + 8].hex(" "))
assert pyarrow.ipc.open_file(of_polars.getvalue()).read_all().num_rows == 3
print("polars: the file is read by its footer")

marks = [at for at in range(START, len(of_polars.getvalue()), 8) if of_polars.getvalue()[at : at + 4] == b"\xff" * 4]
kinds = [str(pyarrow.ipc.read_message(of_polars.getvalue()[at:]).type) for at in marks[:2]]
print("polars: its messages are", kinds)
assert kinds == ["record batch", "dictionary"], "another order than before"
print("as described")
PYTHON
