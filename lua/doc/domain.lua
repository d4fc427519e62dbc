-- What module domain offers: help(), docs and the annotation files read this.
return {
  module = "domain",
  summary = "Isolated Lua states that run beside each other and send "
    .. "messages.",
  text = "A domain has its own memory, with a cap, its own thread, "
    .. "capabilities, and a mailbox. Whatever happens in it costs only "
    .. "itself; whoever watches it learns why it ended.",
  intro = [==[
## A first domain

A domain is a Lua state of its own on a thread of its own. It shares nothing with its maker: what
goes in are arguments and messages, which are copied, and what comes out are messages and the reason
of its end.

```lua
local domain = require "domain"

local adder = domain.spawn {
  name = "adder",
  args = { 20, 22 },
  source = [[
    local a, b = ...
    require "log".info("the sum is " .. a + b)
    os.exit(7)
  ]],
}
local reason = adder:wait(5) -- seconds; nil, "timed out" if it still runs then
reason.kind --> exit
reason.code --> 7
adder:status() == "dead" --> true
require "log".tail(2)[1].text:match("the sum is %d+") --> the sum is 42
```

`file = "/boot/..."` runs a file instead of a text. A domain has a terminal only if it is given one:
`console = require "console".name()` lends it the maker's, so that its `print` is seen. Others write
to the log with `log.info`.

## Messages

Each domain has one mailbox. `handle:send(value)` puts a copy into it and does not wait;
`domain.receive(timeout)` takes the oldest message out. All values can be sent but functions,
coroutines and userdata; handles can. A mailbox holds 256 messages or 4 MiB, one message at most
1 MiB; `send` to a full mailbox gives `nil, message, "EAGAIN"`.

`handle:call(value, timeout)` sends and waits for the answer. Who receives it answers through the
envelope, the second result of `receive`:

```lua
local domain = require "domain"

local counter = domain.spawn {
  name = "counter",
  source = [[
    local domain = require "domain"
    local count = 0
    while true do
      local message, envelope = domain.receive()
      if message == "add" then
        count = count + 1
      elseif message == "count" and envelope:kind() == "call" then
        envelope:reply(count)
      end
    end
  ]],
}
counter:send("add") --> true
counter:send("add") --> true
counter:call("count", 5) --> 2
counter:kill()
counter:wait(5).kind --> killed
```

Every wait takes a time-out in seconds, 0 included; without one it waits for ever. What does not
happen in time is no error but `nil`, a message and a code:

```lua
local domain = require "domain"

local deaf = domain.spawn { name = "deaf", source = [[require "sys".sleep(100)]] }
local answer, message, code = deaf:call("hello", 0.1)
answer --> nil
code --> ETIMEDOUT
select(3, domain.receive(0)) --> ETIMEDOUT
deaf:kill("not needed")
deaf:wait(5).message --> not needed
select(3, deaf:send("too late")) --> EPIPE
```

## Limits

`memory` is the most that a domain may have, its strings, tables and C buffers together (64 MiB
unless said). At the cap it collects garbage; if that does not help, Lua's error `not enough memory`
is raised, and a domain that does not catch it ends with the kind `memory`.

`budget` is the CPU time, in seconds, that it may use between two waits. Who exceeds it is ended;
`pcall` does not hold that up. Without a budget a domain may compute as long as it likes: the
scheduler is preemptive, others go on.

```lua
local domain = require "domain"

local hog = domain.spawn { name = "hog", memory = 4 << 20, source = [[
  local t = {}
  while true do t[#t + 1] = { "more" } end
]] }
local loop = domain.spawn { name = "loop", budget = 0.2, source = [[
  while true do pcall(function() while true do end end) end
]] }
hog:wait(20).kind --> memory
loop:wait(20).kind --> budget
```

`handle:stats()` tells what a domain has used, `domain.list()` which there are, and the command `ps`
shows both.

## Capabilities

What a domain may do beyond computing and talking is named by capabilities:

| capability | for |
|---|---|
| `domain` | `spawn`, `list`, `kill`, `interrupt` |
| `fs`, or `fs.read`, `fs.write` | files |
| `block`, or `block.read`, `block.write` | disks |
| `console` | its terminal byte by byte, and giving another terminal to a child |
| `log` | reading the log (everybody may write) |
| `power` | `sys.poweroff`, `sys.reboot` |
| `trace` | recording with `trace` (marks need none) |
| `vm` | defining, starting and ending virtual machines |
| `test` | `sys.test` |
| `*` | all |

A child has its maker's unless `caps` lists fewer; nobody can give what he lacks. A function whose
capability is missing does nothing and gives `nil`, a message and `"EPERM"`:

```lua
local domain = require "domain"

local caged = domain.spawn { name = "caged", caps = { "fs.read" }, source = [[
  local fs = require "fs"
  assert(fs.read("/boot/lua/init.lua"))
  local ok, message, code = fs.write("/tmp/x", "")
  os.exit(code == "EPERM" and 0 or 1)
]] }
caged:wait(5).code --> 0
```

## When a domain dies

It dies alone: its memory, files and timers are given back, and what waits for it learns of it.
The reason is a table. `kind` is one of:

| kind | what happened | further fields |
|---|---|---|
| `exit` | the chunk returned, or called `os.exit(code)` | `code` |
| `error` | an error that nobody caught | `message`, `traceback` |
| `memory` | the cap was reached | `message` |
| `budget` | it computed too long without a wait | `message` |
| `killed` | `handle:kill(reason)`, a link, or the system's end | `message` |

`handle:wait()` gives it to who waits. `monitor = true` has it sent to the maker's mailbox, so that
one loop can look after many domains:

```lua
local domain = require "domain"

domain.spawn { name = "fragile", monitor = true, source = [[
  local function work() error "the disk is full" end
  work()
]] }
local notice, envelope = domain.receive(5)
envelope:kind() --> down
notice.domain:name() --> fragile
notice.reason.kind --> error
notice.reason.message:match("the disk is full") --> the disk is full
notice.reason.traceback:match("stack traceback") --> stack traceback
```

`link = true` ties two lives together: if one ends by an error, a limit or a kill, the other is
killed. Starting again what died is a supervisor's work: see [supervisor](supervisor.md).
]==],
  functions = {
    {
      name = "spawn",
      args = {
        {
          "options", "table",
          "source (text) or file (path); name; args (list, the chunk's "
            .. "`...`); memory (bytes, 64 MiB); budget (CPU seconds between "
            .. "two waits, no limit); caps (list of names, else its "
            .. "maker's); console (tty name); priority (\"shell\", "
            .. "\"control\", \"background\"); stack (bytes); monitor, link "
            .. "(booleans)",
        },
      },
      returns = {
        { "domain.handle?" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Make a domain and start it. It cannot get capabilities that "
        .. "its maker lacks. Needs \"domain\".",
      example = "local d = domain.spawn { name = \"adder\", source = \"local "
        .. "a, b = ... return a + b\", args = { 1, 2 } } "
        .. "print(d:wait(5).kind)",
    },
    {
      name = "self",
      returns = { { "domain.handle" } },
      text = "The domain that asks.",
      example = "domain.self():stats().memory",
    },
    {
      name = "receive",
      args = { { "timeout", "number?", "seconds, else for ever" } },
      returns = {
        { "any", "the message, nil when none came" },
        { "domain.envelope|string?", "how to answer, or why there is none" },
        { "string?", "code" },
      },
      text = "The next message from the mailbox. A death notice is a table { "
        .. "kind = \"down\", domain = handle, reason = reason } in an "
        .. "envelope of kind \"down\".",
      example = "domain.self():send(\"hello\") print((domain.receive(1)))",
    },
    {
      name = "list",
      returns = { { "domain.handle[]", "in order of their start" } },
      text = "The domains that are alive. Needs \"domain\".",
      example = "#domain.list()",
    },
    {
      name = "find",
      args = { { "name", "string" } },
      returns = {
        { "domain.handle?" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "A living domain by its name.",
      example = "domain.find(\"init\")",
    },
    {
      name = "caps",
      returns = { { "string[]" } },
      text = "The capabilities of the domain that asks. \"fs\" covers "
        .. "\"fs.read\" and \"fs.write\", \"*\" covers all.",
      example = "domain.caps()[1]",
    },
  },
  classes = {
    {
      name = "handle", object = "domain",
      text = "A reference to a domain. It can be sent in messages; two "
        .. "handles of one domain are equal.",
      methods = {
        {
          name = "name",
          returns = { { "string" } },
          text = "The domain's name.",
        },
        {
          name = "id",
          returns = { { "integer" } },
          text = "Its number, which is never used again.",
        },
        {
          name = "status",
          returns = {
            { "string", "created, running, closing or dead" },
            { "table?", "when it is dead" },
          },
          text = "How it is.",
        },
        {
          name = "stats",
          returns = {
            {
              "table",
              "memory, peak, limit (bytes), refused, cpu and age (seconds), "
                .. "switches, messages",
            },
          },
          text = "What it has used.",
        },
        {
          name = "send",
          args = {
            {
              "message", "any",
              "any value but functions, coroutines and foreign userdata",
            },
          },
          returns = {
            { "true?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Put a copy of a value into its mailbox. Tables keep their "
            .. "shape, cycles included, not their metatables.",
        },
        {
          name = "call",
          args = {
            { "message", "any" },
            { "timeout", "number?", "seconds, else for ever" },
          },
          returns = {
            { "any", "what it replied" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Send a message and wait for the reply.",
        },
        {
          name = "wait",
          args = { { "timeout", "number?", "seconds, else for ever" } },
          returns = {
            { "table?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Wait until it is dead; the reason is { kind = \"exit\", "
            .. "\"error\", \"killed\", \"memory\" or \"budget\", message, "
            .. "traceback, code }.",
        },
        {
          name = "monitor",
          returns = { { "true?" }, { "string?" }, { "string?" } },
          text = "Have a death notice in one's own mailbox when it ends.",
        },
        {
          name = "link",
          returns = { { "true?" }, { "string?" }, { "string?" } },
          text = "Live and die together: when one of the two does not end by "
            .. "itself with code 0, the other is killed.",
        },
        {
          name = "kill",
          args = { { "reason", "string?" } },
          returns = {},
          text = "End it at its next instruction or wait. Needs \"domain\".",
        },
        {
          name = "interrupt",
          returns = {},
          text = "As Ctrl-C on its console: ends what console.run runs "
            .. "there. Needs \"domain\".",
        },
      },
    },
    {
      name = "envelope",
      text = "What comes with a message.",
      methods = {
        {
          name = "from",
          returns = { { "domain.handle?" } },
          text = "Who sent it.",
        },
        {
          name = "id",
          returns = { { "integer" } },
          text = "The message's number.",
        },
        {
          name = "kind",
          returns = { { "string", "message, call, down or event" } },
          text = "What kind of message it is.",
        },
        {
          name = "reply",
          args = { { "...", "any", "the results of the call" } },
          returns = {
            { "true?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Answer a call. Too late an answer is dropped.",
        },
      },
    },
  },
}
