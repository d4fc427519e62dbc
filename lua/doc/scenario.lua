-- What module scenario offers: help(), docs and the annotation files read this.
local RECTANGLE = {
  { "x", "integer?", "pixels; without them it is the whole screen" },
  { "y", "integer?" }, { "width", "integer?" }, { "height", "integer?" },
}

local function and_rectangle(...)
  local args = { ... }
  for _, item in ipairs(RECTANGLE) do
    args[#args + 1] = item
  end
  return args
end

local PASSED = { { "boolean", "did it hold" } }

return {
  module = "scenario",
  summary = "Tests that run inside the OS and report in TAP.",
  text = "docs/scenarios.md is the guide. An assertion is a point of the "
    .. "plan, or inside of test a part of that point; when it does not hold, "
    .. "the rest runs on. Keys and screen need `testhooks`, which run.py sets.",
  functions = {
    {
      name = "plan",
      args = { { "n", "integer", "how many points will come" } },
      returns = {},
      text = "Say first how many there will be, so that a missing one is "
        .. "missed.",
    },
    {
      name = "done",
      returns = {},
      text = "The end of a scenario that made no plan.",
    },
    {
      name = "log",
      args = { { "...", "any" } },
      returns = {},
      text = "Print a comment.",
      example = "scenario.log(\"so far so good\")",
    },
    {
      name = "ok",
      args = { { "value", "any" }, { "name", "string?" } },
      returns = PASSED,
      text = "The value must be true.",
    },
    {
      name = "is",
      args = {
        { "got", "any" }, { "expected", "any" }, { "name", "string?" },
      },
      returns = PASSED,
      text = "The two must be equal.",
    },
    {
      name = "like",
      args = {
        { "text", "string" }, { "pattern", "string", "a Lua pattern" },
        { "name", "string?" },
      },
      returns = PASSED,
      text = "The pattern must occur in the text.",
    },
    {
      name = "fails",
      args = {
        { "f", "function" },
        { "pattern", "string?", "must occur in the message" },
        { "name", "string?" },
      },
      returns = PASSED,
      text = "The function must raise an error.",
    },
    {
      name = "test",
      args = { { "name", "string" }, { "f", "function" } },
      returns = PASSED,
      text = "One point: f raises no error, asserts something, and all its "
        .. "assertions hold. The domains that it spawned end with it.",
    },
    {
      name = "spawn",
      args = { { "options", "table", "as for domain.spawn" } },
      returns = { { "domain.handle" } },
      text = "Start a domain that ends with its test, or with the machine "
        .. "when made outside of tests. Raises an error when that fails.",
      example = "scenario.spawn { name = \"one\", source = \"return 1\" }",
    },
    {
      name = "wait",
      args = {
        { "f", "function" }, { "timeout", "number?", "seconds, else 5" },
        { "what", "string?", "for the message" },
      },
      returns = { { "any", "what f returned" } },
      text = "Call f until it returns something true. After the time-out it "
        .. "raises an error.",
      example = "scenario.wait(function() return 42 end)",
    },
    {
      name = "press",
      args = { { "...", "string", "such as \"a\", \"ctrl+c\", \"up\"" } },
      returns = {},
      text = "Press and release keys by their names, as input.press knows "
        .. "them: characters, f1 to f12, esc, enter, up, pageup, ...; ctrl, "
        .. "shift, alt and meta.",
    },
    {
      name = "type",
      args = { { "text", "string", "UTF-8; \"\\n\" is Enter" } },
      returns = {},
      text = "Type text on the key map in force.",
    },
    {
      name = "screen",
      returns = { { "string", "the text" }, { "string[]", "its rows" } },
      text = "What the terminal on the screen shows.",
    },
    {
      name = "screen_region",
      args = RECTANGLE,
      returns = {
        { "string", "red, green, blue of each pixel" },
        { "integer", "width" }, { "integer", "height" },
      },
      text = "Pixels, to be compared with others.",
    },
    {
      name = "screenshot",
      args = and_rectangle({ "path", "string" }),
      returns = {},
      text = "Save a PNG. The same pixels give the same file.",
    },
    {
      name = "looks_like",
      args = and_rectangle({ "path", "string", "a PNG made by screenshot" },
        { "name", "string?" }),
      returns = PASSED,
      text = "The screen must look so. When it does not, what it looks like "
        .. "is saved in /tmp/out.",
    },
    {
      name = "read",
      args = { { "path", "string" } },
      returns = { { "string" } },
      text = "A whole file; an error when that fails.",
      example = "#scenario.read(\"/boot/lua/init.lua\")",
    },
    {
      name = "write",
      args = { { "path", "string" }, { "data", "string" } },
      returns = { { "true" } },
      text = "Write a whole file; an error when that fails. What stands in "
        .. "/tmp/out comes out of the machine.",
      example = "scenario.write(\"/tmp/note\", \"remember\")",
    },
  },
}
