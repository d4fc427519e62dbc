-- The other end of tests/scenario/run.py: runs one scenario in a domain, says
-- how it ended, and sends the files in /tmp/out. What is meant for run.py goes
-- in lines that begin with "%scenario"; all else is the scenario's own.

local domain = require "domain"
local fs = require "fs"
local log = require "log"
local sys = require "sys"

local host = {}

local OUT = "/tmp/out"
-- One argument of the scenario a line; not there: none.
local ARGUMENTS = "/boot/scenario/arguments"
local MEMORY = 256 << 20
-- How long a killed scenario may take to end.
local GRACE = 5
-- Bytes to a line of base64: 76 characters, as in MIME.
local LINE = 57

-- What can be interrupted can tell where it was.
local WRAPPER = [[
local file = ...
local chunk, message = loadfile(file)
if not chunk then
  error(message, 0)
end
local ok, why = require "console".run(chunk, select(2, ...))
if not ok then
  error(why, 0)
end]]

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

---One line of base64 (RFC 4648, 4).
---@param data string
---@return string
local function base64(data)
  local text = {}
  for i = 1, #data, 3 do
    local a, b, c = data:byte(i, i + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    for shift = 18, 0, -6 do
      local at = (bits >> shift & 63) + 1
      text[#text + 1] = ALPHABET:sub(at, at)
    end
    if not b then
      text[#text - 1] = "="
    end
    if not c then
      text[#text] = "="
    end
  end
  return table.concat(text)
end

local function arguments()
  local list = {}
  for line in ((fs.read(ARGUMENTS)) or ""):gmatch("[^\n]+") do
    list[#list + 1] = line
  end
  return list
end

-- It is interrupted, and when that does not help, killed; why it ended.
local function end_late(test)
  test:interrupt()
  local reason = test:wait(GRACE)
  if not reason then
    test:kill()
    reason = test:wait(GRACE)
  end
  return reason or { message = "it cannot be ended" }
end

local function run(file, tty)
  local timeout = tonumber(sys.cmdline("scenario_timeout") or "")
  local test, message = domain.spawn {
    name = "scenario", source = WRAPPER, args = { file, table.unpack(arguments()) },
    console = tty, caps = { "*" }, memory = MEMORY,
  }
  if not test then
    return { kind = "error", message = message }
  end
  local reason = test:wait(timeout)
  if not reason then
    reason = end_late(test)
    reason.kind = "time-out"
    reason.message = ("it did not end in %g s\n%s"):format(timeout,
      reason.message or "")
  end
  return reason
end

-- "exit 0" is good; what the scenario could not say itself follows in TAP.
local function report(out, reason)
  out:write(("\n%%scenario end %s %s\n"):format(reason.kind,
    tostring(reason.code or 0)))
  if reason.kind == "exit" then
    return
  end
  local message = tostring(reason.message)
  out:write(("Bail out! %s: %s\n"):format(reason.kind,
    (message:gsub("\n", "\n# "))))
  -- What console.run caught has brought its own.
  local own = message:find("stack traceback:", 1, true)
  for line in (not own and reason.traceback or ""):gmatch("[^\n]+") do
    out:write("# ", line, "\n")
  end
end

-- A file as a header line and lines of base64.
local function send_file(out, path, name)
  local data, message = fs.read(path)
  if not data then
    log.error(("scenario: %s: %s"):format(path, message))
    return
  end
  out:write(("%%scenario file %d %s\n"):format(#data, name))
  for i = 1, #data, LINE do
    out:write(base64(data:sub(i, i + LINE - 1)), "\n")
  end
end

local function send_directory(out, path, prefix)
  for _, entry in ipairs(fs.list(path) or {}) do
    local below = path .. "/" .. entry.name
    if entry.type == "dir" then
      send_directory(out, below, prefix .. entry.name .. "/")
    else
      send_file(out, below, prefix .. entry.name)
    end
  end
end

---Run the scenario on a terminal; returns when all is said.
---@param file string
---@param tty string
function host.run(file, tty)
  local out = assert(io.open("/dev/" .. tty, "w"))
  out:setvbuf("full")
  fs.mkdir(OUT)
  out:write("\n%scenario begin\n")
  out:flush()
  local reason = run(file, tty)
  report(out, reason)
  send_directory(out, OUT, "")
  out:write("%scenario done\n")
  out:close()
end

return host
