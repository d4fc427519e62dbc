-- What module sys offers: help(), docs and the annotation files read this.
return {
  module = "sys",
  summary = "The machine, its time, and its end.",
  text = "Most functions answer tables that print readable. What needs a "
    .. "capability answers nil, a message and \"EPERM\" without it.",
  intro = [==[
## Example

```lua
local sys = require "sys"

local machine = sys.machine()
print(machine.brand, machine.cpus .. " CPUs", (machine.memory >> 20) .. " MiB")

local before = sys.uptime()
sys.sleep(0.05)
sys.uptime() - before >= 0.05 --> true
```

`sys.units()`, `sys.cpus()`, `sys.threads()` and `sys.interrupts()` answer rows, which the prompt
shows as a table and a script can search:

```lua
local sys = require "sys"

local slowest
for _, unit in ipairs(sys.units()) do
  if not slowest or unit.duration > slowest.duration then
    slowest = unit
  end
end
print(slowest.name .. " took longest to start")
slowest.state --> started
```

Bytes and seconds are plain numbers: `sys.memory().free >> 20` is in MiB.
]==],
  functions = {
    {
      name = "version",
      returns = { { "table", "name, version, build, lua" } },
      text = "What system this is.",
      example = "sys.version().version",
    },
    {
      name = "about",
      returns = { { "table", "rows of name, version, licence, use" } },
      text = "The third-party code in the system.",
      example = "for _, item in ipairs(sys.about()) do print(item.name, "
        .. "item.licence) end",
    },
    {
      name = "machine",
      returns = {
        {
          "table",
          "vendor, brand, hypervisor, cpus, memory and free in bytes, "
            .. "firmware, acpi, clock, tsc_hz, virtualization",
        },
      },
      text = "What computer this is.",
      example = "sys.machine().brand",
    },
    {
      name = "cmdline",
      args = { { "name", "string?", "one word of it" } },
      returns = {
        {
          "string?",
          "its value, \"\" for a bare word, nil when it is not there",
        },
      },
      text = "The command line of the kernel: all of it, or one word's value.",
      example = "sys.cmdline(\"safe\")",
    },
    {
      name = "uptime",
      returns = { { "number", "seconds" } },
      text = "Time since the kernel's start. It never goes back.",
      example = "local before = sys.uptime() print(sys.uptime() - before)",
    },
    {
      name = "time",
      returns = { { "number", "seconds since 1970-01-01 UTC" } },
      text = "The wall clock, finer than os.time.",
      example = "sys.time()",
    },
    {
      name = "set_time",
      args = {
        { "seconds", "number", "since 1970-01-01 UTC" },
        {
          "hardware", "boolean?",
          "write the machine's own clock, too; true unless told",
        },
      },
      returns = {
        { "boolean?", "true" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Step the wall clock. sys.uptime and what sleeps do not notice. "
        .. "Needs \"time\".",
      example = "sys.set_time(sys.time(), false)",
    },
    {
      name = "random",
      args = { { "n", "integer", "how many bytes, at most 1 MiB" } },
      returns = {
        { "string?", "n bytes" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Bytes that nobody can guess, fit for keys. math.random is for "
        .. "games; it is seeded from these.",
      example = "#sys.random(16)",
    },
    {
      name = "entropy",
      returns = {
        { "table", "rows of name, bytes, bits (that nobody could guess)" },
        { "boolean", "was there enough to seed the generator?" },
      },
      text = "Where the random numbers come from.",
      example = "sys.entropy()[1].name",
    },
    {
      name = "tsc",
      returns = { { "integer", "ticks" } },
      text = "The CPU's time-stamp counter, for measurements; "
        .. "sys.machine().tsc_hz is its rate.",
      example = "local before = sys.tsc() print(sys.tsc() - before)",
    },
    {
      name = "boot_times",
      returns = { { "table", "loader, handover, prompt, idle" } },
      text = "The time-stamp counter when the loader began, when the kernel "
        .. "began, and when the first prompt was there; for how many of its "
        .. "ticks the first CPU slept until then.",
      example = "sys.boot_times().handover",
    },
    {
      name = "sleep",
      args = { { "seconds", "number", "how long" } },
      returns = {},
      text = "Wait without computing. Ctrl-C and kill end it.",
      example = "sys.sleep(0.1)",
    },
    {
      name = "memory",
      returns = {
        {
          "table",
          "total, used, free in bytes; blocks: free blocks of 4 KiB, 8 KiB, "
            .. "...",
        },
      },
      text = "The machine's memory.",
      example = "sys.memory().free >> 20",
    },
    {
      name = "cpus",
      returns = {
        { "table", "rows of id, apic_id, interrupts, idle (seconds)" },
      },
      text = "The CPUs that run, and how long each had nothing to do.",
      example = "#sys.cpus()",
    },
    {
      name = "threads",
      returns = {
        {
          "table",
          "rows of id, name, state, priority, cpu (seconds), switches",
        },
      },
      text = "All threads of the kernel; each domain is one of them.",
      example = "sys.threads()[1].name",
    },
    {
      name = "interrupts",
      returns = { { "table", "rows of vector, name, count, gsi" } },
      text = "The interrupts in use and how often each came.",
      example = "sys.interrupts()[1].count",
    },
    {
      name = "units",
      returns = {
        { "table", "rows of name, state, after, duration (seconds)" },
      },
      text = "Subsystems and drivers in the order of their start.",
      example = "sys.units()[1].name",
    },
    {
      name = "safe_mode",
      returns = { { "boolean" }, { "string?", "the reason" } },
      text = "Are user scripts and policies skipped in this session?",
      example = "sys.safe_mode()",
    },
    {
      name = "last_panic",
      returns = { { "string?", "the report" } },
      text = "The report of the panic that ended the previous boot; nil when "
        .. "it ended well.",
      example = "print(sys.last_panic() or \"all was well\")",
    },
    {
      name = "boot_done",
      returns = {},
      text = "Tell the firmware and the log that the prompt is there. The "
        .. "shell calls it; only the first call counts. Needs \"console\".",
      example = "sys.boot_done()",
    },
    {
      name = "poweroff",
      returns = {},
      text = "End all domains, stop the drivers, and switch the machine off. "
        .. "Needs \"power\".",
    },
    {
      name = "reboot",
      returns = {},
      text = "As poweroff, then start again. Needs \"power\".",
    },
    {
      name = "test.answer_time",
      args = { { "tty", "string", "such as ttyS0" } },
      returns = { { "number?", "seconds; nil: there was no Ctrl-C" } },
      text = "How long it took from the interrupt that brought the last "
        .. "Ctrl-C until the terminal's reader was back. Refused without "
        .. "`testhooks`.",
    },
    {
      name = "test.bench",
      args = {
        { "name", "string", "one of benches()" },
        { "rounds", "integer?", "how many samples, else 1000" },
      },
      returns = {
        { "table?", "count; min, mean, max in ticks of the TSC" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Run one of the kernel's benchmarks. Refused without "
        .. "`testhooks`.",
    },
    {
      name = "test.benches",
      returns = { { "string[]", "names" } },
      text = "The kernel's benchmarks. Refused without `testhooks`.",
    },
    {
      name = "test.crash",
      args = {
        {
          "kind", "string",
          "null, stack, text, exec, panic, divide, opcode or deadlock",
        },
      },
      returns = {},
      text = "Break the kernel on purpose. Refused without `testhooks` on "
        .. "the command line and the capability \"test\".",
    },
    {
      name = "test.screen",
      returns = { { "string[]?", "rows" }, { "string?" }, { "string?" } },
      text = "What the terminal on the screen shows. Refused without "
        .. "`testhooks`.",
    },
    {
      name = "test.pixels",
      args = {
        { "x", "integer?" }, { "y", "integer?" },
        { "width", "integer?" }, { "height", "integer?" },
      },
      returns = {
        { "string?", "red, green, blue of each pixel" },
        { "integer|string", "width, or why not" },
        { "integer|string", "height, or code" },
      },
      text = "A rectangle of the screen, else all of it. Refused without "
        .. "`testhooks`.",
    },
    {
      name = "test.png",
      args = {
        { "x", "integer?" }, { "y", "integer?" },
        { "width", "integer?" }, { "height", "integer?" },
      },
      returns = { { "string?", "the file" }, { "string?" }, { "string?" } },
      text = "A rectangle of the screen, else all of it, as PNG. Refused "
        .. "without `testhooks`.",
    },
    {
      name = "test.selftest",
      args = { { "name", "string", "one of selftests()" } },
      returns = {
        { "boolean", "did it pass" },
        { "string?", "the first failure" },
      },
      text = "Run one of the kernel's self-tests. Refused without "
        .. "`testhooks`.",
    },
    {
      name = "test.selftests",
      returns = { { "string[]", "names" } },
      text = "The kernel's self-tests. Refused without `testhooks`.",
    },
  },
}
