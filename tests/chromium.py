"""Opens pages in a headless Chromium that is installed, as Debian's package `chromium` is."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Give the path of the browser, None where none is installed."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def run_chromium(page: Path, *options: str) -> str:
    """Open a page and give what the browser prints.

    Raises:
        RuntimeError: It failed.
    """
    browser = find_chromium()
    if browser is None:
        raise RuntimeError(f"no browser is installed: none of {', '.join(NAMES)} was found")
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        done = subprocess.run(
            [
                *(browser, "--headless", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000"),
                # Its sandbox needs rights that containers do not give; the pages are our own.
                *("--no-sandbox", f"--user-data-dir={profile}", *options, page.resolve().as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
    if done.returncode:
        raise RuntimeError(f"{browser} failed: {done.stderr[-2000:]}")
    return done.stdout


def document_of(page: Path, script: str = "") -> str:
    """Give the page's document after its script, and after more of it, has run."""
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        copy = Path(folder, page.name)
        more = "<script>window.onerror = (text) => { document.title = `failed: ${text}`; };</script>"
        text = page.read_text("utf-8").replace("<head>", f"<head>{more}", 1)
        copy.write_text(text.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
        return run_chromium(copy, "--dump-dom")


def screenshot(page: Path, out: Path, width: int, height: int) -> None:
    """Save what a window of that size in px shows, as PNG."""
    run_chromium(page, f"--window-size={width},{height}", f"--screenshot={out.resolve()}")
