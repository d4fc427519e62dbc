-- Module dev: the devices of the machine, who drives them, and the policy that
-- decides it.

local tree = require "device_tree"

local dev = {}

-- How long a policy may take, by the clock on the wall, before it is given up.
local POLICY_PATIENCE = 15
local POLICY_RUNNER = "/boot/lua/device_policy_run.lua"

---@class dev.device
---@field name string
---@field bus string
---@field state "bound"|"unbound"|"failed"
---@field owner "ours"|"guest"|"left"
---@field driver? string
---A property of the bus or of the driver is a field too.

local Device = { __name = "device" }
local methods = {}

-- What the tree says about a device now; nil, message, code.
local function row_of(name)
  for _, row in ipairs(tree.list()) do
    if row.name == name then
      return row
    end
  end
  return nil, name .. ": no such device", "ENODEV"
end

-- All that can be known about a device, by name.
local function facts_of(name)
  local row, why, code = row_of(name)
  if not row then
    return nil, why, code
  end
  for _, property in ipairs(tree.properties(name) or {}) do
    -- What the tree itself says is not a driver's to change.
    if row[property[1]] == nil then
      row[property[1]] = property[2]
    end
  end
  return row
end

function Device:__index(key)
  if methods[key] then
    return methods[key]
  end
  local facts = facts_of(rawget(self, 1))
  if key == "name" then
    return rawget(self, 1)
  end
  return facts and facts[key]
end

function Device.__newindex(_, key)
  error(("a device has no field '%s' that can be set: see its methods, or "
    .. "policies/devices.lua"):format(tostring(key)), 2)
end

function Device.__eq(a, b)
  return rawget(a, 1) == rawget(b, 1)
end

local function summary(row)
  if row.owner == "guest" then
    return "reserved for guest " .. (row.guest or "?")
  elseif row.owner == "left" then
    return "left alone"
  elseif row.state == "bound" then
    return "driver " .. row.driver
  elseif row.state == "failed" then
    return ("driver %s failed: %s"):format(row.driver, row.error)
  end
  return row.error and "not there" or "no driver"
end

function Device:__tostring()
  local name = rawget(self, 1)
  local row = row_of(name)
  return ("device %s (%s)"):format(name, row and summary(row) or "gone")
end

local function handle(name)
  return setmetatable({ name }, Device)
end

---Give it a driver.
---@param driver? string a driver's name; else the first that matches
---@return true?
---@return string? why not
---@return string? code
function methods:bind(driver)
  return tree.bind(rawget(self, 1), driver)
end

---Take its driver away. Who uses the device gets errors from then on.
---@return true?
---@return string? why not
---@return string? code
function methods:unbind()
  return tree.unbind(rawget(self, 1))
end

local function decide(self, decision)
  decision.name = rawget(self, 1)
  return tree.assign { decision }
end

---Reserve it for a guest; its driver is taken away.
---@param guest string
function methods:reserve(guest)
  if type(guest) ~= "string" or guest == "" then
    error("reserve: the name of a guest is needed", 2)
  end
  return decide(self, { owner = "guest", guest = guest, why = "by hand" })
end

---Leave it alone: no driver of ours, no guest.
function methods:leave()
  return decide(self, { owner = "left", why = "by hand" })
end

---Make it ours again, with that driver or with the first that matches.
---@param driver? string
function methods:claim(driver)
  local ok, why, code = decide(self, { owner = "ours", driver = driver,
    why = "by hand" })
  local row = row_of(rawget(self, 1))
  -- What was ours before and unbound by hand is no news to the tree.
  if ok and row and row.state ~= "bound" and driver then
    return self:bind(driver)
  end
  return ok, why, code
end

---All that is known about it.
---@return table? facts
---@return string? why not
---@return string? code
function methods:properties()
  return facts_of(rawget(self, 1))
end

---Every device, parents before their children.
---@return table[]
function dev.list()
  local rows = tree.list()
  for i, row in ipairs(rows) do
    rows[i] = facts_of(row.name) or row
  end
  return rows
end

---The drivers that there are, each with the devices that it has.
---@return table[]
function dev.drivers()
  local drivers, by_name = tree.drivers(), {}
  for _, driver in ipairs(drivers) do
    driver.devices = {}
    by_name[driver.name] = driver
  end
  for _, row in ipairs(tree.list()) do
    if row.state == "bound" and by_name[row.driver] then
      table.insert(by_name[row.driver].devices, row.name)
    end
  end
  return drivers
end

-- Tree ----------------------------------------------------------------------

