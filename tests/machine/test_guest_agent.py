"""Programs in guests and their ports: Debian's guest agent, the terminal hvc0,
and the power button."""

import hashlib

import pytest

from conftest import BUILD, Fleet, _workdir
from test_linux import HELPERS, run, start

DEBIAN = r"""
function debian_start()
  local source
  for _, b in ipairs(block.list()) do
    if b.serial == "debian" then source = b.name end
  end
  G = assert(require "vm".define { name = "debian", memory = 256,
    kernel = "/guests/cloud/vmlinux", initrd = "/guests/cloud/initrd", rng = true,
    cmdline = "console=hvc0 quiet cryptomgr.notests rayos.root=/dev/vda",
    disks = { { source = source } } })
  assert(G:start())
  C = G:console("hvc0")
  return assert(C:expect("(RAYOS%-GUEST%-READY[^\r\n]*)\r", 150))
end
return true
"""


@pytest.fixture(scope="module")
def machine(request):
    fleet = Fleet(_workdir("test_guest_agent"))
    m = fleet.boot(
        cmdline="testhooks", cpus=2, memory=1536, guests=True, extra=[
            "-drive", "id=debian,if=none,format=raw,snapshot=on,"
            f"file={BUILD}/guest-debian.img",
            "-device", "virtio-blk-pci,drive=debian,serial=debian"])
    request.module.shared_fleet = fleet
    m.wait_files("/guests")
    m.eval(HELPERS)
    m.eval(DEBIAN)
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


@pytest.fixture
def guests(machine):
    yield machine
    machine.eval("if G then G:destroy() G = nil end")


def test_debians_agent_does_what_it_is_told(guests):
    """On one guest: its start is what costs."""
    assert "debian 12" in guests.eval("return debian_start()", timeout=180)[0]
    guests.eval("A = assert(G:agent(30)) assert(A:ping(30))", timeout=80)
    programs(guests)
    files(guests)
    assert guests.eval("""local list = assert(A:interfaces())
        return list[1].name, list[1].addresses[1]""") in (
            ["lo", "127.0.0.1/8"], ["lo"])
    refusals(guests)
    # Through the agent: the button has nobody who listens.
    assert guests.eval("return G:shutdown(60), (G:state())",
                       timeout=90) == [True, "stopped"]
    assert guests.eval("return select(3, A:ping(5))") == ["ENOTCONN"]


def programs(m) -> None:
    assert m.eval("""local r = assert(A:exec("echo $X; cat; echo bad >&2; exit 7",
        { input = "given", env = { "X=set", "PATH=/bin:/usr/bin" } }))
        return r.exit, r.output, r.errors""", timeout=80) == [
            7, "set\ngiven", "bad\n"]
    assert m.eval("""return assert(A:exec { "/bin/echo", "a b", "c" }).output""",
                  timeout=80) == ["a b c\n"]
    assert m.eval("""return assert(A:exec("kill -9 $$")).signal""",
                  timeout=80) == [9]
    # More than the port's ring holds at once.
    m.eval("""
        BIG = assert(A:exec("head -c 200000 /dev/zero | tr '\\\\0' x")).output""",
           timeout=80)
    assert m.eval("return #BIG, BIG == ('x'):rep(#BIG)") == [200000, True]
    assert m.eval("return select(3, A:exec('sleep 30', { seconds = 1 }))",
                  timeout=80) == ["ETIMEDOUT"]


def files(m) -> None:
    m.eval("""DATA = {} for i = 1, 50000 do DATA[i] = string.char(i * i % 251) end
        DATA = table.concat(DATA)
        assert(A:write("/root/data", DATA))""", timeout=80)
    assert m.eval("return assert(A:read('/root/data')) == DATA",
                  timeout=80) == [True]
    data = bytes(i * i % 251 for i in range(1, 50001))
    assert m.eval("return assert(A:exec('sha256sum /root/data')).output",
                  timeout=80)[0].split()[0] == hashlib.sha256(data).hexdigest()


def refusals(m) -> None:
    said = m.eval("return A:read('/root/nothing')")
    assert said[0] is None and "/root/nothing" in said[1] and said[2] == "EREMOTE"
    assert m.eval("return select(3, A:exec { '/no/such' })") == ["EREMOTE"]
    assert m.eval("return (A:ping())") == [True]


def test_the_terminal_and_a_port_without_a_listener(guests):
    start(guests, "cloud/vmlinux")
    guests.eval("assert(G:console_size(100, 37))")
    run(guests, "stty -F /dev/hvc0 -echo; cat /dev/hvc0 > /tmp/heard & true")
    assert run(guests, "echo hello > /dev/hvc0; stty -F /dev/hvc0 size"
               ).split() == ["37", "100"]
    guests.eval("""H = G:console("hvc0") assert(H:expect("hello", 20))
        assert(H:write("typed here\\n"))""")
    guests.eval("""for _ = 1, 50 do
          if linux_run("cat /tmp/heard") == "typed here\\n" then return end
          sys.sleep(0.2)
        end
        error("not heard")""", timeout=60)
    said = guests.eval("return G:agent(0.1)")
    assert said[0] is None and "no guest agent listens" in said[1]
    assert said[2] == "ENOTCONN"
    assert guests.eval("return select(3, G:console('hvc1'):read(0))") == ["ENOENT"]


