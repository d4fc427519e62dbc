-- What module trace offers: help(), docs and the annotation files read this.
return {
  module = "trace",
  summary = "What the CPUs did and when, for a trace viewer.",
  text = "Records thread switches, wake-ups, interrupts, events and marks of your own "
    .. "into a ring for each CPU: 16,384 records, the oldest are overwritten. "
    .. "Needs \"trace\", but for marks.",
  intro = [==[
## Example

```lua
local fs, sys, trace = require "fs", require "sys", require "trace"

trace.on("sched", "irq", "mark")
trace.mark("before sleep")
sys.sleep(0.05)
trace.mark("after sleep")
local events = trace.save("/tmp/trace.json")
events > 10 --> true
fs.read("/tmp/trace.json"):find("before sleep", 1, true) ~= nil --> true
```

Open the file in Perfetto or in Chrome's `about:tracing`: a track for each CPU shows
which thread ran, another its interrupts, and one more each further class that was
recorded.
]==],
  functions = {
    {
      name = "on",
      args = { { "...", "string", "classes: sched, irq, mark, event, lock, vm; none: all" } },
      returns = { { "boolean?", "true" } },
      text = "Record from now on, into empty rings.",
      example = "trace.on(\"sched\")",
    },
    {
      name = "off",
      args = {},
      returns = { { "boolean?", "true" } },
      text = "Stop recording; what was recorded stays.",
      example = "trace.off()",
    },
    {
      name = "mark",
      args = { { "text", "string", "the first 15 bytes count" } },
      returns = {},
      text = "Put a mark of your own into the trace.",
      example = "trace.mark(\"here\")",
    },
    {
      name = "save",
      args = { { "path", "string", "file to write" } },
      returns = { { "integer?", "how many events, or nil, message" } },
      text = "Stop, and write what was recorded as Chrome trace JSON.",
      example = "trace.save(\"/tmp/trace.json\")",
    },
  },
}
