"""Debian's kernels, unchanged, in virtual machines of ours."""

import pytest

from conftest import Fleet, _workdir

HELPERS = r"""
local vm, sys = require "vm", require "sys"
function linux_start(kernel, options)
  local config = { name = "linux", memory = 256, rng = true,
    kernel = "/guests/" .. kernel,
    initrd = "/guests/" .. kernel:match("^%w+") .. "/initrd",
    cmdline = "console=ttyS0 quiet cryptomgr.notests" }
  for k, v in pairs(options or {}) do config[k] = v end
  G = assert(vm.define(config))
  assert(G:start())
  C = G:console()
  return linux_up()
end
function linux_up()
  local ready = assert(C:expect("(RAYOS%-GUEST%-READY[^\r\n]*)\r", 120))
  assert(C:expect("/ # ", 30))
  return ready
end
function linux_run(command, seconds)
  assert(C:write(command .. "; echo DO''NE\n"))
  assert(C:expect("DO''NE\r\n", 20))
  local text = assert(C:expect("^(.-)DONE\r\n", seconds or 60))
  return (text:gsub("\r", ""))
end
return true
"""


@pytest.fixture(scope="module")
def machine(request):
    fleet = Fleet(_workdir("test_linux"))
    disk = fleet.workdir / "scratch.img"
    disk.parent.mkdir(parents=True, exist_ok=True)
    with open(disk, "wb") as f:
        f.truncate(320 << 20)
    m = fleet.boot(
        cmdline="testhooks", cpus=2, memory=1536, guests=True, extra=[
            "-drive", f"id=scratch,if=none,format=raw,file={disk}",
            "-device", "virtio-blk-pci,drive=scratch,serial=scratch"])
    request.module.shared_fleet = fleet
    m.wait_files("/guests")
    m.eval(HELPERS)
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


@pytest.fixture
def guests(machine):
    yield machine
    machine.eval("if G then G:destroy() G = nil end")


def start(m, kernel: str, options: str = "{}") -> str:
    return m.eval(f"return linux_start({kernel!r}, {options})", timeout=150)[0]


def run(m, command: str, seconds: int = 60) -> str:
    return m.eval(f"return linux_run([==[{command}]==], {seconds})",
                  timeout=seconds + 30)[0]


def scratch(m) -> str:
    """RayOS's name of the empty disk."""
    return m.eval("""for _, b in ipairs(block.list()) do
        if b.serial == "scratch" then return b.name end end""")[0]


@pytest.mark.parametrize("kernel", ["cloud/bzImage", "cloud/vmlinux",
                                    "generic/vmlinux"])
@pytest.mark.parametrize("cpus", [1, 2])
def test_a_kernel_of_debian_reaches_userland(guests, kernel, cpus):
    ready = start(guests, kernel, f"{{cpus={cpus}}}")
    assert ready.endswith(f"cpus={cpus}"), ready
    assert run(guests, "echo $((6 * 7))").strip() == "42"
    assert run(guests, "head -c 64 /dev/hwrng | wc -c").strip() == "64"
    run_down(guests)


def test_a_guest_with_most_of_the_memory_has_it_around_the_hole(tmp_path):
    fleet = Fleet(tmp_path)
    m = fleet.boot(cmdline="testhooks", memory=6144, guests=True)
    m.wait_files("/guests")
    m.eval(HELPERS)
    start(m, "cloud/vmlinux", "{memory=5120}")
    total = int(run(m, "grep MemTotal /proc/meminfo").split()[1])
    assert 4900 << 10 < total <= 5120 << 10
    ranges = run(m, "dmesg | grep 'BIOS-e820'")
    assert "[mem 0x0000000100000000-0x000000017fffffff] usable" in ranges
    said = run(m, "head -c 100000000 /dev/zero > /z; md5sum /z", 120)
    assert said.startswith("0f86d7c5a6180cf9584c1d21144d85b0")
    run_down(m)
    fleet.close(keep=False)


def run_down(m) -> None:
    m.eval('C:write("poweroff -f\\n") assert(G:wait("stopped", 60))',
           timeout=80)
    assert m.eval("return G:state()") == ["stopped"]


