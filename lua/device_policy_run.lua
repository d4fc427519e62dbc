-- Loads the device policy: has it evaluated in a domain of its own, checks what
-- comes back, and puts it in force, all of it or nothing. Whatever goes wrong,
-- what was in force stays, and the reason is noted where dev.policy() shows it.

local domain = require "domain"
local fs = require "fs"
local log = require "log"
local sys = require "sys"
local tree = require "device_tree"

local path = ... or "/boot/policies/devices.lua"

local EVALUATOR = "/boot/lua/device_policy_eval.lua"
local MEMORY = 16 << 20
local BUDGET = 1 -- CPU seconds
local PATIENCE = 5 -- seconds by the clock on the wall
local SIZE_MAX = 256 << 10
local DECISIONS_MAX = 512 -- what the tree takes at once

-- The devices with what a rule may ask for.
local function devices()
  local list = tree.list()
  for _, row in ipairs(list) do
    for _, property in ipairs(tree.properties(row.name) or {}) do
      if row[property[1]] == nil then
        row[property[1]] = property[2]
      end
    end
  end
  return list
end

local function read_policy()
  local text, why = fs.read(path)
  if not text then
    return nil, "it cannot be read: " .. tostring(why)
  elseif #text > SIZE_MAX then
    return nil, ("it is too long: %d bytes"):format(#text)
  end
  return text
end

-- What a dead evaluator tells.
local KINDS = {
  budget = "it computed for more than %d s",
  memory = "it used more than %d MiB of memory",
}

local function reason_text(reason)
  local amount = reason.kind == "budget" and BUDGET or MEMORY >> 20
  if KINDS[reason.kind] then
    return KINDS[reason.kind]:format(amount)
  elseif reason.kind == "exit" then
    return "it ended without an answer"
  end
  return tostring(reason.message)
end

-- The evaluator's answer, or nil and why there is none.
local function evaluate(text)
  local name = path:match("[^/]+$")
  local child, why = domain.spawn {
    name = "policy:devices", file = EVALUATOR, caps = {}, monitor = true,
    memory = MEMORY, budget = BUDGET,
    args = { text, name, devices(), domain.self() },
  }
  if not child then
    return nil, "no domain for it: " .. tostring(why)
  end
  local deadline, answer = sys.uptime() + PATIENCE, nil
  while true do
    local message, envelope = domain.receive(deadline - sys.uptime())
    if message == nil then
      child:kill("it takes too long")
      return nil, ("it did not answer within %d s"):format(PATIENCE)
    elseif envelope:kind() == "down" then
      if answer then
        return answer
      end
      return nil, reason_text(message.reason)
    elseif type(message) == "table" and envelope:from() == child then
      answer = message.decisions
    end
  end
end

local OWNERS = { ours = true, guest = true, left = true }

-- The policy's own code ran beside the evaluator's: believe nothing.
local function check(decisions)
  if type(decisions) ~= "table" or #decisions > DECISIONS_MAX then
    return nil, "it answered nothing that makes sense"
  end
  local list = {}
  for i, d in ipairs(decisions) do
    if type(d) ~= "table" or type(d.name) ~= "string" or not OWNERS[d.owner]
        or (d.driver ~= nil and type(d.driver) ~= "string")
        or (d.guest ~= nil and type(d.guest) ~= "string") then
      return nil, ("decision %d makes no sense"):format(i)
    end
    list[i] = { name = d.name, owner = d.owner, driver = d.driver,
      guest = d.guest, why = type(d.why) == "string" and d.why or nil,
      rule = type(d.rule) == "string" and d.rule or "policy" }
  end
  return list
end

local function explain(bad, why, code)
  if code == "ENOENT" then
    return ("%s: there is no driver '%s'"):format(bad.rule, bad.driver)
  elseif code == "ENOTSUP" then
    return ("%s: driver '%s' does not drive %s"):format(bad.rule, bad.driver,
      bad.name)
  end
  return bad.rule .. ": " .. why
end

local function load_policy()
  local text, why = read_policy()
  if not text then
    return nil, why
  end
  local decisions
  decisions, why = evaluate(text)
  if decisions then
    decisions, why = check(decisions)
  end
  if not decisions then
    return nil, why
  end
  local ok, message, code, index = tree.assign(decisions)
  if not ok then
    return nil, explain(decisions[index], message, code)
  end
  return #decisions
end

local count, why = load_policy()
if count then
  tree.note()
  log.info(("device policy %s: in force for %d devices"):format(path, count))
else
  tree.note(path .. ": " .. why)
end
