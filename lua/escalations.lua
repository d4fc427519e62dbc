-- The domain "escalations": where reflexes hand on what they cannot decide. It
-- shows notices to people, writes down what rules report, and asks
-- policies/escalations.lua what to do about it. Its own records are no warnings:
-- a rule over warnings that escalates would never come to rest.

local display = require "display"
local event = require "event"
local log = require "log"
local sys = require "sys"

local POLICY = sys.cmdline "escalations.policy"
  or "/boot/policies/escalations.lua"

local SAYS = {
  escalate = "asks for a decision (source %d, value %d)",
  failure = "could not do what it should (source %d, error %d)",
  overrun = "takes too long and is switched off (source %d, %d ticks)",
}

local function load_policy()
  local chunk, message = loadfile(POLICY, "t")
  local ok, policy = pcall(chunk or error, message)
  if ok and type(policy) == "table" then
    return policy
  end
  log.error("no policy for escalations: " .. tostring(policy))
  return {}
end

local policy = load_policy()

local function name_of(report)
  for name, value in pairs(event.types("reflex").fields[1].constants) do
    if value == report.code then
      return name
    end
  end
  return "report"
end

-- What the policy has for this rule and kind of report, or for the kind.
local function decide(kind, report)
  local own = policy.rules and policy.rules[report.rule]
  local handler = kind == "escalate" and own or policy[kind]
  if type(handler) ~= "function" then
    return
  end
  local ok, why = pcall(handler, report)
  if not ok then
    log.info(("the decision about rule '%s' failed: %s"):format(report.rule,
      tostring(why)))
  end
end

local queue <close> = assert(event.subscribe {
  { type = "reflex" }, { type = "notice" } })

while true do
  local e = queue:read()
  if e and e.type == "notice" then
    display.notify { text = e.text, title = "Reflex", level = "warning" }
  elseif e then
    local kind = name_of(e)
    log.info(("rule '%s' " .. (SAYS[kind] or "reports (%d, %d)"))
      :format(e.rule, e.source, e.value))
    decide(kind, e)
  end
end
