-- What is decided when a reflex hands an event on, or when one failed. Each
-- function gets the report: rule, source (of the event), value, time. It may
-- use what the domain "escalations" may use (lua/init.lua); an error in it costs
-- nothing but that decision.

local display = require "display"

local function show(title)
  return function(report)
    display.notify { title = title, text = "rule '" .. report.rule .. "'",
      level = "warning" }
  end
end

return {
  -- By the name of the rule: rules = { ["interrupt storm"] = function(report) }
  rules = {},
  escalate = nil, -- any other rule that asks: it is written down, that is all
  failure = nil, -- the action of a rule failed: the same
  overrun = show "A rule is switched off: it takes too long",
}
