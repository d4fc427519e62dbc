-- What module log offers: help(), docs and the annotation files read this.
return {
  module = "log",
  summary = "The system's log: a ring of records, newest last.",
  text = "A record has seq, time (seconds since the start), cpu, level, "
    .. "module and text, and prints as a line.",
  intro = [==[
## Example

```lua
local log = require "log"

log.info("three of four disks are well")
local records = log.tail(1)
local last = records[1]
last.level --> info
last.text:match("three of four disks are well") --> three of four disks are well
last.time > 0 --> true
```

To follow the log, ask for what comes after the record that one had last:

```lua
local log = require "log"

local seen = log.tail(1)[1].seq
log.warn("this is new")
log.read(seen + 1).level --> warn
log.read(seen + 1000) == nil --> true
```

On the command line of the kernel, `log=serial` copies the log to the serial line from the first
moment on: see [debugging](debugging.md).
]==],
  functions = {
    {
      name = "tail",
      args = { { "n", "integer?", "how many, else 20" } },
      returns = { { "table", "records, oldest first" } },
      text = "The last records. Needs \"log\".",
      example = "log.tail(3)",
    },
    {
      name = "read",
      args = { { "seq", "integer", "number of a record" } },
      returns = { { "table?", "nil when there is none so new yet" } },
      text = "That record, or the oldest after it that is still there. Needs "
        .. "\"log\".",
      example = "log.read(1).text",
    },
    {
      name = "write",
      args = {
        { "level", "string", "debug, info, warn or error" },
        { "text", "any" },
      },
      returns = {},
      text = "Add a record.",
      example = "log.write(\"info\", \"hello\")",
    },
    {
      name = "debug",
      args = { { "text", "any", "one line" } },
      returns = {},
      text = "Add a record that only developers want. The domain's name goes "
        .. "with it.",
    },
    {
      name = "info",
      args = { { "text", "any", "one line" } },
      returns = {},
      text = "Add a record of something that is as it should be. The "
        .. "domain's name goes with it.",
    },
    {
      name = "warn",
      args = { { "text", "any", "one line" } },
      returns = {},
      text = "Add a record of something that somebody should look at. The "
        .. "domain's name goes with it.",
    },
    {
      name = "error",
      args = { { "text", "any", "one line" } },
      returns = {},
      text = "Add a record of something that did not work. The domain's name "
        .. "goes with it.",
    },
  },
}
