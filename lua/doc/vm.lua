-- What module vm offers: help(), docs and the annotation files read this.
return {
  module = "vm",
  summary = "Virtual machines: define, start, watch and end them.",
  text = "A VM is known by its name, from vm.define until :destroy. While it "
    .. "runs it holds all of its memory and a thread for each CPU. Needs "
    .. "\"vm\" for all that changes something.",
  intro = [==[
## Example

```lua
local vm = require "vm"

local guest = vm.define {
  name = "hello", memory = 2, kernel = "/boot/guests/hello.16",
  loader = "flat16",
}
guest:start()
guest:wait("stopped", 10)
guest:output() == "hello from real mode\n" --> true
guest:exit_code() --> 42
guest:destroy()
```

A VM is `defined`, `starting`, `running`, `paused`, `stopped` (as asked, by
itself or by us) or `crashed` (by what it did): then `:state()` says why, and
`:dump()` has registers, code and the last exits. Every change raises the event
`vm_state`.

## A Linux guest

`/guests` is the disk that `ninja guests` makes, with Debian's kernels and a
busybox; a kernel on any volume does as well, as bzImage or (quicker) unpacked.

```lua
local vm = require "vm"

local guest = assert(vm.define {
  name = "box", memory = 128,
  kernel = "/guests/cloud/vmlinux", initrd = "/guests/cloud/initrd",
  cmdline = "console=ttyS0 quiet cryptomgr.notests",
  nets = { { network = "lan" } },
})
assert(guest:start())
local console = guest:console()
assert(console:expect("/ # ", 120))
assert(console:write("echo $((6 * 7))\n"))
console:expect("\n(%d+)\r", 30) --> 42
guest:state() --> running
assert(guest:kill())
guest:state() --> stopped
assert(guest:destroy())
```

`guest:attach()` gives you its console at the prompt; Ctrl-] leaves it, and the
guest runs on. `guest:shutdown()` asks it to end in order. A disk is a block
device (`block.list()`) or a file: `disks = { { source = "vdb" } }`.

## When it goes wrong

```lua
local vm = require "vm"

local bad = vm.define {
  name = "bad", memory = 16, kernel = "/boot/guests/triple.64",
  loader = "flat64",
}
bad:start()
bad:wait("crashed", 10)
select(2, bad:state()) --> triple fault
bad:dump():match("last %d+ exits") --> last 1 exits
bad:destroy()
```

The dump of one that crashed or is paused has its registers, the bytes at RIP,
how its page tables translate them, its stack, and what it last left the guest
for; under VMX also which rule a state breaks that the CPU would not enter.
`:regs(cpu)` and `:stats()` are for scripts. A machine without virtual
machines says why: `vm.host().reason`.
]==],
  functions = {
    {
      name = "host",
      args = {},
      returns = { { "table", "vendor (false: none, then reason), features" } },
      text = "What this machine has for virtual machines.",
      example = "vm.host().vendor",
    },
    {
      name = "define",
      args = { { "config", "table", "name, kernel, initrd, cmdline, loader, "
        .. "cpus (1), memory (64, in MiB), disks, nets, rng, display, "
        .. "console (true), agent (true), ports, cpuid, apic" } },
      returns = { { "vm?", "the VM, or nil, message, code" } },
      text = "Make a VM known. Paths are of the file system. loader names the "
        .. "image's format where it cannot be told from the image: flat16, "
        .. "flat32, flat64. disks is a list of {source=, read_only=, serial=}: a "
        .. "block device's name (\"vdb1\"), its disk's serial number "
        .. "(\"serial:data\") or a file's path. nets is a list of "
        .. "{network=, mac=, spoof=}: the name of a switch that connects "
        .. "guests, made with its first port; the address (52:00:00:00:00:01) "
        .. "is chosen if there is none, and the guest may send from it only, "
        .. "unless spoof is true, as a guest needs that is a bridge. rng gives "
        .. "it random numbers. console gives it the terminal hvc0 "
        .. "(virtio-console), agent a port there for its guest agent, and "
        .. "ports, a list of names, more for programs "
        .. "(/dev/virtio-ports/NAME in a Linux with udev). "
        .. "cpuid is a list of lines {leaf=, subleaf=, eax=, ebx=, ecx=, edx=} "
        .. "that replace what the guest would see. apic says who runs its local "
        .. "APICs: \"hardware\", the CPU, if host().virtual_interrupts says that "
        .. "it can; \"software\", a model of ours; nothing takes the CPU, unless "
        .. "host().virtual_interrupts_erratum says that it does it badly (as "
        .. "Bochs). display is "
        .. "{width=, height=}: a screen, keyboard and tablet, shown on a "
        .. "surface of the VM's name (see display), which is there from the "
        .. "first start on, hidden; the guest is told of the size that its "
        .. "view has.",
      example = "vm.define { name = \"a\", kernel = \"/boot/guests/halt.64\", "
        .. "loader = \"flat64\" }",
    },
    {
      name = "get",
      args = { { "name", "string", "of a VM" } },
      returns = { { "vm?", "the VM, or nil, message, code" } },
      text = "The VM of that name. Its methods: :start() :pause() :resume() "
        .. ":reset() :nmi() :kill() :destroy(), which answer true or nil, message, "
        .. "code; :wait(state, seconds); :name() :state() :exit_code() "
        .. ":output() :disks() :stats() :regs(cpu) :dump(). :trace() is a list of the "
        .. "last exits of its CPUs (64 each): cpu, time, reason, rip, code, info1, "
        .. "info2. :shutdown(seconds) asks "
        .. "the guest's agent, or presses the power button where there is none, "
        .. "and waits. :agent(seconds) gives the agent (see agent), when it "
        .. "listens. :attach() makes this terminal the "
        .. "guest's console until Ctrl-]; :console() is the same for scripts, "
        .. "and :console(\"hvc0\") or of another port's name its end of that, "
        .. "with :read(seconds) :write(text) :history() and "
        .. ":expect(pattern, seconds); :ports() tells of all: name, open (by a "
        .. "program of the guest), written, waiting (bytes); "
        .. ":console_size(columns, rows) tells hvc0 its size. "
        .. "With a display: :display() "
        .. "gives a table (active: the guest's driver shows a picture; width, "
        .. "height, frames, pixels, events, ...), and :input(type, code, value) "
        .. "tells the guest an input event, whoever has the focus; type 0 ends "
        .. "a batch.",
      example = "vm.get(\"a\")",
    },
    {
      name = "networks",
      args = {},
      returns = { { "table", "{network, port, sent, sent_bytes, received, "
        .. "received_bytes, dropped, refused, spoofed}, for each port" } },
      text = "The switches that connect guests, with what went through each "
        .. "port since its guest was made. dropped are frames that the guest "
        .. "had no buffer for or that came while it was paused, refused those "
        .. "that it sent too short or too long, spoofed those that it sent "
        .. "from another address than its own.",
      example = "#vm.networks()",
    },
    {
      name = "list",
      args = {},
      returns = { { "table", "VMs in the order of their definition" } },
      text = "All VMs.",
      example = "#vm.list()",
    },
  },
}