def test_a_port_loses_nothing(guests):
    """300 KB are said before anybody listens: they wait in the guest."""
    start(guests, "cloud/vmlinux")
    digest = run(guests, "dd if=/dev/urandom of=/tmp/r bs=1000 count=300 "
                 "2>/dev/null; sha256sum /tmp/r").split()[0]
    run(guests, "P=/dev/vport0p1")  # opens once; and the line must not wrap
    run(guests, "sh -c 'cat /tmp/r >&3; cat <&3 >/tmp/in' 3<>$P & true")
    guests.eval("""P = G:console("org.qemu.guest_agent.0")
        for _ = 1, 50 do
          if G:ports()[2].written == 65536 then return end
          sys.sleep(0.1)
        end
        error("it says " .. G:ports()[2].written)""")
    assert guests.eval("""
        local f, n = assert(io.open("/tmp/said", "wb")), 0
        while n < 300000 do
          local text = assert(P:read(20))
          n = n + #text f:write(text)
        end
        f:close()
        return n, require "fs".sha256("/tmp/said")""", timeout=80) == [
            300000, digest]
    # And the other way, more than a console keeps.
    guests.eval("assert(P:write(('x'):rep(20000)))", timeout=60)
    assert run(guests, "sleep 1; wc -c < /tmp/in").strip() == "20000"


@pytest.mark.parametrize("kernel", ["cloud/vmlinux", "generic/vmlinux"])
def test_the_power_button_shuts_a_guest_down(guests, kernel):
    start(guests, kernel)
    assert guests.eval("return G:shutdown(60), (G:state())",
                       timeout=90) == [True, "stopped"]
    assert guests.eval("return (C:expect('the power button was pressed', 5))") == [
        "the power button was pressed"]


def test_a_guest_without_a_console(guests):
    said = guests.eval("""
        local function ports(options)
          options.name, options.kernel = "p", "/guests/cloud/vmlinux"
          local v, message = vm.define(options)
          if not v then return message end
          assert(v:start()) assert(v:kill())
          local names = {}
          for _, p in ipairs(v:ports()) do names[#names + 1] = p.name end
          assert(v:destroy())
          return table.concat(names, " ")
        end
        return ports {}, ports { console = false },
          ports { agent = false, ports = { "com.example.0" } },
          ports { ports = { "a", "a" } }, ports { console = false, ports = {"a"} },
          (select(2, pcall(ports, { ports = { ("x"):rep(48) } })))""", timeout=60)
    assert said[:3] == ["hvc0 org.qemu.guest_agent.0", "", "hvc0 com.example.0"]
    for text, part in zip(said[3:], (
            "a name comes twice", "only with a console", "47 bytes at most"),
            strict=True):
        assert part in text


def test_the_last_exits_and_a_trace(guests):
    start(guests, "cloud/vmlinux", "{cpus=2}")
    order = """
        local list, cpus = G:trace(), {}
        for i, e in ipairs(list) do
          assert(i == 1 or list[i - 1].time <= e.time)
          assert(type(e.reason) == "string" and e.time <= sys.uptime())
          cpus[e.cpu] = (cpus[e.cpu] or 0) + 1
        end
        return cpus[0], cpus[1], list[#list].time"""
    running = guests.eval(order)
    assert 1 <= running[0] <= 64 and 1 <= running[1] <= 64, running
    guests.eval("assert(G:pause())")
    paused = guests.eval(order)
    assert paused[:2] == [64, 64]
    # What the dump says is the newest of the first CPU.
    assert guests.eval(r"""
        local newest = G:last_exits(0)[64]
        local us, reason = G:dump():match("the newest first:\n *(%d+) us  (%S+)")
        return tonumber(us) == newest.time * 1e6 // 1, reason == newest.reason"""
                       ) == [True, True]
    guests.eval("assert(G:resume()) trace.on('vm')")
    run(guests, "echo traced")
    names = guests.eval("""assert(trace.save("/tmp/vm.json"))
        local seen, open = {}, 0
        for _, e in ipairs(require "cjson".decode(
            require "fs".read("/tmp/vm.json")).traceEvents) do
          if e.ph == "B" then seen[e.name], open = true, open + 1 end
          if e.ph == "E" then open = open - 1 end
        end
        return seen.io, open >= 0 and open <= 2""", timeout=60)
    assert names == [True, True]
    guests.eval("assert(G:kill())")
    assert guests.eval(order)[:2] == [64, 64]
