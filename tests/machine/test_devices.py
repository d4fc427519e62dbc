"""The device tree, interrupts of every kind, BARs that nobody had placed, and
the policy that says whose a device is."""

import struct
import time

import pytest

EDU = "pci:00:0a.0"
EDU_ARGS = ["-device", "edu,addr=0xa"]


def tree(m) -> dict[str, dict]:
    return {d["name"]: d for d in m.eval("return dev.list()")[0]}


def device(m, name: str) -> dict:
    return m.eval(f'return dev("{name}"):properties()')[0]


def wait_policy(m) -> None:
    """It is loaded beside the shells' start."""
    for _ in range(100):
        if m.eval("return dev.policy().loads + dev.policy().failures")[0]:
            return
        time.sleep(0.1)
    raise AssertionError("no policy was loaded")


# --- the tree ---

def check_tree(devices: dict[str, dict]) -> None:
    """What is so of every tree."""
    seen = set()
    for name, d in devices.items():
        assert d.get("parent") is None or d["parent"] in seen, name
        seen.add(name)
        assert (d["state"] == "bound") <= ("driver" in d)
        assert d["owner"] in ("ours", "guest", "left") and d["why"]
        assert d["state"] != "failed", d


@pytest.mark.parametrize("machine,host,isa", [
    ("q35", 0x29C0, "pci:00:1f.0"), ("pc", 0x1237, "pci:00:01.0")])
def test_the_tree_shows_what_the_machine_has(fleet, machine, host, isa):
    m = fleet.boot(machine=machine, extra=[
        "-device", "pci-bridge,chassis_nr=1,id=b1,addr=0x8",
        "-device", "edu,bus=b1,addr=3"])
    wait_policy(m)
    devices = tree(m)
    check_tree(devices)
    root = devices["pci:00:00.0"]
    assert (root["vendor"], root["device"]) == (0x8086, host)
    assert devices[isa]["class"] >> 8 == 0x0601
    disk = [d for d in devices.values() if d.get("driver") == "virtio_pci"]
    assert len(disk) == 1 and disk[0]["irq"] == "MSI-X"
    assert [d for d in devices.values() if d.get("parent") == disk[0]["name"]]
    bridge = devices["pci:00:08.0"]
    child = devices[f"pci:{bridge['secondary_bus']:02x}:03.0"]
    assert child["parent"] == bridge["name"] and child["driver"] == "edu"
    assert child["interrupts"] == child["raised"] == 51
    assert devices["isa:i8042"]["ports"] == "0x60-0x60, 0x64-0x64"
    text, = m.eval("return dev.tree()")
    for name in devices:
        assert name in text
    # The command, in a person's words.
    assert "host bridge" in m.type("dev")
    assert "0x" in m.type("dev pci:00:00.0") or "32902" in m.type(
        "dev pci:00:00.0")


@pytest.mark.lanes("bochs")
def test_a_machine_without_acpi_shows_its_tree_too(fleet):
    m = fleet.boot()
    wait_policy(m)
    devices = tree(m)
    check_tree(devices)
    assert devices["pci:00:00.0"]["device"] == 0x1237
    assert devices["pci:00:01.1"]["class"] >> 8 == 0x0101
    assert devices["pci:00:01.2"]["class"] >> 8 == 0x0C03
    vga = devices["pci:00:02.0"]
    assert vga["vendor"] == 0x1013 and "unusable" not in vga["bar0"]
    assert m.eval("return dev.policy().error") == [None]


@pytest.mark.parametrize("base,says", [
    (0x100000, "points into memory"),
    (0xD0000000, "by ports differ"),
    (0xD0000800, "damaged or empty"),
])
def test_a_lying_mcfg_table_is_not_believed(fleet, base, says):
    """The machine `pc` has none of its own; here is one that is wrong."""
    data = fleet.workdir / "mcfg"
    data.write_bytes(bytes(8) + struct.pack("<QHBBI", base, 0, 0, 255, 0))
    m = fleet.boot(machine="pc", cmdline="log=debugcon", extra=[
        "-acpitable", f"sig=MCFG,rev=1,oem_id=RAYOS,data={data}"])
    assert says in (m.workdir / "debugcon.log").read_text(errors="replace")
    check_tree(tree(m))
    assert device(m, "pci:00:00.0")["device"] == 0x1237


