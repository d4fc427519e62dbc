-- Module agent: programs, files and the power of a guest, through QEMU's guest
-- agent on a port of its virtio-console. One line of JSON each way. What it
-- answers comes from the guest and is believed only as far as it is checked.

local base64 = require "base64"
local cjson = require "cjson"
local sys = require "sys"

local agent = {}

local PATIENCE = 10      -- seconds for a command
local SLICE = 0.5        -- between looks whether the guest is still there
local LINE_MAX = 1 << 20 -- bytes of an answer
local PART = 16 << 10    -- bytes of a file in a command
local READ_MAX = 4 << 20 -- bytes of a file, unless more is asked for
local NUMBER_MAX = 0x7fffffff

local Agent = {}
Agent.__index = Agent
Agent.__name = "guest agent"

---@param port table with :read(seconds) and :write(text, seconds) as a console's
---@param present function? false, message when nobody can answer any more
---@return table
function agent.new(port, present)
  return setmetatable({ port = port, rest = "", present = present }, Agent)
end

function Agent:__tostring()
  return ("guest agent on %s"):format(self.port)
end

-- --- bytes ---

-- Can anybody answer?
function Agent:there()
  if self.present then
    return self.present()
  end
  return true
end

-- Some bytes, or why there are none. In slices: who is gone never answers.
function Agent:some(deadline)
  if self.rest ~= "" then
    local text = self.rest
    self.rest = ""
    return text
  end
  while true do
    local left = deadline - sys.uptime()
    local text, message, code = self.port:read(math.max(math.min(left, SLICE), 0))
    if text then
      return text
    elseif code ~= "ETIMEDOUT" then
      return nil, message, code
    elseif left <= SLICE then
      return nil, "the guest agent does not answer", "ETIMEDOUT"
    end
    local ok, why = self:there()
    if not ok then
      return nil, why, "ENOTCONN"
    end
  end
end

