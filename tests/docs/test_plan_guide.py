"""The guide to plans shows what the command prints."""

from __future__ import annotations

import pytest

from documents import GUIDES, blocks, commands, run_ropewalk


@pytest.mark.usefixtures("demo_folder")
def test_the_plan_that_the_guide_shows_is_what_the_command_prints() -> None:
    (guide,) = (guide for guide in GUIDES if guide.name == "plan.md")
    (arguments,) = commands(guide, "ropewalk")
    done = run_ropewalk(*arguments)
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith(blocks(guide, "text")[0])
