-- The reflexes that are there from the start: what must happen at once,
-- whatever else the machine is doing. Read at every start, but not in safe
-- mode. Change them here, or at the prompt: reflex.rules() shows them,
-- reflex.rule{...} of the same name takes the place of one, reflex.remove(name)
-- ends it.

local log = require "log"
local reflex = require "reflex"

local rules = {
  {
    name = "power button",
    doc = "the machine is shut down in order",
    on = "power_button",
    cooldown = "5s",
    priority = 250,
    act = "notify('power button'); poweroff; consume",
  },
  {
    name = "take back",
    doc =
      "F12 gives screen and keyboard back to the terminal, whoever has them",
    on = "input_key",
    when = "code == f12 and value == pressed",
    priority = 255,
    act = "take_back; consume",
  },
  {
    name = "toggle",
    doc = "the key left of 1 shows or hides what is presented",
    on = "input_key",
    when = "code == grave and value == pressed",
    priority = 200,
    act = "toggle_presented",
  },
  {
    name = "interrupt storm",
    doc = "a line, or a device's message, that interrupts faster than any "
      .. "device needs for 1,024 interrupts is masked",
    on = "irq_flood",
    count = 4, within = "50ms",
    priority = 240,
    act = "mask_irq(code); notify('an interrupt storms: masked'); escalate",
  },
  {
    name = "guest hangs",
    doc = "a guest whose watchdog bites is started anew",
    on = "vm_watchdog",
    priority = 220,
    act = "vm_reset(id); notify('a guest hangs: it is reset'); escalate",
  },
  {
    name = "hanging domain",
    doc = "a domain used up its budget and is being stopped: say so",
    on = "overrun",
    cooldown = "1s",
    act = "notify('a domain hangs: it is stopped'); escalate",
  },
}

local there = {}
for _, rule in ipairs(reflex.rules()) do
  there[rule.name] = true
end

-- What somebody was faster to set stays. A rule that speaks of what this
-- machine does not have must not take the others with it.
for _, rule in ipairs(rules) do
  if not there[rule.name] then
    local ok, why = reflex.rule(rule)
    if not ok then
      log.info(why)
    end
  end
end
