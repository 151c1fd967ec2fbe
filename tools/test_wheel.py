"""Installs the wheel in `dist` with each Python named, in fresh environments, and runs the demo and unit tests there.

Then it runs tests/e2e/test_sdk_versions.py with the oldest and the newest `encord` SDK that the wheel allows.

    python tools/test_wheel.py 3.10 3.12 3.13

A version that is not installed is left out, and the last line says so.
Exit codes: 0 all that ran passed, 1 one failed or none ran.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IDENTIFY = "import platform; print(platform.python_version())"
IMPORTED_FROM = "import ropewalk, sys; sys.exit(not ropewalk.__file__.startswith(sys.prefix))"


def main(versions: list[str]) -> int:
    """Test on each version.

    Returns:
        The exit code.
    """
    wheels = sorted((ROOT / "dist").glob("ropewalk-*.whl"))
    if len(wheels) != 1:
        say(f"{len(wheels)} wheels are in dist, expected one: run make wheel (and remove older ones)")
        return 1
    passed, failed, missing = [], [], []
    for version in versions:
        interpreter = find(version)
        if interpreter is None:
            missing.append(version)
            continue
        name = output(interpreter, "-c", IDENTIFY)
        say(f"Python {name}: {wheels[0].name}")
        (passed if test(interpreter, wheels[0]) else failed).append(name)
    for word, names in (("passed", passed), ("failed", failed), ("not installed, so not tested", missing)):
        if names:
            say(f"Python {', '.join(names)}: {word}")
    return 0 if passed and not failed else 1


def find(version: str) -> str | None:
    """Find an interpreter: `pythonX.Y` on the PATH, pyenv's, or that of Windows' launcher."""
    candidates = [[f"python{version}"]]
    if shutil.which("pyenv"):
        prefix = output("pyenv", "prefix", version)
        candidates += [[os.path.join(prefix, "bin", "python")]] if prefix else []
    if shutil.which("py"):
        candidates += [["py", f"-{version}"]]
    for candidate in candidates:
        # A name on the PATH may be a shim that leads to no interpreter.
        found = output(*candidate, "-c", "import sys; print(sys.executable)") if shutil.which(candidate[0]) else ""
        if found and output(found, "-c", IDENTIFY).startswith(f"{version}."):
            return found
    return None


def output(*command: str) -> str:
    """Run a command; give its output, or nothing where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def test(interpreter: str, wheel: Path) -> bool:
    """Install the wheel, run the demo with the extra that it needs, then the unit tests with theirs."""
    with tempfile.TemporaryDirectory() as folder:
        run(interpreter, "-m", "venv", folder)
        python = shutil.which("python", path=os.pathsep.join(str(Path(folder, name)) for name in ("bin", "Scripts")))
        if python is None:
            return False
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        return (
            # No sources beside the wheel: where it does not fit this Python, that is an error and not a build.
            run(*install, "--only-binary=ropewalk", f"ropewalk[emulator] @ {wheel.as_uri()}")
            and run(python, "-m", "ropewalk", "demo", cwd=folder)
            and run(*install, f"ropewalk[test] @ {wheel.as_uri()}")
            and run(python, "-c", IMPORTED_FROM)
            and run(python, "-m", "pytest", "-q", "--numprocesses=auto", "tests/unit")
            and all(
                run(*install, *sdk) and run(python, "-m", "pytest", "-q", "tests/e2e/test_sdk_versions.py")
                for sdk in (["--upgrade", "encord"], [f"encord=={oldest_sdk()}"])
            )
        )


def oldest_sdk() -> str:
    """Read the lower bound of the `encord` SDK."""
    found = re.search(r'"encord>=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("pyproject.toml has no lower bound of encord, written as encord>=VERSION")
    return found[1]


def run(*command: str, cwd: str | Path = ROOT) -> bool:
    """Run a command whose output is shown; tell whether it succeeded."""
    return subprocess.run(command, cwd=cwd, check=False).returncode == 0


def say(line: str) -> None:
    """Write a line at once, before what the next command writes."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