# RayOS's clock less the guest's, and how far that may be wrong: of the quickest
# of some questions. (`eval` makes one line of it: no comments.)
CLOCK = r"""
function offset()
  local best, error_of_best
  for _ = 1, 8 do
    local before = sys.uptime()
    local text = linux_run("cat /proc/uptime")
    local after = sys.uptime()
    if not best or after - before < error_of_best then
      error_of_best = after - before
      best = (before + after) / 2 - tonumber(text:match("[%d.]+"))
    end
  end
  return best, error_of_best / 2 + 0.01
end
function ten_seconds()
  C:write("echo STA''RT; sleep 10; echo E''ND\n")
  assert(C:expect("START\r\n", 30))
  local before = sys.uptime()
  assert(C:expect("END\r\n", 60))
  local took = sys.uptime() - before
  assert(C:expect("/ # ", 20))
  return took
end
"""
LOAD = """
load = {}
for i = 1, 3 do
  load[i] = domain.spawn { name = "load" .. i,
    source = "local t = {} while true do t[#t % 1000 + 1] = {} end" }
end
"""


@pytest.mark.parametrize("load", ["", LOAD], ids=["idle", "loaded"])
def test_ten_seconds_in_the_guest_are_ten_of_ours(guests, load):
    """Within one percent, by both clocks; a busy host may delay what is said,
    so that the sleep has three tries."""
    start(guests, "cloud/vmlinux")
    guests.eval(CLOCK)
    first, first_error = guests.eval("return offset()", timeout=60)
    guests.eval(load)
    took = [guests.eval("return ten_seconds()", timeout=120)[0]]
    while took[-1] > 10.1 and len(took) < 3:
        took += guests.eval("return ten_seconds()", timeout=120)
    if load:
        guests.eval("for _, d in ipairs(load) do d:kill() end")
    last, last_error = guests.eval("return offset()", timeout=60)
    assert 9.9 < min(took) < 10.1, took
    assert abs(last - first) < 0.1 * len(took) + first_error + last_error


