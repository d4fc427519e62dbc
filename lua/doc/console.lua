-- What module console offers: help(), docs and the annotation files read this.
return {
  module = "console",
  summary = "The domain's own terminal, byte by byte.",
  text = "For programs that draw. print and io.read do for most. All but "
    .. "name need the capability \"console\".",
  intro = [==[
## Example

```lua
local console = require "console"

console.write("\27[1;33mwarning\27[m: this is ", "drawn\n")
console.name() --> ttyS0
```

`console.run` is how the prompt runs what a person types. Ctrl-C ends it, whatever it catches, and
leaves its caller alive:

```lua
local console = require "console"

local ok, message = console.run(function() error "no such thing" end)
ok --> false
message:match("no such thing") --> no such thing
console.run(math.max, 3, 9, 4) --> true 9
```

A key is a byte, or a few: `console.read(0.5)` gives `"a"`, or `"\27[A"` for Up, or nil after half a
second without one.
]==],
  functions = {
    {
      name = "read",
      args = { { "timeout", "number?", "seconds, else for ever" } },
      returns = {
        { "string?", "at least one byte" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "The bytes that came, without echo: UTF-8, and ANSI sequences "
        .. "for keys.",
    },
    {
      name = "write",
      args = { { "...", "string" } },
      returns = {},
      text = "Send text and ANSI sequences.",
      example = "console.write(\"\\27[1mbold\\27[m\\n\")",
    },
    {
      name = "size",
      returns = { { "integer?", "columns" }, { "integer?", "rows" } },
      text = "The terminal's size; nothing when it is not known, as on a "
        .. "serial line.",
      example = "print(console.size())",
    },
    {
      name = "name",
      returns = { { "string?", "such as ttyS0; nil: it has none" } },
      text = "Which terminal it is.",
      example = "console.name()",
    },
    {
      name = "interrupts",
      args = { { "on", "boolean" } },
      returns = {},
      text = "Whether Ctrl-C ends what console.run has called, or is the byte "
        .. "3 for console.read. The end of console.run puts it back.",
      example = "console.interrupts(true)",
    },
    {
      name = "run",
      args = { { "f", "function" }, { "...", "any", "its arguments" } },
      returns = {
        { "boolean", "did it end well" },
        { "any", "its results, or the error with its traceback" },
      },
      text = "Call f so that Ctrl-C ends it, whatever it catches. An "
        .. "interrupted call fails with \"interrupted\". A hook that f sets "
        .. "ends with it.",
      example = "console.run(function() return 1 + 1 end)",
    },
  },
}