# --- interrupts ---

KINDS = {
    "MSI on q35": ("q35", 2, "", "MSI"),
    "MSI on pc, one CPU": ("pc", 1, "", "MSI"),
    "INTx on q35": ("q35", 2, "pci.irq=intx", "INTx"),
    "INTx on pc": ("pc", 2, "pci.irq=intx", "INTx"),
    "8259 on q35": ("q35", 1, "pci.irq=intx irq=pic", "INTx"),
    "8259 on pc": ("pc", 2, "pci.irq=intx irq=pic", "INTx"),
    "MSI beside an 8259": ("q35", 2, "pci.irq=msi irq=pic", "MSI"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_interrupts_of_every_kind_arrive_once_and_can_be_masked(fleet, kind):
    machine, cpus, words, name = KINDS[kind]
    m = fleet.boot(machine=machine, cpus=cpus, cmdline=words, extra=EDU_ARGS)
    wait_policy(m)
    d = device(m, EDU)
    # The driver's probe raised them, each bit once, and one while masked.
    assert d["state"] == "bound" and d["irq"] == name
    assert d["raised"] == d["interrupts"] == 51
    assert d["bits"] == 0x7FFFFFFF
    names = [i["name"] for i in m.eval("return sys.interrupts()")[0]]
    assert "edu" in names if name == "MSI" else "shared" in names
    # Taken away, its vector goes; and it comes again.
    m.eval(f'assert(dev("{EDU}"):unbind())')
    assert device(m, EDU)["state"] == "unbound"
    assert "edu" not in [
        i["name"] for i in m.eval("return sys.interrupts()")[0]]
    m.eval(f'assert(dev("{EDU}"):bind("edu"))')
    assert device(m, EDU)["interrupts"] == 51
    # The disk, which has MSI-X where that is allowed, works beside it.
    assert m.eval('return #block.open("vda"):read(0, 512)') == [512]
    disk = next(d for d in tree(m).values()
                if d.get("driver") == "virtio_pci")
    assert disk["irq"] == ("INTx" if words else "MSI-X")


@pytest.mark.lanes("bochs")
def test_the_8259s_serve_a_machine_without_acpi(fleet):
    m = fleet.boot(cmdline="irq=pic")
    serial, = (i for i in m.eval("return sys.interrupts()")[0]
               if i["name"] == "ttyS0")
    assert serial["vector"] == 0x20 + serial["gsi"] == 0x24
    assert serial["count"] > 0


def test_messages_go_to_different_cpus(fleet):
    m = fleet.boot(cpus=4, extra=EDU_ARGS)
    seen = set()
    for _ in range(8):
        m.eval(f'local d = dev("{EDU}") assert(d:unbind()) assert(d:bind())')
        seen.add(device(m, EDU)["last_cpu"])
    assert len(seen) >= 3


LOAD = """
local domain = require "domain"
for i = 1, 3 do
  domain.spawn { name = "load" .. i, source = [[
    local block = require "block"
    while true do
      for i = 1, 1e5 do local x = i * i end
      local disk = block.open("vda")
      if disk then disk:read(0, 65536) disk:close() end
      require "sys".sleep(0.001)
    end
  ]] }
end
"""


def test_every_driver_comes_and_goes_a_hundred_times_under_load(fleet):
    m = fleet.boot(cmdline="testhooks", extra=EDU_ARGS + [
        "-device", "virtio-rng-pci", "-device", "virtio-keyboard-pci"])
    wait_policy(m)
    before = tree(m)
    m.eval(LOAD)
    ok, why = (m.eval('return sys.test.selftest("device_rebind")', 200)
               + [None])[:2]
    assert ok, why
    after = tree(m)
    assert after.keys() == before.keys()
    for name, d in after.items():
        assert d["state"] == before[name]["state"]
        assert d.get("driver") == before[name].get("driver")
        # Children begin anew whenever their parent does.
        if d["state"] == "bound" and d["driver"] != "uart16550" and \
                "parent" not in d:
            assert d["binds"] >= 104, name
    # None of its interrupts was lost: its driver does not bind otherwise.
    assert after[EDU]["interrupts"] == after[EDU]["raised"] == 51


def test_what_happens_to_a_device_is_an_event(fleet):
    m = fleet.boot(extra=EDU_ARGS)
    wait_policy(m)
    seen, = m.eval(
        'local q <close> = event.subscribe { type = "device" } '
        f'dev("{EDU}"):unbind() dev("{EDU}"):bind() '
        'local a, b = q:read(5), q:read(5) '
        'return {a.what, a.name, b.what, b.source}')
    assert seen == [3, EDU, 2, device(m, EDU)["id"]]  # unbound, bound


# --- BARs ---

def test_a_device_plugged_in_later_gets_addresses(fleet):
    """Nothing has placed its BARs: the firmware ran before it came."""
    m = fleet.boot(machine="pc", extra=[])
    before = tree(m)
    for i, kind in enumerate(("edu", "edu", "virtio-rng-pci", "e1000")):
        m.qmp.command("device_add", driver=kind, id=f"new{i}",
                      bus="pci.0", addr=hex(0x10 + i))
    assert m.eval("return dev.rescan()") == [4]
    assert m.eval("return dev.rescan()") == [0]
    new = {k: v for k, v in tree(m).items()
           if k not in before and v["bus"] == "pci"}
    assert sorted(new) == [f"pci:00:{n:x}.0" for n in range(0x10, 0x14)]
    ranges = []
    for name, d in new.items():
        for i in range(6):
            text = d.get(f"bar{i}")
            if text:
                assert "unusable" not in text, (name, text)
                kind, base, size = text.replace(",", "").split()[:3]
                ranges.append((kind, int(base, 16), int(size, 16)))
    assert len(ranges) >= 6
    for kind, base, size in ranges:
        assert base and base % size == 0
        for other, start, length in ranges:
            same = (kind, base) == (other, start)
            assert same or kind != other or base + size <= start \
                or start + length <= base
    for name in ("pci:00:10.0", "pci:00:11.0"):
        assert new[name]["driver"] == "edu" and new[name]["interrupts"] == 51
        base = int(new[name]["bar0"].split()[1].rstrip(","), 16)
        text = m.qmp.command("human-monitor-command",
                             **{"command-line": "info pci"})
        assert f"memory at {base:#010x}" in text  # QEMU agrees


# --- policy ---

def put(m, text: str) -> None:
    m.eval('local f = assert(io.open("/tmp/p.lua", "w")) '
           f'f:write([==[{text}]==]) f:close()')


BROKEN = {
    "missing": (None, "cannot be read"),
    "syntax": ("return { {", "p.lua:1:"),
    "runtime error": ("local x = nil return x.y", "index a nil"),
    "endless loop": ("while true do end", "computed for more than 1 s"),
    "protected endless loop":
        ("while true do pcall(function() while true do end end) end",
         "computed for more than 1 s"),
    "memory hog": ('local t = {} while true do t[#t + 1] = ("x"):rep(9999) '
                   '.. #t end', "MiB of memory"),
    "sleeper": ('require "sys".sleep(1000)', "did not answer"),
    "no value": ("local x = 1", "not a nil"),
    "a number": ("return 42", "not a number"),
    "a rule that is no table": ("return { 'x' }", "rule 1: a table"),
    "unknown owner": ("return { { bus = 'pci', owner = 'mine' } }",
                      "rule 1: owner"),
    "unknown field": ("return { { vender = 1, owner = 'left' } }",
                      "no field 'vender'"),
    "wrong type": ("return { { vendor = {}, owner = 'left' } }",
                   "rule 1: vendor"),
    "unknown driver":
        ("return { { name = 'EDU', owner = 'ours', driver = 'nvidia' } }",
         "no driver 'nvidia'"),
    "driver of another bus":
        ("return { { name = 'EDU', owner = 'ours', driver = 'i8042' } }",
         "does not drive"),
    "unknown device": ("return { { name = 'pci:7f:00.0', owner = 'left' } }",
                       "no device 'pci:7f:00.0'"),
    "guest without a name": ("return { { owner = 'guest' } }", "guest"),
    "partly wrong":
        ("return { { name = 'EDU', owner = 'left' }, { owner = 5 } }",
         "rule 2: owner"),
    "partly unknown":
        ("return { { bus = 'virtio', owner = 'left' },"
         " { name = 'EDU', owner = 'ours', driver = 'none' } }",
         "no driver 'none'"),
    "a function that fails": ("return function(d) error('no: ' .. d.name) end",
                              "no: "),
    "a function that babbles": ("return function() return 1 end",
                                "a table or nil"),
    "bytecode": ("\\27Lua", "p.lua"),
    "a lie": ('os.exit(0)', "without an answer"),
}


def test_a_broken_policy_changes_nothing_and_says_why(fleet):
    m = fleet.boot(extra=EDU_ARGS)
    wait_policy(m)
    before = {n: (d["state"], d["owner"], d["why"])
              for n, d in tree(m).items()}
    failures = {}
    for name, (text, expected) in BROKEN.items():
        if text is None:
            m.eval('os.remove("/tmp/p.lua")')
        else:
            put(m, text.replace("EDU", EDU).replace(
                "\\27", "]==] .. '\\27' .. [==["))
        ok, why = m.eval(
            'local a, b = dev.reload_policy("/tmp/p.lua") return a, b',
            timeout=60)
        status, = m.eval("return dev.policy()")
        if ok or expected not in (why or "") or status["error"] != why or \
                status["source"] != "/boot/policies/devices.lua":
            failures[name] = (ok, why, status.get("error"))
    assert not failures
    after = {n: (d["state"], d["owner"], d["why"])
             for n, d in tree(m).items()}
    assert after == before
    assert m.eval("return dev.policy().failures") == [len(BROKEN)]
    # And a good one is taken at once, reason forgotten.
    assert m.eval("return dev.reload_policy()") == [True]
    assert m.eval("return dev.policy().error") == [None]


def test_a_policy_gives_takes_and_reserves(fleet):
    m = fleet.boot(extra=EDU_ARGS)
    wait_policy(m)
    assert m.eval('return dev.policy().source') == [
        "/boot/policies/devices.lua"]
    assert device(m, "pci:00:00.0")["owner"] == "left"
    assert device(m, EDU)["why"].startswith("default")

    def load(text: str) -> dict:
        put(m, text.replace("EDU", EDU))
        assert m.eval('return dev.reload_policy("/tmp/p.lua")') == [True]
        return device(m, EDU)

    d = load("return { { vendor = 0x1234, device = '11e8', owner = 'guest', "
             "guest = 'linux', why = 'to learn' } }")
    assert d["owner"] == "guest" and d["guest"] == "linux"
    assert d["state"] == "unbound" and d["why"] == "to learn"
    ok, why, code = m.eval(f'return dev("{EDU}"):bind()')
    assert (ok, code) == (None, "EBUSY") and why
    assert f"device {EDU} (reserved for guest linux)" in m.type(
        f'dev("{EDU}")')
    d = load("return function(d) if d.vendor == 0x1234 and d.device == 0x11e8 "
             "then return { owner = 'left' } end end")
    assert d["owner"] == "left" and d["state"] == "unbound"
    d = load("return { { class = '00ff*', owner = 'ours', driver = 'edu' } }")
    assert d["state"] == "bound" and d["driver"] == "edu"
    # By hand, until the policy is read again.
    m.eval(f'assert(dev("{EDU}"):reserve("bsd"))')
    assert device(m, EDU)["guest"] == "bsd"
    assert m.eval("return dev.reload_policy()") == [True]
    assert device(m, EDU)["state"] == "bound"


def test_in_safe_mode_the_default_is_in_force(fleet):
    m = fleet.boot(cmdline="safe", extra=EDU_ARGS)
    status, = m.eval("return dev.policy()")
    assert status["source"] == "default" and status["loads"] == 0
    assert status.get("error") is None
    assert device(m, EDU)["driver"] == "edu"


# --- the end ---

def test_at_power_off_every_driver_lets_go(fleet):
    m = fleet.boot(cmdline="log=debugcon", extra=EDU_ARGS)
    m.serial.send("sys.poweroff()\r")
    assert m.wait_exit() == 0
    log = (m.workdir / "debugcon.log").read_text(errors="replace")
    assert f"{EDU}: driver edu let go" in log
    assert log.index("virtio:blk0: driver virtio_blk let go") < log.index(
        "driver virtio_pci let go")
