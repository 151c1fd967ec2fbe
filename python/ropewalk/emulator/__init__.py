"""A local Encord for the unmodified `encord` client; needs the extra `ropewalk[emulator]`."""

try:
    from ropewalk.emulator.faults import Fault, Faults, Rule, parse_faults, read_faults
    from ropewalk.emulator.first_api import EmulatorOptions
    from ropewalk.emulator.history import Exchange, content_digest
    from ropewalk.emulator.serve import RunningEmulator, running_emulator, serve
    from ropewalk.emulator.store import Store
except ModuleNotFoundError as e:
    missing = (e.name or "").split(".")[0]
    if missing not in ("starlette", "uvicorn"):
        raise
    raise ModuleNotFoundError(
        f"the emulator needs {missing}; install it with: pip install 'ropewalk[emulator]'", name=missing
    ) from e

__all__ = [
    "EmulatorOptions",
    "Exchange",
    "Fault",
    "Faults",
    "Rule",
    "RunningEmulator",
    "Store",
    "content_digest",
    "parse_faults",
    "read_faults",
    "running_emulator",
    "serve",
]
