"""The site has every guide, and its hook finds folders and files that it does not have."""

from __future__ import annotations

import runpy
from types import SimpleNamespace

from documents import ROOT

SITE = runpy.run_path(str(ROOT / "tools" / "site.py"))


def test_every_guide_is_in_the_navigation() -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    missing = [page.name for page in (ROOT / "docs" / "guide").glob("*.md") if f"guide/{page.name}" not in listed]
    assert not missing


def test_a_folder_in_the_navigation_becomes_its_pages() -> None:
    nav = [{"Home": "index.md"}, {"More": [{"Formats": "guide/formats"}]}]
    found = SITE["on_config"]({"docs_dir": str(ROOT / "docs"), "nav": nav})["nav"]
    (formats,) = found[1]["More"]
    assert found[0] == {"Home": "index.md"}
    assert formats["Formats"][0] == "guide/formats/README.md"
    assert {"guide/formats/coco.md", "guide/formats/yolo.md"} <= {*formats["Formats"]}


def test_links_out_of_the_docs_name_the_file() -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="decisions/0006-reading.md"))
    text = "see [RESULTS](../../benches/RESULTS.md#x), [errors](../guide/errors.md#codes)"
    expected = "see RESULTS (`benches/RESULTS.md`), [errors](../guide/errors.md#codes)"
    assert SITE["on_page_markdown"](text, page) == expected
