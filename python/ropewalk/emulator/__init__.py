"""A local Encord for the unmodified `encord` client; needs the extra `ropewalk[emulator]`."""

from ropewalk.emulator.first_api import EmulatorOptions
from ropewalk.emulator.serve import RunningEmulator, running_emulator, serve
from ropewalk.emulator.store import Store

__all__ = ["EmulatorOptions", "RunningEmulator", "Store", "running_emulator", "serve"]
