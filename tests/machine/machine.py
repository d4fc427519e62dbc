"""A machine under test, driven as a user drives a computer.

    with Machine(workdir, cmdline="testhooks", cpus=2) as m:
        m.wait_prompt()
        assert m.eval("return 6 * 7") == [42]

base.py says what all of them can do; a lane is an emulator to do it in.
"""

import functools
import json

from base import BUILD, ESP_OFFSET, PROMPT, ROOT, BaseMachine  # noqa: F401
from bochs import BochsMachine
from qemu import KvmMachine, QemuMachine

Machine = QemuMachine
LANES = {c.lane: c for c in (QemuMachine, BochsMachine, KvmMachine)}


@functools.lru_cache(None)
def lane_works(lane: str) -> bool:
    """Whether a lane exists here. KVM does where configure.py's probe of it
    ran; the emulators must work everywhere, and fail loudly if they do not."""
    if lane != "kvm":
        return lane in LANES
    run = BUILD / "run.json"
    return run.exists() and json.loads(run.read_text()).get("kvm") is True
