-- Tests that run inside the OS and report in TAP: `local t = require
-- "scenario"`. docs/scenarios.md tells how to use it; lua/doc/scenario.lua has
-- every function. Keys and screen need `testhooks` on the command line.

local domain = require "domain"
local fs = require "fs"
local input = require "input"
local sys = require "sys"

local scenario = {}

local POLL = 0.01
local DEFAULT_TIMEOUT = 5
-- Longer texts are cut in reports.
local SHOWN = 200

local planned, count, failures = nil, 0, 0
-- The t.test that runs: { asserted = n, problems = { text }, domains = {} }.
local current

-- --- reports ---

-- Where in the scenario's own files we are.
local function place()
  local own = debug.getinfo(1, "S").source
  for level = 2, 100 do
    local info = debug.getinfo(level, "Sl")
    if not info then
      return "?"
    end
    if info.source ~= own and info.currentline > 0 then
      return ("%s:%d"):format(info.short_src, info.currentline)
    end
  end
end

local function show(value)
  if type(value) ~= "string" then
    return tostring(value)
  end
  local text = ("%q"):format(value:sub(1, SHOWN)):gsub("\\\n", "\\n")
  return #value > SHOWN and ("%s... (%d bytes)"):format(text, #value) or text
end

local function comment(text)
  print((tostring(text):gsub("[^\n]+", "# %0")))
end

local function point(ok, name)
  count = count + 1
  if not ok then
    failures = failures + 1
  end
  name = tostring(name or "unnamed"):gsub("[\n#]", " ")
  print(("%s %d - %s"):format(ok and "ok" or "not ok", count, name))
end

-- A result: a line of its own, or a part of the t.test that runs.
local function result(ok, name, ...)
  local lines = {}
  if not ok then
    lines[1] = ("failed: %s, at %s"):format(name or "unnamed", place())
    for _, line in ipairs { ... } do
      lines[#lines + 1] = "  " .. line
    end
  end
  if current then
    current.asserted = current.asserted + 1
    table.move(lines, 1, #lines, #current.problems + 1, current.problems)
  else
    point(ok, name)
    for _, line in ipairs(lines) do
      comment(line)
    end
  end
  io.stdout:flush()
  return ok
end

---@param n integer
function scenario.plan(n)
  assert(math.type(n) == "integer" and n > 0, "plan: a number above 0")
  assert(not planned, "plan: there is one already")
  planned = n
  print("1.." .. n)
end

---The end of a scenario without t.plan.
function scenario.done()
  assert(not current, "done: inside a test")
  scenario.plan(count)
end

function scenario.log(...)
  local words = table.pack(...)
  for i = 1, words.n do
    words[i] = tostring(words[i])
  end
  comment(table.concat(words, " "))
end

-- --- assertions ---

function scenario.ok(value, name)
  return result(value and true or false, name, "got: " .. show(value))
end

function scenario.is(got, expected, name)
  return result(got == expected, name, "got:      " .. show(got),
    "expected: " .. show(expected))
end

function scenario.like(text, pattern, name)
  local ok = type(text) == "string" and text:find(pattern) ~= nil
  return result(ok, name, "got: " .. show(text),
    "which does not match: " .. show(pattern))
end

---f must raise an error; its message must match the pattern.
function scenario.fails(f, pattern, name)
  local ok, message = pcall(f)
  if ok then
    return result(false, name, "no error was raised")
  end
  message = tostring(message)
  return result(not pattern or message:find(pattern) ~= nil, name,
    "the error: " .. show(message), "does not match: " .. show(pattern))
end

-- --- tests, domains, waiting ---

local function kill_all(domains)
  for _, d in ipairs(domains) do
    d:kill("its test has ended")
  end
  for _, d in ipairs(domains) do
    d:wait(DEFAULT_TIMEOUT)
  end
end

---One point of the plan: all assertions in f hold, and it raises no error.
function scenario.test(name, f)
  assert(not current, "test: inside another test")
  assert(type(f) == "function", "test: a function is needed")
  local this = { asserted = 0, problems = {}, domains = {} }
  current = this
  local ok, message = xpcall(f, debug.traceback)
  current = nil
  kill_all(this.domains)
  if not ok then
    this.problems[#this.problems + 1] = "error: " .. tostring(message)
  elseif this.asserted == 0 then
    this.problems[1] = "it asserts nothing"
  end
  point(#this.problems == 0, name)
  for _, problem in ipairs(this.problems) do
    comment(problem)
  end
  io.stdout:flush()
  return #this.problems == 0
end

---domain.spawn, but misuse raises, and the domain ends with its test.
function scenario.spawn(options)
  local d, message = domain.spawn(options)
  if not d then
    error("spawn: " .. tostring(message), 2)
  end
  if current then
    table.insert(current.domains, d)
  end
  return d
end

---Call f until it gives something true: that is the result.
function scenario.wait(f, timeout, what)
  timeout = timeout or DEFAULT_TIMEOUT
  local deadline = sys.uptime() + timeout
  while true do
    local value = f()
    if value then
      return value
    end
    if sys.uptime() >= deadline then
      error(("waited %g s in vain for %s"):format(timeout,
        what or "a condition"), 2)
    end
    sys.sleep(POLL)
  end
end

-- --- keyboard ---

---Keys by name, together with "+": t.press("ctrl+c", "up").
function scenario.press(...)
  for _, names in ipairs { ... } do
    local chord, back = {}, {}
    for name in names:gmatch("[^+]+") do
      chord[#chord + 1] = name
      table.insert(back, 1, name)
    end
    assert(input.press(table.unpack(chord)))
    assert(input.release(table.unpack(back)))
  end
end

---Text, as typed on the key map in force; "\n" is Enter.
function scenario.type(text)
  assert(input.type(text))
end

-- --- screen ---

---What the terminal on the screen shows: one text, and its rows.
function scenario.screen()
  local rows = assert(sys.test.screen())
  return (table.concat(rows, "\n"):gsub("\n+$", "")), rows
end

---The pixels of a rectangle (else all): red, green, blue; width; height.
function scenario.screen_region(x, y, width, height)
  local rgb, w, h = sys.test.pixels(x, y, width, height)
  return assert(rgb, w), w, h
end

---Save the screen, or a rectangle of it, as PNG.
function scenario.screenshot(path, x, y, width, height)
  assert(fs.write(path, assert(sys.test.png(x, y, width, height))))
end

---The screen must look as in a PNG that screenshot made earlier. When it does
---not, what it looks like goes to /tmp/out.
function scenario.looks_like(path, name, x, y, width, height)
  local expected, why = fs.read(path)
  local got = assert(sys.test.png(x, y, width, height))
  if got == expected then
    return result(true, name)
  end
  local actual = "/tmp/out/" .. path:match("[^/]+$")
  assert(fs.write(actual, got))
  return result(false, name, expected and "it differs from " .. path
    or tostring(why), "it looks as in " .. actual)
end

-- --- files ---

function scenario.read(path)
  local data, message = fs.read(path)
  return data or error(tostring(message), 2)
end

function scenario.write(path, data)
  local ok, message = fs.write(path, data)
  return ok or error(tostring(message), 2)
end

return scenario
