"""The table's rows: what is put beside what, and the goal of each."""

BOOT_GOAL = 0.05  # kernel entry to prompt, of the firmware's own
LUA_GOAL = 1.05
GOAL = 1.0

# Row: its key on both sides, and what is measured, RayOS against Linux.
OPERATIONS = {
    "domain.message_round_trip": (
        "message_round_trip",
        "call to a domain and its reply; a byte there and back by pipes"),
    "domain.create": (
        "create", "an empty domain, an empty lua5.4 process, made to ended"),
    "domain.kernel_call": (
        "kernel_call", "sys.tsc() from Lua; getppid by syscall from C"),
    "sched.context_switch": (
        "context_switch",
        "half a round trip by semaphores; futexes, SCHED_FIFO"),
    "sched.mutex_lock_unlock": (
        "mutex_lock_unlock", "a free mutex 64 times; pthread's"),
}
for _size, _text in (("4k", "4 KiB"), ("1m", "1 MiB")):
    for _verb in ("read", "write"):
        OPERATIONS[f"disk.{_verb}_{_size}"] = (
            f"disk_{_verb}_{_size}",
            f"virtio-blk, {_text}, one at a time; the same by O_DIRECT")
EXIT_GOAL = 0.4
VM_MEMORY_GOAL = 5 << 20
# Row: its key on both sides, its goal, and what is measured.
MACHINES = {
    "vm.cpuid_exit": (
        "vm_cpuid", EXIT_GOAL, "CPUID in a guest; the same under KVM"),
    "vm.port_exit": (
        "vm_out", EXIT_GOAL,
        "OUT to a device in the kernel; the same to KVM's user space"),
    "vm.boot_to_init": (
        "vm_boot", GOAL,
        "vm.define to the guest's /init; exec of QEMU with KVM (microvm)"),
    "vm.timer_to_thread_mean": (
        "vm_timer_to_thread", GOAL, "as cyclictest, in the guest"),
}
for _size in "4k", "1m":
    for _verb in "read", "write":
        MACHINES[f"vm.disk_{_verb}_{_size}"] = (
            f"vm_disk_{_verb}_{_size}", GOAL,
            "O_DIRECT in a guest; its disk is a file in memory")
REFLEX_GOAL = 0.2
FLAT_GOAL = 1.02
LOADED_GOAL = 1.5
LOADED_NOTE = "while threads allocate and switch; idle"
FLOODED_NOTE = ("and a guest and Lua domains compute, and a disk is flooded; "
                "idle")
HOSTILE_NOTE = ("and guests make random accesses to all that there is, and "
                "crash; idle")
REFLEX_NOTE = ("timer's deadline to a rule's C action; Linux's to a "
               "SCHED_FIFO thread")
RULES_NOTE = "an event with {} rules, one of them over its code; with one rule"
FULL_GOAL, DAMAGE_GOAL = 1.1, 1.6
TRANSFER_GOAL = 8  # copies: every pixel is made opaque; and the guest's exits
TICKS_A_FRAME = 1e9 / 60  # at a tick a nanosecond
TICKS_A_MS = 1e6
TICKS_HIDDEN = 1e9 / 100  # of a second: one percent
DISPLAY_NOTE = "a thousand pixels of {}; just copying as many"
TIMER_NOTE = "deadline to thread, idle before; as cyclictest, SCHED_FIFO"


def _row(name: str, rayos: float, peer: float, goal: float,
         note: str) -> dict:
    return {"row": name, "rayos": _short(rayos), "peer": _short(peer),
            "ratio": round(rayos / peer, 4), "goal": goal, "note": note}


def _short(value: float) -> float:
    return round(value, 1) if value < 1e6 else round(value)


def _boot(ours: dict, other: dict) -> list[dict]:
    boot = ours["boot"]
    elapsed = boot["prompt"] - boot["handover"]
    return [
        _row("boot.prompt_of_firmware", elapsed, boot["loader"], BOOT_GOAL,
             "kernel entry to prompt, sleep included; all of the firmware"),
        _row("boot.prompt_busy_of_firmware", elapsed - boot["idle"],
             boot["loader"], BOOT_GOAL,
             "the same without the ticks for which the CPU slept"),
        _row("boot.prompt_of_linux_init", elapsed, other["boot"]["mean"], GOAL,
             "kernel entry to prompt; Linux's direct boot to /init"),
    ]


def _display(ours: dict) -> list[dict]:
    """Both sides are ours, for a thousand pixels."""
    screen = ours["screen"][0] * ours["screen"][1]
    copy = ours["display_copy"]["mean"] * 1000 / screen
    return [
        _row("display.full_redraw_1080p",
             ours["display_full_redraw"]["mean"] * 1000 / screen, copy,
             FULL_GOAL, DISPLAY_NOTE.format("a whole frame")),
        _row("display.damage_200x200",
             ours["display_damage"]["mean"] * 1000 / 200 ** 2, copy,
             DAMAGE_GOAL, DISPLAY_NOTE.format("a changed part")),
    ]


