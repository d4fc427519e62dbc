-- What the shell's host tests share: TAP output, a fake console with a
-- terminal behind it, and a prompt that runs on it.

local vt = require "vt"

local tap = { count = 0, failed = 0 }

local function report(ok, name, ...)
  tap.count = tap.count + 1
  tap.failed = tap.failed + (ok and 0 or 1)
  print((ok and "ok " or "not ok ") .. tap.count .. " - " .. name)
  for _, line in ipairs { ... } do
    print("# " .. tostring(line):gsub("\n", "\n# "))
  end
end

---Run one test; its name is a sentence.
function tap.test(name, f)
  local ok, err = xpcall(f, debug.traceback)
  if ok then
    report(true, name)
  else
    report(false, name, err)
  end
end

local function show(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

function tap.is(got, wanted, what)
  if got ~= wanted then
    error(("%s: got %s, wanted %s"):format(what or "value", show(got),
      show(wanted)), 2)
  end
end

function tap.has(text, part)
  if not text:find(part, 1, true) then
    error(("%s is not in:\n%s"):format(show(part), text), 2)
  end
end

function tap.lacks(text, part)
  if text:find(part, 1, true) then
    error(("%s is in:\n%s"):format(show(part), text), 2)
  end
end

---Print the plan; the last thing that a test file does.
function tap.done()
  print("1.." .. tap.count)
  os.exit(tap.failed == 0)
end

-- The fake console ----------------------------------------------------------

local console = {}
console.__index = console

-- Reading waits by yielding to the test; a read with a time-out gets nothing
-- unless the test has queued something.
local function read(self, timeout)
  while #self.input == 0 do
    if timeout then
      return nil, "timed out"
    end
    if self.closed then
      return nil, "closed"
    end
    coroutine.yield()
  end
  return table.remove(self.input, 1)
end

local function handler(err)
  local interrupted = err == "\1interrupt"
  return {
    message = interrupted and "interrupted" or err,
    traceback = debug.traceback(nil, 2), interrupted = interrupted,
  }
end

-- As console.run in the OS; a chunk that runs longer than `patience`
-- instructions is interrupted, as if Ctrl-C had been typed.
local function run(self, f, ...)
  local thread = coroutine.running()
  if self.patience then
    debug.sethook(thread, function() error("\1interrupt", 0) end, "",
      self.patience)
  end
  local results = table.pack(xpcall(f, handler, ...))
  debug.sethook(thread)
  return table.unpack(results, 1, results.n)
end

---@param options? { columns?: integer, rows?: integer, unknown?: boolean }
function tap.console(options)
  options = options or {}
  local self = setmetatable({ input = {} }, console)
  self.terminal = vt.new(options.columns or 80, options.rows or 24)
  self.read = function(timeout) return read(self, timeout) end
  self.write = function(bytes) self.terminal:write(bytes) end
  self.size = function()
    if not options.unknown then
      return self.terminal.columns, self.terminal.rows
    end
  end
  self.run = function(f, ...) return run(self, f, ...) end
  return self
end

---Start `f` on this console; it runs until it waits for a key.
function console:start(f)
  self.thread = coroutine.create(f)
  self:resume()
  return self
end

function console:resume()
  local ok, result = coroutine.resume(self.thread)
  if not ok then
    error(debug.traceback(self.thread, result), 0)
  end
  self.result = result
end

---Type: every string is one arrival of bytes.
function console:type(...)
  for _, bytes in ipairs { ... } do
    self.input[#self.input + 1] = bytes
    self:resume()
  end
  return self
end

---Type one byte at a time, as a person does.
function console:slowly(text)
  for c in text:gmatch(utf8.charpattern) do
    self:type(c)
  end
  return self
end

---What is written while `f` runs.
function console:bytes_of(f)
  local before = #self.terminal.bytes
  f()
  return self.terminal.bytes:sub(before + 1)
end

function console:text()
  return self.terminal:text()
end

function console:cursor()
  return self.terminal:cursor()
end

return tap
