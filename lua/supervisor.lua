-- Supervisors: a domain that starts others, learns why they end, and starts
-- them again, later and later while they keep failing.

local domain = require "domain"
local sys = require "sys"

local supervisor = {}

---@class supervisor.child
---@field name string
---@field file? string
---@field source? string
---@field restart? "always"|"on-error"|"never" default "always"
---Any other field is passed to domain.spawn.

---@class supervisor.backoff
---@field min number seconds before the first restart
---@field max number the longest pause
---@field factor number how much longer each pause is than the last
---@field reset number seconds of good life after which all is forgotten

local Supervisor = { __name = "supervisor" }
Supervisor.__index = Supervisor

local DEFAULT_BACKOFF = { min = 0.1, max = 30, factor = 2, reset = 60 }
local RESTARTS = { always = true, ["on-error"] = true, never = true }
local OWN_FIELDS = { restart = true }

local function check_child(child, index)
  if type(child) ~= "table" or type(child.name) ~= "string" then
    error(("children[%d]: a table with a name is needed"):format(index), 3)
  end
  if child.restart ~= nil and not RESTARTS[child.restart] then
    error(("children[%d].restart: one of always, on-error, never"):format(index), 3)
  end
end

local function backoff_of(options)
  local backoff = {}
  for key, value in pairs(DEFAULT_BACKOFF) do
    backoff[key] = options and options[key] or value
  end
  return backoff
end

---@class supervisor.options
---@field children supervisor.child[]
---@field strategy? "one_for_one"
---@field backoff? supervisor.backoff
---@field intensity? { count: integer, within: number }

---@param options supervisor.options
---@return supervisor
function supervisor.new(options)
  local strategy = options.strategy or "one_for_one"
  if strategy ~= "one_for_one" then
    error("strategy: only one_for_one is known, not " .. tostring(strategy), 2)
  end
  local self = setmetatable({
    backoff = backoff_of(options.backoff),
    intensity = options.intensity,
    list = {},
  }, Supervisor)
  for index, child in ipairs(options.children) do
    check_child(child, index)
    self:add(child)
  end
  return self
end

---Take another child on; it is started by run, or at once while that runs.
---@param child supervisor.child
function Supervisor:add(child)
  self.list[#self.list + 1] = {
    spec = child, name = child.name, restart = child.restart or "always",
    starts = 0, delay = self.backoff.min, due = 0, recent = {},
  }
end

local function spawn_options(spec)
  local options = { monitor = true }
  for key, value in pairs(spec) do
    if not OWN_FIELDS[key] then
      options[key] = value
    end
  end
  return options
end

-- Too many restarts within a time: the child is given up.
local function exhausted(self, child, now)
  local limit = self.intensity
  if not limit then
    return false
  end
  local recent = { now }
  for _, time in ipairs(child.recent) do
    if now - time < limit.within then
      recent[#recent + 1] = time
    end
  end
  child.recent = recent
  return #recent > limit.count
end

local function wants_restart(child, reason)
  if child.restart == "on-error" then
    return not (reason.kind == "exit" and reason.code == 0)
  end
  return child.restart == "always"
end

-- A child is gone: note why, and when it shall start again.
local function ended(self, child, reason)
  local now = sys.uptime()
  child.handle = nil
  child.last = { reason = reason, at = now }
  if not wants_restart(child, reason) then
    return
  end
  if exhausted(self, child, now) then
    child.given_up = true
    return
  end
  if now - child.started >= self.backoff.reset then
    child.delay = self.backoff.min
  end
  child.due = now + child.delay
  child.delay = math.min(child.delay * self.backoff.factor, self.backoff.max)
end

-- When a start itself fails, that is an end like any other.
local function start(self, child)
  local ok, handle, message = pcall(domain.spawn, spawn_options(child.spec))
  if not ok then
    handle, message = nil, handle
  end
  child.starts = child.starts + 1
  child.started = sys.uptime()
  child.handle = handle
  child.due = nil
  if not handle then
    ended(self, child, { kind = "error", message = tostring(message) })
  end
end

-- Start what is due; the seconds until the next, nil when nothing waits.
local function start_due(self)
  local soonest
  for _, child in ipairs(self.list) do
    if child.due and child.due <= sys.uptime() then
      start(self, child)
    end
    if child.due and (not soonest or child.due < soonest) then
      soonest = child.due
    end
  end
  return soonest and math.max(soonest - sys.uptime(), 0)
end

-- Nothing runs and nothing will.
local function is_idle(self)
  for _, child in ipairs(self.list) do
    if child.handle or child.due then
      return false
    end
  end
  return true
end

local function find(self, handle)
  for _, child in ipairs(self.list) do
    if child.handle == handle then
      return child
    end
  end
end

---What it answers when asked "children": rows of plain data.
---@return table[]
function Supervisor:children()
  local rows = {}
  for i, child in ipairs(self.list) do
    rows[i] = {
      name = child.name, restart = child.restart, starts = child.starts,
      domain = child.handle, last = child.last,
      state = child.handle and "running" or child.due and "waiting"
        or child.given_up and "given up" or "ended",
    }
  end
  return rows
end

local function handle_message(self, message, envelope)
  local kind = envelope:kind()
  if kind == "down" then
    local child = find(self, message.domain)
    if child then
      ended(self, child, message.reason)
    end
  elseif kind == "call" and message == "children" then
    envelope:reply(self:children())
  elseif kind == "call" then
    envelope:reply(nil, "a supervisor only knows the question 'children'")
  end
end

---Start the children and look after them; returns when none is left that runs
---or will be started.
function Supervisor:run()
  while true do
    local pause = start_due(self)
    if is_idle(self) then
      return
    end
    local message, envelope = domain.receive(pause)
    if type(envelope) == "userdata" then
      handle_message(self, message, envelope)
    end
  end
end

function Supervisor:__tostring()
  return ("supervisor of %d children"):format(#self.list)
end

return supervisor
