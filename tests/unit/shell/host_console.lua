-- The shell in a real terminal of the host, to try it by hand:
--
--   lua5.4 tests/unit/shell/host_console.lua
--
-- from the root of the repository. The modules of the OS are not there.

package.path = "shell/?.lua;lua/?.lua;" .. package.path

local function stty(arguments)
  local pipe = assert(io.popen("stty " .. arguments .. " </dev/tty"))
  local answer = pipe:read("a")
  pipe:close()
  return answer
end

local saved = stty("-g"):gsub("%s", "")
local terminal = assert(io.open("/dev/tty", "r+b"))
terminal:setvbuf("no")

local console = {}

-- One byte at a time, with the time-out that stty knows: tenths of a second.
function console.read(timeout)
  if timeout then
    stty(("raw -echo min 0 time %d"):format(math.max(1, timeout * 10 // 1)))
  else
    stty("raw -echo min 1 time 0")
  end
  local byte = terminal:read(1)
  return byte, not byte and "timed out" or nil
end

function console.write(bytes)
  terminal:seek("cur", 0)
  terminal:write(bytes)
end

function console.size()
  local rows, columns = stty("size"):match("(%d+) (%d+)")
  return tonumber(columns), tonumber(rows)
end

-- Ctrl-C kills the process here: the host's Lua has no handler for it.
function console.run(f, ...)
  stty("sane")
  local results = table.pack(xpcall(f, function(err)
    return { message = err, traceback = debug.traceback(nil, 2) }
  end, ...))
  stty("raw -echo")
  return table.unpack(results, 1, results.n)
end

stty("raw -echo")
local ok, err = xpcall(require "session".run, debug.traceback, console, nil)
stty(saved)
if not ok then
  print(err)
end
