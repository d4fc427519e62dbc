-- The first domain. It looks after a shell on every terminal, lets the boot
-- policy speak in a domain of its own, or runs one scenario and ends the
-- machine.

local log = require "log"
local supervisor = require "supervisor"
local sys = require "sys"

local SHELL = "/boot/shell/main.lua"
local BOOT_POLICY = "/boot/policies/boot.lua"
local REFLEX_POLICY = "/boot/policies/reflexes.lua"
local DEVICE_POLICY = "/boot/lua/device_policy_run.lua"
local TTYS = { "ttyS0", "tty0" }
-- A policy that computes for longer between two waits is broken.
local POLICY_BUDGET = 5

local function has_tty(name)
  return (require "fs").exists("/dev/" .. name)
end

local function shell_on(tty)
  return {
    name = "shell:" .. tty, file = SHELL, console = tty, caps = { "*" },
    priority = "shell", restart = "always",
    -- Room for a person's experiments.
    memory = 256 << 20,
  }
end

local function policy()
  return {
    name = "policy:boot", file = BOOT_POLICY, caps = { "*" },
    budget = POLICY_BUDGET, restart = "never",
  }
end

local function reflex_policy()
  return {
    name = "policy:reflexes", file = REFLEX_POLICY, caps = {
      "reflex", "event", "power", "dev", "input", "domain", "vm" },
    budget = POLICY_BUDGET, restart = "never",
  }
end

local function device_policy()
  return {
    name = "devices", file = DEVICE_POLICY,
    caps = { "dev", "domain", "fs.read" }, budget = POLICY_BUDGET,
    restart = "never",
  }
end

local function status_bar()
  return {
    name = "status", file = "/boot/lua/status_run.lua",
    caps = { "display", "display.read", "event", "log", "domain", "fs.read" },
    budget = POLICY_BUDGET, restart = "on-error",
  }
end

local function notices()
  return {
    name = "notices", file = "/boot/lua/notices.lua",
    caps = { "display", "log" }, budget = POLICY_BUDGET, restart = "on-error",
  }
end

-- "vm" and "domain": decisions may end what misbehaves.
local function escalations()
  return {
    name = "escalations", file = "/boot/lua/escalations.lua",
    caps = { "display", "event", "log", "domain", "vm", "fs.read" },
    budget = POLICY_BUDGET, restart = "on-error",
  }
end

local function desktop()
  return {
    name = "desktop", file = "/boot/lua/desktop_run.lua",
    caps = { "vm", "display", "display.read", "event", "log", "domain",
      "fs.read", "input",
      "block.read", "block.write" }, budget = POLICY_BUDGET, restart = "on-error",
  }
end

local scenario = sys.cmdline("scenario")
if scenario then
  (require "scenario_host").run(scenario, TTYS[1])
  sys.poweroff()
  return
end

local children = {}
for _, tty in ipairs(TTYS) do
  if has_tty(tty) then
    children[#children + 1] = shell_on(tty)
  end
end
children[#children + 1] = notices()
if not sys.safe_mode() then
  children[#children + 1] = status_bar()
  children[#children + 1] = policy()
  children[#children + 1] = escalations()
  children[#children + 1] = reflex_policy()
  children[#children + 1] = device_policy()
  children[#children + 1] = desktop()
end
if #children == 0 then
  log.error("there is no terminal to start a shell on")
end

supervisor.new {
  children = children,
  backoff = { min = 0.2, max = 10, factor = 2, reset = 30 },
}:run()