-- Up to the mark, which is left out; what follows is read next time.
function Agent:up_to(mark, deadline, keep)
  local parts, size = {}, 0
  while true do
    local text, message, code = self:some(deadline)
    if not text then
      return nil, message, code
    end
    local at = text:find(mark, 1, true)
    local part = at and text:sub(1, at - 1) or text
    size = size + #part
    if keep and size > LINE_MAX then
      return nil, ("an answer of the guest agent has more than %d bytes")
        :format(LINE_MAX), "EMSGSIZE"
    end
    parts[#parts + 1] = keep and part or nil
    if at then
      self.rest = text:sub(at + 1)
      return table.concat(parts)
    end
  end
end

-- --- commands ---

local function decode(line)
  local ok, answer = pcall(cjson.decode, line)
  if ok and type(answer) == "table" then
    return answer
  end
  return nil, ("the guest agent did not answer with JSON: %q"):format(
    line:sub(1, 60)), "EPROTO"
end

function Agent:send(name, arguments, id, deadline)
  local line = cjson.encode { execute = name, arguments = arguments, id = id }
  return self.port:write(line .. "\n", math.max(deadline - sys.uptime(), 0))
end

-- What was said before is over: find the answer to this very question. The byte
-- 255 is in no JSON: it ends whatever either side has half received.
function Agent:sync(deadline)
  local id = math.random(0, NUMBER_MAX)
  self.rest = ""
  local ok, message, code = self.port:write("\255",
    math.max(deadline - sys.uptime(), 0))
  if ok then
    ok, message, code = self:send("guest-sync-delimited", { id = id }, nil,
      deadline)
  end
  while ok do
    ok, message, code = self:up_to("\255", deadline)
    local line = ok
    if ok then
      line, message, code = self:up_to("\n", deadline, true)
      ok = line or code == "EMSGSIZE"
    end
    local answer = line and decode(line)
    if answer and answer["return"] == id then
      self.synced = true
      self.id = id
      return true
    end
  end
  return nil, message, code
end

-- An answer that cannot be understood leaves the stream in doubt.
function Agent:lost(message, code)
  self.synced = false
  return nil, message, code
end

local function explain(name, why)
  local text = type(why) == "table" and (why.desc or why.class)
  return ("%s: %s"):format(name, type(text) == "string" and text
    or "the guest agent refuses"), "EREMOTE"
end

function Agent:answer(name, deadline)
  local line, message, code = self:up_to("\n", deadline, true)
  if not line then
    return self:lost(message, code)
  end
  local answer
  answer, message, code = decode(line)
  if not answer then
    return self:lost(message, code)
  elseif answer.id ~= nil and answer.id ~= self.id then
    return self:lost("the guest agent answered another question", "EPROTO")
  elseif answer.error ~= nil then
    return nil, explain(name, answer.error)
  elseif answer["return"] == nil then
    return self:lost("the guest agent's answer has no result", "EPROTO")
  end
  return answer["return"]
end

-- Is the talk where we left it? What came since was said to somebody else.
function Agent:alone()
  if self.rest ~= "" or self.port:read(0) then
    self.synced = false
  end
  return self.synced
end

---Any command of the agent's protocol.
---@param name string such as "guest-get-osinfo"
---@param arguments table?
---@param seconds number? 10
---@return any result, string? message, string? code
function Agent:call(name, arguments, seconds)
  local deadline = sys.uptime() + (seconds or PATIENCE)
  local ok, message = self:there()
  local code = "ENOTCONN"
  if ok and not self:alone() then
    ok, message, code = self:sync(deadline)
  end
  if ok then
    self.id = self.id % NUMBER_MAX + 1
    ok, message, code = self:send(name, arguments, self.id, deadline)
  end
  if not ok then
    return self:lost(message, code)
  end
  return self:answer(name, deadline)
end

-- The same, where the answer must be of one type. cjson's null is no table.
function Agent:ask(kind, name, arguments, seconds)
  local result, message, code = self:call(name, arguments, seconds)
  if result == nil then
    return nil, message, code
  elseif type(result) ~= kind then
    return nil, ("%s: the guest agent answered with a %s, not a %s"):format(name,
      type(result), kind), "EPROTO"
  end
  return result
end

---@param seconds number?
---@return true? ok, string? message, string? code
function Agent:ping(seconds)
  local ok, message, code = self:ask("table", "guest-ping", nil, seconds)
  return ok and true, message, code
end

---What the agent can do: version, supported_commands.
function Agent:info()
  return self:ask("table", "guest-info")
end

-- --- programs ---

local function whole(n)
  return math.type(n) and math.tointeger(n)
end

---Start a program and do not wait.
---@param command string|table for the guest's shell; or {path, arguments...}
---@param options table? input, env (a list of "NAME=value"), capture (true)
---@return integer? process, string? message, string? code
function Agent:spawn(command, options)
  options = options or {}
  local list = type(command) == "table" and command
    or { "/bin/sh", "-c", command }
  local arguments = { path = list[1], ["capture-output"] =
    options.capture ~= false, env = options.env and #options.env > 0
      and options.env or nil,
    ["input-data"] = options.input and base64.encode(options.input) }
  if #list > 1 then
    arguments.arg = table.move(list, 2, #list, 1, {})
  end
  local result, message, code = self:ask("table", "guest-exec", arguments,
    options.seconds)
  local process = result and whole(result.pid)
  if result and not process then
    return nil, "guest-exec: the guest agent gave no process number", "EPROTO"
  end
  return process, message, code
end

local function output_of(text)
  if text == nil then
    return ""
  elseif type(text) == "string" then
    return base64.decode(text)
  end
end

---How a program does that was started: false while it runs; then a table: exit,
---signal, output, errors, truncated. Asked once, it is forgotten.
---@param process integer
function Agent:status(process)
  local r, message, code = self:ask("table", "guest-exec-status",
    { pid = process })
  if not r then
    return nil, message, code
  elseif r.exited ~= true then
    return false
  end
  local output, errors = output_of(r["out-data"]), output_of(r["err-data"])
  if not output or not errors then
    return nil, "guest-exec-status: the output is not base64", "EPROTO"
  end
  return { exit = whole(r.exitcode), signal = whole(r.signal), output = output,
    errors = errors,
    truncated = r["out-truncated"] == true or r["err-truncated"] == true }
end

---Run a program until it ends.
---@param command string|table for the guest's shell; or {path, arguments...}
---@param options table? input, env, seconds (60)
---@return table? result, string? message, string? code # exit, output, errors
function Agent:exec(command, options)
  local seconds = options and options.seconds or 60
  local deadline = sys.uptime() + seconds
  local process, message, code = self:spawn(command, options)
  local pause = 0.01
  while process do
    local result
    result, message, code = self:status(process)
    if result ~= false then
      return result, message, code
    elseif sys.uptime() > deadline then
      return nil, ("it still runs after %g s, as process %d of the guest")
        :format(seconds, process), "ETIMEDOUT"
    end
    sys.sleep(pause)
    pause = math.min(pause * 2, 0.2)
  end
  return nil, message, code
end

-- --- files ---

-- Do something with an open file of the guest's, and close it.
function Agent:with_file(path, mode, action)
  local handle, message, code = self:ask("number", "guest-file-open",
    { path = path, mode = mode })
  if not handle then
    return nil, message, code
  end
  local result
  result, message, code = action(whole(handle) or handle)
  local ok, why, how = self:call("guest-file-close", { handle = handle })
  if result ~= nil and ok == nil then
    return nil, why, how
  end
  return result, message, code
end

---A file of the guest's.
---@param path string
---@param most integer? bytes; 4 MiB
---@return string? data, string? message, string? code
function Agent:read(path, most)
  most = most or READ_MAX
  return self:with_file(path, "r", function(handle)
    local parts, size = {}, 0
    while true do
      local r, message, code = self:ask("table", "guest-file-read",
        { handle = handle, count = PART })
      if not r then
        return nil, message, code
      end
      local data = output_of(r["buf-b64"])
      if not data or #data > PART then
        return nil, "guest-file-read: the data is not as asked for", "EPROTO"
      end
      parts[#parts + 1], size = data, size + #data
      if size > most then
        return nil, ("%s has more than %d bytes"):format(path, most), "EFBIG"
      elseif r.eof == true or data == "" then
        return table.concat(parts)
      end
    end
  end)
end

---Make or replace a file of the guest's.
---@param path string
---@param data string
---@param mode string? "w"; "a" appends
---@return true? ok, string? message, string? code
function Agent:write(path, data, mode)
  return self:with_file(path, mode or "w", function(handle)
    local at = 1
    while at <= #data do
      local r, message, code = self:ask("table", "guest-file-write",
        { handle = handle, ["buf-b64"] =
          base64.encode(data:sub(at, at + PART - 1)) })
      local count = r and whole(r.count)
      if not r then
        return nil, message, code
      elseif not count or count < 1 or count > PART then
        return nil, "guest-file-write: nothing was written", "EIO"
      end
      at = at + count
    end
    return true
  end)
end

-- --- the whole guest ---

-- The agent says nothing when it does what it is told.
local SILENCE = 0.5

---Have the guest shut down; does not wait until it has.
---@param mode string? "powerdown", "reboot", "halt"
---@return true? ok, string? message, string? code
function Agent:shutdown(mode)
  local ok, message, code = self:ping()
  if not ok then
    return nil, message, code
  end
  local result
  result, message, code = self:call("guest-shutdown",
    { mode = mode or "powerdown" }, SILENCE)
  self.synced = false
  if result == nil and code ~= "ETIMEDOUT" and code ~= "ENOTCONN" then
    return nil, message, code
  end
  return true
end

local function addresses(of)
  local list = {}
  for _, a in ipairs(type(of) == "table" and of or {}) do
    if type(a) == "table" and type(a["ip-address"]) == "string" then
      list[#list + 1] = ("%s/%d"):format(a["ip-address"], whole(a.prefix) or 0)
    end
  end
  return list
end

---The guest's network interfaces: name, mac, addresses ("192.0.2.7/24").
---@return table? list, string? message, string? code
function Agent:interfaces()
  local found, message, code = self:ask("table", "guest-network-get-interfaces")
  if not found then
    return nil, message, code
  end
  local list = {}
  for _, f in ipairs(found) do
    if type(f) == "table" and type(f.name) == "string" then
      local mac = f["hardware-address"]
      list[#list + 1] = { name = f.name, mac = type(mac) == "string" and mac
        or nil, addresses = addresses(f["ip-addresses"]) }
    end
  end
  return list
end

return agent