def test_what_the_guest_writes_is_on_the_disk(guests):
    name = scratch(guests)
    start(guests, "cloud/vmlinux", "{disks={{source='%s', serial='s1'}}}" % name)
    assert run(guests, "cat /sys/block/vda/size /sys/block/vda/serial").split(
        ) == [str((320 << 20) // 512), "s1"]
    said = run(guests, "dd if=/dev/urandom of=/tmp/a bs=1M count=32 2>/dev/null;"
               " for i in 0 1 2 3 4 5 6 7; do dd if=/tmp/a of=/dev/vda bs=1M "
               "seek=$((32 * i)) 2>/dev/null; done; sync; "
               "echo 3 > /proc/sys/vm/drop_caches; "
               "cat /tmp/a /tmp/a /tmp/a /tmp/a /tmp/a /tmp/a /tmp/a /tmp/a | "
               "sha256sum; dd if=/dev/vda bs=1M count=256 2>/dev/null | "
               "sha256sum", 240)
    sums = [line.split()[0] for line in said.splitlines() if "-" in line]
    assert len(sums) == 2 and sums[0] == sums[1], said
    # Our own driver reads the same there.
    first = run(guests, "dd if=/dev/vda bs=4096 count=1 2>/dev/null | sha256sum")
    guests.eval("G:kill()")
    ours, = guests.eval(f"""
        local f <close> = assert(io.open("/tmp/first", "wb"))
        f:write(block.open("{name}"):read(0, 4096)) f:close()
        return require "fs".sha256("/tmp/first")""")
    assert ours == first.split()[0]


def test_what_was_written_survives_power_cuts_and_resets(guests):
    """The guest's own reset, and the emulator's end by a kill."""
    write = "printf '%s' > /tmp/m; dd if=/tmp/m of=/dev/vda seek=99 " \
        "conv=sync,fsync 2>/dev/null"
    read = "dd if=/dev/vda skip=99 count=1 2>/dev/null | tr -d '\\0'"
    disks = "{disks={{source='%s'}}}" % scratch(guests)
    start(guests, "cloud/vmlinux", disks)
    run(guests, write % "before its reset")
    guests.eval('C:write("reboot -f\\n") linux_up()', timeout=150)
    assert run(guests, read).strip() == "before its reset"
    run(guests, write % "before the power cut")
    guests.restart()
    guests.wait_prompt()
    guests.wait_files("/guests")
    guests.eval(HELPERS)
    start(guests, "cloud/vmlinux", "{disks={{source='%s'}}}" % scratch(guests))
    assert run(guests, read).strip() == "before the power cut"


def test_the_power_button_a_reset_and_a_new_start(guests):
    start(guests, "cloud/vmlinux")
    guests.eval('C:write("reboot -f\\n") '
                'linux_up()', timeout=150)
    assert guests.eval("return G:stats().boots, (G:state())") == [2, "running"]
    guests.eval("assert(G:reset())")
    guests.eval('linux_up()', timeout=150)
    guests.eval("assert(G:kill())")
    assert guests.eval("return (G:state())") == ["stopped"]
    guests.eval('assert(G:start()) '
                'linux_up()', timeout=150)
    guests.eval("assert(G:pause())")
    before, = guests.eval("return G:stats().guest_seconds")
    guests.eval("sys.sleep(0.3)")
    assert guests.eval("return G:stats().guest_seconds") == [before]
    guests.eval("assert(G:resume())")
    assert run(guests, "echo on again").strip() == "on again"


def port_of(m, guest: str) -> dict:
    return m.eval(f"""for _, p in ipairs(require "vm".networks()) do
        if p.port == {guest}:name() .. "/eth0" then return p end end""")[0]


def check_pause_and_address(m):
    """G, which is 10.0.0.2, and G1, which is 10.0.0.1."""
    before = port_of(m, "G1")
    m.eval("assert(G1:pause())")
    assert "100% packet loss" in run(m, "ping -c 2 -W 1 10.0.0.1")
    after = port_of(m, "G1")
    assert after["received"] == before["received"], (before, after)
    assert after["dropped"] > before["dropped"], (before, after)
    m.eval("assert(G1:resume())")
    assert " 2 packets received" in run(m, "ping -c 2 10.0.0.1")
    run(m, "ip link set eth0 down")
    run(m, "ip link set eth0 address 52:11:22:33:44:55")
    assert "52:11:22" in run(m, "ip link set eth0 up; ip link show eth0")
    assert "100% packet loss" in run(m, "ping -c 2 -W 1 10.0.0.1")
    assert port_of(m, "G")["spoofed"] > 0


def test_two_guests_talk_over_a_switch(guests):
    nets = "nets = { { network = 'lan' } }"
    start(guests, "cloud/vmlinux", "{ %s }" % nets)
    run(guests, "ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up")
    guests.eval(f"""G1, C1 = G, C G = nil
        linux_start("cloud/vmlinux", {{ name = "other", {nets} }})""",
                timeout=150)
    run(guests, "ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up")
    said = run(guests, "ping -c 5 -s 1400 10.0.0.1")
    assert "5 packets transmitted, 5 packets received" in said, said
    # A megabyte by TCP, whole.
    guests.eval("""C, C2 = C1, C
        C:write("nc -l -p 77 > /tmp/got; sha256sum /tmp/got; echo GO''T\\n")
        C = C2""")
    sent = run(guests, "dd if=/dev/urandom of=/tmp/x bs=1k count=1024 2>/dev/null;"
               " sha256sum /tmp/x; sleep 1; nc 10.0.0.1 77 < /tmp/x")
    got = guests.eval('return assert(C1:expect("(%x+)  /tmp/got", 60))',
                      timeout=90)[0]
    assert got and got in sent
    ports, = guests.eval("return require 'vm'.networks()")
    assert [p["network"] for p in ports] == ["lan", "lan"]
    assert all(p["refused"] == 0 and p["received"] > 10 for p in ports), ports
    assert sum(p["received_bytes"] for p in ports) > 1 << 20
    check_pause_and_address(guests)
    guests.eval("assert(G1:destroy()) assert(G:destroy()) G = nil")
    assert guests.eval("return #require 'vm'.networks()") == [0]


def test_two_at_once(guests):
    start(guests, "cloud/vmlinux")
    guests.eval("""G1, C1 = G, C G = nil
        linux_start("cloud/vmlinux", { name = "other" })""", timeout=150)
    assert run(guests, "hostname; echo second").split()[-1] == "second"
    guests.eval("C, C2 = C1, C")
    assert run(guests, "echo first").strip() == "first"
    guests.eval("assert(G1:destroy()) C = C2")
    assert run(guests, "echo still here").strip() == "still here"