-- PCI's class codes that a person wants to read (PCI Code and ID Assignment).
local CLASSES = {
  [0x0101] = "IDE controller", [0x0106] = "SATA controller",
  [0x0108] = "NVMe controller", [0x0100] = "SCSI controller",
  [0x0200] = "Ethernet controller", [0x0300] = "VGA controller",
  [0x0380] = "display controller", [0x0403] = "audio device",
  [0x0401] = "audio device", [0x0500] = "RAM", [0x0600] = "host bridge",
  [0x0601] = "ISA bridge", [0x0604] = "PCI bridge", [0x0680] = "bridge",
  [0x0700] = "serial port", [0x0780] = "communication controller",
  [0x0880] = "system peripheral", [0x0900] = "keyboard",
  [0x0980] = "input device", [0x0c03] = "USB controller",
  [0x0c05] = "SMBus", [0x00ff] = "device", [0xffff] = "device",
}

-- virtio 1.2, chapter 5.
local VIRTIO = {
  [1] = "network card", [2] = "disk", [3] = "console", [4] = "entropy source",
  [5] = "memory balloon", [16] = "display", [18] = "input device",
}

local function what_it_is(facts)
  if facts.description then
    return facts.description
  elseif facts.bus == "virtio" then
    return "virtio " .. (VIRTIO[facts.type]
      or ("device of type %s"):format(facts.type))
  elseif facts.bus == "pci" then
    local class = CLASSES[facts.class >> 8]
      or ("class %04x"):format(facts.class >> 8)
    return ("%04x:%04x %s"):format(facts.vendor, facts.device, class)
  end
  return facts.bus
end

local function add_lines(lines, children, name, indent)
  local list = children[name] or {}
  for i, facts in ipairs(list) do
    local last = i == #list
    lines[#lines + 1] = {
      indent .. (indent == "" and "" or last and "`- " or "|- ")
        .. facts.name,
      what_it_is(facts), summary(facts), facts.irq,
    }
    add_lines(lines, children, facts.name,
      indent == "" and " " or indent .. (last and "   " or "|  "))
  end
end

---The devices as a tree, for a person to read.
---@return string
function dev.tree()
  local children = {}
  for _, facts in ipairs(dev.list()) do
    local parent = facts.parent or ""
    children[parent] = children[parent] or {}
    table.insert(children[parent], facts)
  end
  local lines, width = {}, { 0, 0 }
  add_lines(lines, children, "", "")
  for _, line in ipairs(lines) do
    width[1] = math.max(width[1], #line[1])
    width[2] = math.max(width[2], #line[2])
  end
  for i, line in ipairs(lines) do
    lines[i] = ("%-" .. width[1] .. "s  %-" .. width[2] .. "s  %s%s"):format(
      line[1], line[2], line[3], line[4] and ", " .. line[4] or "")
  end
  return table.concat(lines, "\n")
end

-- Policy --------------------------------------------------------------------

---Which policy is in force, and why the file is not, if it is not.
---@return table
function dev.policy()
  local status = tree.status()
  local decisions = {}
  for _, row in ipairs(tree.list()) do
    decisions[row.name] = row.why
  end
  return {
    source = status.in_force and "/boot/policies/devices.lua" or "default",
    error = status.error, loads = status.loads, failures = status.failures,
    decisions = decisions,
  }
end

---Read the policy file again. When it is not good, what was in force stays.
---@param path? string another file
---@return true?
---@return string? why not
---@return string? code
function dev.reload_policy(path)
  local domain = require "domain"
  local before = tree.status()
  local runner, why, code = domain.spawn {
    name = "devices", file = POLICY_RUNNER, args = { path },
  }
  if not runner then
    return nil, why, code
  end
  local reason = runner:wait(POLICY_PATIENCE)
  local status = tree.status()
  if not reason then
    runner:kill("it took too long")
    return nil, "the policy took too long", "ETIMEDOUT"
  elseif status.loads > before.loads and not status.error then
    return true
  end
  return nil, status.error or reason.message or "it was not loaded", "EINVAL"
end

---Look for devices that were not there before; the policy decides about them.
---@return integer? # how many
---@return string? why not
---@return string? code
function dev.rescan()
  local count, why, code = tree.rescan()
  if not count then
    return nil, why, code
  end
  if count > 0 and tree.status().in_force then
    dev.reload_policy()
  end
  return count
end

return setmetatable(dev, {
  __call = function(_, name)
    if type(name) ~= "string" then
      error("dev: the name of a device is needed, such as "
        .. "dev.list()[1].name", 2)
    end
    local row, why, code = row_of(name)
    if not row then
      return nil, why, code
    end
    return handle(name)
  end,
})
