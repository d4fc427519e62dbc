-- What the words for desktops are understood as.

local tap = require "tap"
local test, is, has = tap.test, tap.is, tap.has

local nearest = require "nearest"
local words = require "desktop_words"
local commands = require "commands"

-- A desktop that only remembers what it was told.
local calls
package.loaded.desktop = setmetatable({}, { __index = function(_, verb)
  return function(...)
    local said = {}
    for i = 1, select("#", ...) do
      local value = select(i, ...)
      said[i] = type(value) == "table"
        and ("{%s,%s}"):format(value.name, value.layout) or tostring(value)
    end
    calls[#calls + 1] = verb .. "(" .. table.concat(said, ";") .. ")"
    return "linux", "done"
  end
end })

local function say(line)
  local heard = {}
  calls = {}
  local command, args = commands.find(line, {}, function()
    return load(line) ~= nil
  end)
  assert(command, "no command: " .. line)
  local value, problem = command.handler(
    { say = function(_, text) heard[#heard + 1] = text end }, args)
  return table.concat(calls, " "), table.concat(heard, "\n"), value, problem
end

test("distances count letters and swaps", function()
  is(nearest.distance("linux", "linux"), 0)
  is(nearest.distance("linu", "linux"), 1)
  is(nearest.distance("dekstop", "desktop"), 1)
  is(nearest.distance("", "abc"), 3)
  is(nearest.distance("abc", "xyz"), 3)
end)

test("only one word may be meant", function()
  is(nearest.find("linu", { "linux", "debian" }), "linux")
  is(nearest.find("linux", { "linux", "linux2" }), "linux")
  is(nearest.find("linuxx", { "linux1", "linux2" }), nil)
  is(nearest.find("x", { "linux" }), nil)
end)

test("show and hide take a name, a layout and little words", function()
  is((say "show linux desktop"), "show({linux,nil})")
  is((say "show desktop"), "show({nil,nil})")
  is((say "show the linux dekstop in a window"), "show({linux,window})")
  is((say "show linux split"), "show({linux,split})")
  is((say "hide linux desktop"), "hide(linux)")
  is((say "hide desktop"), "hide(nil)")
  is((say "shutdown linux"), "shutdown(linux)")
  is((say "reset linux"), "reset(linux)")
  is((say "screenshot linux"), "screenshot(linux)")
end)

test("two names are refused", function()
  local called, _, _, problem = say "show linux debian"
  is(called, "")
  has(problem, "one desktop at a time")
end)

test("a name that was understood is said", function()
  local _, heard = say "show linu desktop"
  has(heard, "linux (understood from 'linu')")
end)

test("hands", function()
  is((say [[type "hello world" into linux]]), "type(hello world;linux)")
  is((say [[type "say \"in\" it\n" into linux]]), 'type(say "in" it\n;linux)')
  is((say "type hello"), "type(hello;nil)")
  is((say "press ctrl+alt+t in linux"), "press(ctrl+alt+t;linux)")
  is((say "click 400 300 in linux"), "click(400;300;linux)")
  is((say "run weston-terminal in linux"), "run(weston-terminal;linux)")
  local called, _, _, problem = say "click here in linux"
  is(called, "")
  has(problem, "say where")
end)

test("a text in quotes", function()
  is(words.unquote [["a\tb"]], "a\tb")
  is(words.unquote "plain", "plain")
end)

tap.done()
