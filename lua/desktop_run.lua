-- The domain "desktop": looks after what policies/desktop.lua names. Those with
-- start = "boot" are started, hidden; one that crashes is started again, with
-- growing pauses, and a person is told; one that ends goes from the screen; one
-- that was hidden for long enough pauses, and goes on when it is shown.

local boot = require "desktop_boot"
local desktop = require "desktop"
local display = require "display"
local event = require "event"
local log = require "log"
local sys = require "sys"
local vm = require "vm"

local WINDOW = 600 -- seconds in which restarts are counted
local PAUSE_MIN, PAUSE_MAX = 1, 60

-- Numbers of an event's field, by what they are called.
local function constants(type, name)
  for _, field in ipairs(event.types(type).fields) do
    if field.name == name then
      return field.constants
    end
  end
end
local STATE = constants("vm_state", "state")
local VIEW = constants("surface", "code")

-- By name: times of crashes, when to start again, since when it is hidden.
local known = {}

local function of(name)
  known[name] = known[name] or { crashes = {} }
  return known[name]
end

local function rules_of(name)
  local rules = desktop.policy()
  local mine = rules and rules[name]
  return type(mine) == "table" and mine or nil
end

local function tell(level, text)
  log.info(text)
  display.notify { title = "Desktop", text = text, level = level }
end

local function forget_old(crashes, now)
  while crashes[1] and now - crashes[1] > WINDOW do
    table.remove(crashes, 1)
  end
end

local function crashed(name, rules)
  local mine, now = of(name), sys.uptime()
  forget_old(mine.crashes, now)
  table.insert(mine.crashes, now)
  local _, reason = vm.get(name):state()
  if #mine.crashes > (rules.restart or 0) then
    tell("error", ("%s crashed (%s) and is left alone: vm.get%q:dump() says "
      .. "more"):format(name, reason or "?", name))
    return
  end
  local pause = math.min(PAUSE_MAX, PAUSE_MIN * 2 ^ (#mine.crashes - 1))
  mine.again = now + pause
  tell("warning", ("%s crashed (%s); it starts again in %d s"):format(name,
    reason or "?", pause))
end

local function ended(name)
  local surface = display.get(name)
  if surface and surface:info().shown then
    display.hide(name)
    tell("info", name .. " has ended")
  end
end

local function on_state(e)
  local rules = rules_of(e.vm)
  if not rules or not vm.get(e.vm) then
    return
  elseif e.state == STATE.crashed then
    crashed(e.vm, rules)
  elseif e.state == STATE.stopped then
    ended(e.vm)
  elseif e.state == STATE.running then
    of(e.vm).again = nil
  end
end

local function on_surface(e)
  if not rules_of(e.name) then
    return
  end
  local mine, guest = of(e.name), vm.get(e.name)
  if e.code == VIEW.hidden then
    mine.hidden = sys.uptime()
  elseif e.code == VIEW.shown then
    mine.hidden = nil
    if guest and guest:state() == "paused" then
      guest:resume()
    end
  end
end

local function start_again(name, mine, now)
  if not mine.again or now < mine.again then
    return
  end
  mine.again = nil
  local guest = vm.get(name)
  if guest and guest:state() == "crashed" then
    local ok, message = guest:start()
    if not ok then
      tell("error", ("%s does not start: %s"):format(name, message))
    end
  end
end

local function pause_idle(name, mine, now)
  local rules = rules_of(name)
  local minutes = rules and rules.pause_minutes
  if not minutes or not mine.hidden or now - mine.hidden < minutes * 60 then
    return
  end
  mine.hidden = nil
  local guest = vm.get(name)
  if guest and guest:state() == "running" and guest:pause() then
    log.info(("%s was hidden for %g minutes: it pauses"):format(name, minutes))
  end
end

local function start_at_boot()
  for name, rules in pairs(desktop.policy() or {}) do
    if type(rules) == "table" and rules.start == "boot" then
      local ok, message = desktop.start(name)
      if not ok then
        log.warn(message)
      end
    end
  end
end

local TICK, TICK_AT_START = 1, 0.5

-- Those that are on the screen without a picture; true: there is one.
local function show_starting()
  local any = false
  for name, rules in pairs(desktop.policy() or {}) do
    if type(rules) == "table" then
      any = boot.update(name, vm.get(name)) or any
    end
  end
  return any
end

local events <close> = assert(event.subscribe { "vm_state", "surface",
  "vm_display" })
start_at_boot()
local starting = false
while true do
  local e = events:read(starting and TICK_AT_START or TICK)
  local happened = e ~= nil
  while e do
    if e.type == "vm_state" then
      on_state(e)
    elseif e.type == "surface" then
      on_surface(e)
    end
    e = events:read(0)
  end
  local now = sys.uptime()
  for name, mine in pairs(known) do
    start_again(name, mine, now)
    pause_idle(name, mine, now)
  end
  if happened or starting then
    starting = show_starting()
  end
end