def _lua(ours: dict, other: dict) -> list[dict]:
    rows = []
    for name, (ticks, value) in ours.items():
        peer_ticks, peer_value = other[name]
        if peer_value != value:
            raise ValueError(
                f"lua.{name}: RayOS says {value}, the peer {peer_value}")
        rows.append(_row(f"lua.{name}", ticks, peer_ticks, LUA_GOAL,
                         "the better of two runs; the same in lua5.4"))
    return sorted(rows, key=lambda row: row["row"])


def machines(ours: dict, other: dict) -> list[dict]:
    """Rows of virtual machines, from vm.run."""
    rows = [_row(name, ours[key]["mean"], other[key]["mean"], goal, note)
            for name, (key, goal, note) in MACHINES.items()]
    rows.append(_row("vm.timer_to_thread_max",
                     ours["vm_timer_to_thread"]["max"],
                     other["vm_timer_to_thread"]["max"], GOAL,
                     "as cyclictest, in the guest"))
    rows.append(_row("vm.memory_overhead", ours["vm_overhead"], VM_MEMORY_GOAL,
                     GOAL, "bytes beside the guest's own memory; 5 MiB"))
    return rows


def desktop(ours: dict) -> list[dict]:
    """Rows of a guest's screen, from desktop.run: beside a copy, or a budget."""
    return [
        _row("desktop.flush_1000_pixels", ours["flush"], ours["copy"],
             DAMAGE_GOAL, "the guest's flush to the screen; just copying"),
        _row("desktop.transfer_1000_pixels", ours["device"], ours["copy"],
             TRANSFER_GOAL, "the guest's command to its resource; just copying"),
        _row("desktop.key_to_guest", ours["key"], 10 * TICKS_A_MS, GOAL,
             "a key to the guest's program and back by its serial line; 10 ms"),
        _row("desktop.show_to_first_pixel", ours["show"], 6 * TICKS_A_FRAME,
             GOAL, "display.layout to the picture, a scaled one; 0.1 s"),
        _row("desktop.hidden_a_second", ours["hidden"], TICKS_HIDDEN, GOAL,
             "busy ticks a second with an idle guest hidden; one percent"),
    ]


def desktop_boot(ours: float, other: float) -> dict:
    """The row of desktop_boot.run."""
    return _row("desktop.boot", ours, other, GOAL,
                "vm.define to Weston's first picture; exec of QEMU with KVM")


def make(ours: dict, other: dict) -> list[dict]:
    """Rows from what RayOS (rayos.run) and the peer (peer.run) measured."""
    rows = (_boot(ours, other) + _lua(ours["lua"], other["lua"])
            + _display(ours))
    for name, (key, note) in OPERATIONS.items():
        value = ours[key]
        row = _row(name, value["mean"] if isinstance(value, dict) else value,
                   other[key]["mean"], GOAL, note)
        # When the emulator's disk thread answers is not counted.
        rows.append(row | {"varies": True} if name.startswith("disk.") else row)
    for kind in ("mean", "max"):
        rows.append(_row(f"sched.timer_to_thread_{kind}",
                         ours["timer_to_thread"][kind],
                         other["timer_to_thread"][kind], GOAL, TIMER_NOTE))
        rows.append(_row(f"reflex.latency_{kind}",
                         ours["reflex_latency"][kind],
                         other["timer_to_thread"][kind], REFLEX_GOAL,
                         REFLEX_NOTE))
    rows.append(_row("reflex.latency_of_lua", ours["reflex_latency"]["mean"],
                     ours["event_to_lua"], REFLEX_GOAL,
                     "a rule's C action; a timer's event to a Lua handler"))
    rows.append(_row("reflex.latency_loaded_max",
                     ours["reflex_latency_loaded"]["max"],
                     ours["reflex_latency"]["max"], LOADED_GOAL, LOADED_NOTE))
    for kind in ("mean", "max"):
        row = _row(f"reflex.latency_flooded_{kind}",
                   ours["reflex_latency_flooded"][kind],
                   ours["reflex_latency"][kind], LOADED_GOAL, FLOODED_NOTE)
        rows.append(row | {"varies": True})
        row = _row(f"reflex.latency_hostile_{kind}",
                   ours["reflex_latency_hostile"][kind],
                   ours["reflex_latency"][kind], LOADED_GOAL, HOSTILE_NOTE)
        rows.append(row | {"varies": True})
    for count in (10, 100, 1000):
        rows.append(_row(f"reflex.rules_{count}",
                         ours[f"reflex_rules_{count}"]["mean"],
                         ours["reflex_rules_1"]["mean"], FLAT_GOAL,
                         RULES_NOTE.format(count)))
    rows.append(_row("memory.at_prompt", ours["memory"],
                     other["memory"]["mean"], GOAL,
                     "bytes: frames not free; MemTotal - MemFree in /init"))
    return rows
