-- Evaluates a device policy, in a domain without any capability and with little
-- memory and time: whatever the policy does costs only this domain. Gets the
-- policy's text, its name, the devices, and whom to tell what it decided.

local text, name, devices, runner = ...

local FIELDS = { name = true, bus = true, vendor = true, device = true,
  class = true, type = true, parent = true, subsystem = true,
  subsystem_vendor = true }
local OUTCOMES = { owner = true, driver = true, guest = true, why = true,
  optional = true }
local OWNERS = { ours = true, guest = true, left = true }

-- Numbers as a person writes them in a rule's text.
local HEX = { vendor = "%04x", device = "%04x", class = "%06x",
  subsystem = "%04x", subsystem_vendor = "%04x" }

local function fail(where, message, ...)
  error(where .. ": " .. message:format(...), 0)
end

-- "*" stands for any text, all else for itself.
local function glob_matches(glob, value)
  local pattern = glob:gsub("%W", "%%%0"):gsub("%%%*", ".*")
  return value:find("^" .. pattern .. "$") ~= nil
end

local function wish_matches(wish, key, value)
  if type(wish) == "table" then
    for _, one in ipairs(wish) do
      if wish_matches(one, key, value) then
        return true
      end
    end
    return false
  elseif type(wish) == "string" and value ~= nil then
    if type(value) == "number" and HEX[key] then
      value = HEX[key]:format(value)
    end
    return glob_matches(wish:lower(), tostring(value):lower())
  end
  return wish == value
end

local function rule_matches(rule, device)
  for key, wish in pairs(rule) do
    if FIELDS[key] and not wish_matches(wish, key, device[key]) then
      return false
    end
  end
  return true
end

local function check_wish(where, key, wish, inside)
  local kind = type(wish)
  if kind == "table" and not inside then
    for _, one in ipairs(wish) do
      check_wish(where, key, one, true)
    end
    if #wish == 0 then
      fail(where, "%s: an empty list matches nothing", key)
    end
  elseif kind ~= "string" and kind ~= "number" then
    fail(where, "%s: a text, a number or a list of them, not a %s", key, kind)
  end
end

-- What a rule, or what the policy's function answered, says about a device.
local function check_outcome(where, rule)
  if not OWNERS[rule.owner] then
    fail(where, "owner: one of \"ours\", \"guest\", \"left\", not %s",
      tostring(rule.owner))
  end
  for _, key in ipairs { "driver", "guest", "why" } do
    if rule[key] ~= nil and type(rule[key]) ~= "string" then
      fail(where, "%s: a text, not a %s", key, type(rule[key]))
    end
  end
  if rule.owner == "guest" and not rule.guest then
    fail(where, "guest: whose is it? the name of a guest is needed")
  elseif rule.owner ~= "ours" and rule.driver then
    fail(where, "driver: only what is \"ours\" has a driver of ours")
  end
end

local function is_there(rule)
  for _, device in ipairs(devices) do
    if wish_matches(rule.name, "name", device.name) then
      return true
    end
  end
  return false
end

local function check_rule(where, rule)
  if type(rule) ~= "table" then
    fail(where, "a table, not a %s", type(rule))
  end
  for key, value in pairs(rule) do
    if FIELDS[key] then
      check_wish(where, key, value)
    elseif not OUTCOMES[key] then
      fail(where, "there is no field '%s'", tostring(key))
    end
  end
  check_outcome(where, rule)
  if type(rule.name) == "string" and not rule.name:find("*", 1, true)
      and not rule.optional and not is_there(rule) then
    fail(where, "there is no device '%s' (optional = true, if it may be away)",
      rule.name)
  end
end

local function decision_of(device, rule, where)
  if not rule then
    return { name = device.name, owner = "ours",
      why = "default: the first driver that matches" }
  end
  return { name = device.name, owner = rule.owner, driver = rule.driver,
    guest = rule.guest, why = rule.why or where, rule = where }
end

local function decide_by_rules(rules)
  for i, rule in pairs(rules) do
    if math.type(i) ~= "integer" or i < 1 or i > #rules then
      fail("policy", "a list of rules has no field '%s'", tostring(i))
    end
    check_rule("rule " .. i, rule)
  end
  local decisions = {}
  for n, device in ipairs(devices) do
    local found, where
    for i, rule in ipairs(rules) do
      if rule_matches(rule, device) then
        found, where = rule, "rule " .. i
        break
      end
    end
    decisions[n] = decision_of(device, found, where)
  end
  return decisions
end

local function decide_by_function(f)
  local decisions = {}
  for n, device in ipairs(devices) do
    local where = "answer for " .. device.name
    local copy = {}
    for key, value in pairs(device) do
      copy[key] = value
    end
    local answer = f(copy)
    if answer ~= nil then
      if type(answer) ~= "table" then
        fail(where, "a table or nil, not a %s", type(answer))
      end
      check_outcome(where, answer)
    end
    decisions[n] = decision_of(device, answer, where)
  end
  return decisions
end

local chunk, message = load(text, "=" .. name, "t")
if not chunk then
  error(message, 0)
end
local policy = chunk()
if type(policy) == "table" then
  runner:send { decisions = decide_by_rules(policy) }
elseif type(policy) == "function" then
  runner:send { decisions = decide_by_function(policy) }
else
  fail(name, "a list of rules or a function is expected, not a %s",
    type(policy))
end
