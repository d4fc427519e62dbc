-- Module vm: virtual machines. Over `vm_core` (C), whose handles get the
-- methods that wait and talk: consoles, attaching, shutting down.

local core = require "vm_core"
local console = require "console"
local sys = require "sys"

local methods = core.methods
local vm = { host = core.host, define = core.define, get = core.get,
  list = core.list, networks = core.networks }

-- The other end of a guest's console. Several may read it: each has a place of
-- its own in what the guest has said.
local Console = {}
Console.__index = Console
Console.__name = "vm console"

---A console of the guest, from the oldest that is kept on.
---@param port string? of virtio-console: "hvc0", ...; none: the serial line
function methods:console(port)
  return setmetatable({ vm = self, port = port, at = 0, rest = "" }, Console)
end

function Console:__tostring()
  return ("%s of %s"):format(self.port or "console", self.vm)
end

-- What came since the last read; waits for a byte at least.
function Console:read(seconds)
  if self.rest ~= "" then
    local text = self.rest
    self.rest = ""
    return text
  end
  local text, at, code = self.vm:console_read(self.at, seconds, self.port)
  if not text then
    return nil, at, code
  end
  self.at = at
  return text
end

-- Type into the guest; waits while it does not read.
function Console:write(text, seconds)
  local deadline = sys.uptime() + (seconds or 10)
  while text ~= "" do
    local n, message, code = self.vm:console_write(text, self.port)
    if not n then
      return nil, message, code
    end
    text = text:sub(n + 1)
    if text ~= "" then
      if sys.uptime() > deadline then
        return nil, ("the guest does not read; %d bytes are left"):format(#text),
          "ETIMEDOUT"
      end
      sys.sleep(0.01)
    end
  end
  return true
end

-- All that is kept, whatever was read.
function Console:history()
  local parts, at = {}, 0
  while true do
    local text, after = self.vm:console_read(at, 0, self.port)
    if not text then
      return table.concat(parts)
    end
    parts[#parts + 1], at = text, after
  end
end

-- Read until the pattern comes; what lies behind it is read next time.
function Console:expect(pattern, seconds)
  local deadline = sys.uptime() + (seconds or 60)
  local seen = ""
  while true do
    local found = table.pack(seen:find(pattern))
    if found[1] then
      self.rest = seen:sub(found[2] + 1)
      if found.n > 2 then
        return table.unpack(found, 3, found.n)
      end
      return seen:sub(found[1], found[2])
    end
    local left = deadline - sys.uptime()
    local text, message, code = self:read(math.max(left, 0))
    if not text then
      self.rest = seen
      local last = seen:sub(-1000):gsub("%c", " ")
      return nil, ("%s while waiting for %q; the guest said: %s"):format(
        message, pattern, last), code
    end
    seen = seen .. text
  end
end

local CPUS = 8 -- most that a VM can have
local LEAVE = "\29" -- Ctrl-]
local POLL = 0.02

local function forward_keys(guest)
  local keys = console.read(0)
  if not keys then
    return true
  end
  local stop = keys:find(LEAVE, 1, true)
  if stop ~= 1 then
    guest:write(stop and keys:sub(1, stop - 1) or keys)
  end
  return not stop
end

local function attach(guest, handle)
  while forward_keys(guest) do
    local text = guest:read(POLL)
    if text then
      console.write(text)
    elseif handle:state() == "stopped" or handle:state() == "crashed" then
      return
    end
  end
end

-- This terminal becomes the guest's console until Ctrl-] is pressed, or the
-- guest ends. Ctrl-C goes to the guest.
function methods:attach()
  console.write(("console of \"%s\"; Ctrl-] leaves\n"):format(self:name()))
  console.interrupts(false)
  local ok, message = pcall(attach, self:console(), self)
  console.interrupts(true)
  if not ok then
    error(message, 0)
  end
  console.write("\27[m\n")
  return self:state()
end

-- What its CPUs did last, oldest first: a list of exits, each with cpu, time (on
-- sys.uptime's clock), reason, rip, code, info1, info2. `trace.on("vm")` records
-- more, and how long each took.
function methods:trace()
  local list = {}
  for cpu = 0, CPUS - 1 do
    for _, exit in ipairs(self:last_exits(cpu)) do
      exit.cpu = cpu
      list[#list + 1] = exit
    end
  end
  table.sort(list, function(a, b) return a.time < b.time end)
  return list
end

-- --- what a program inside does for us ---

local AGENT = "org.qemu.guest_agent.0"
local COMING = 5 -- seconds, for an agent that starts

-- Is there a program at the other end? Else why not.
local function agent_present(handle)
  local state = handle:state()
  if state ~= "running" then
    return false, ("%s does not run (%s)"):format(handle:name(), state)
  end
  for _, port in ipairs(handle:ports()) do
    if port.name == AGENT then
      return port.open, "no guest agent listens in " .. handle:name()
    end
  end
  return false, handle:name() .. " has no port for a guest agent"
end

---The guest's agent: see module agent. Waits a little for one that starts.
---@param seconds number? 5
function methods:agent(seconds)
  local deadline = sys.uptime() + (seconds or COMING)
  while true do
    local ok, message = agent_present(self)
    if ok then
      return require "agent".new(self:console(AGENT), function()
        return agent_present(self)
      end)
    elseif sys.uptime() >= deadline or self:state() ~= "running" then
      return nil, message, "ENOTCONN"
    end
    sys.sleep(0.05)
  end
end

-- Have the guest's agent shut it down, where there is one; else, or when it
-- cannot, press the power button. Wait until the guest is off.
function methods:shutdown(seconds)
  local there = agent_present(self) and self:agent(0)
  local ok, message, code = there and there:shutdown()
  if not ok then
    ok, message, code = self:power_button()
  end
  if not ok then
    return nil, message, code
  end
  return self:wait("stopped", seconds or 30)
end

-- --- its disk, as it was ---

---Empty the overlays that are its disks: they read as their bases again. What it
---would cost is said first; `true` does it.
---@param confirmed boolean?
---@return integer? bytes, string? message, string? code
function methods:reset_disk(confirmed)
  local block = require "block" -- not every domain that has VMs has disks
  local state, names, used = self:state(), {}, 0
  if state == "running" or state == "paused" or state == "starting" then
    return nil, ("%s runs: shut it down first"):format(self:name()), "EBUSY"
  end
  for _, disk in ipairs(self:disks()) do
    local name = disk.source:gsub("^serial:", "")
    local info = block.overlay_info(name)
    if info then
      names[#names + 1], used = name, used + info.used
    end
  end
  if not names[1] then
    return nil, self:name() .. " has no disk over a base", "ENOTSUP"
  elseif confirmed ~= true then
    return nil, ("%d MiB of changes on %s would be lost for ever; "
      .. "vm.get%q:reset_disk(true) does it"):format((used + 0xfffff) >> 20,
      table.concat(names, ", "), self:name()), "ECANCELED"
  end
  for _, name in ipairs(names) do
    local info = block.overlay_info(name)
    local ok, message, code = block.remove_overlay(name)
    if ok then
      ok, message, code = block.overlay { name = name, base = info.base,
        state = info.state, reset = true }
    end
    if not ok then
      return nil, message, code
    end
  end
  return used
end

return vm
