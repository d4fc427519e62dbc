-- A desktop that crashes before it has a picture, shown and hidden: what is seen
-- of it, what is told, when it starts again, and when it is left alone. The
-- guest (tests/guests/fall.64.S) crashes when it is told to.
--   run.py desktop_crash.lua --cmdline desktop.policy=/tmp/desktop_policy.lua

local desktop = require "desktop"
local display = require "display"
local t = require "scenario"
local vm = require "vm"

local LIMIT = 60 -- seconds for what takes one or two
local RESTARTS = 3
t.write("/tmp/desktop_policy.lua", ([[
return { default = "fall", fall = { kernel = "/boot/guests/fall.64",
  loader = "flat64", memory = 16, layout = "full", start = "boot",
  restart = %d, pause_minutes = 0.02 } }
]]):format(RESTARTS))

-- In the place of those that draw notices.
local notices = t.spawn { name = "notices", source = [[
local domain = require "domain"
local list = {}
while true do
  local message, envelope = domain.receive()
  if envelope:kind() == "call" then
    envelope:reply(list)
  else
    list[#list + 1] = message
  end
end]] }

local function told(n)
  return t.wait(function() return notices:call("list", 5)[n] end, LIMIT,
    "notice " .. n)
end

t.spawn { name = "desktop", file = "/boot/lua/desktop_run.lua" }

local function until_state(state, boots)
  t.wait(function()
    local guest = vm.get "fall"
    return guest and guest:state() == state
      and (not boots or guest:stats().boots == boots)
  end, LIMIT, ("%s, start %s"):format(state, boots or "any"))
end

local function fall()
  vm.get "fall":console():write "x"
end

local function progress()
  return display.get "fall starts" ~= nil
end

t.plan(5)

t.test("by its policy it starts at boot, hidden", function()
  until_state("running", 1)
  t.is(desktop.status().shown, false)
  t.is(progress(), false, "nothing is seen of it")
end)

t.test("one that crashes hidden starts again, still hidden", function()
  fall()
  local notice = told(1)
  t.is(notice.level, "warning")
  t.like(notice.text, "^fall crashed %(triple fault%); it starts again in 1 s")
  until_state("running", 2)
  t.is(desktop.status().shown, false)
  t.is(progress(), false)
end)

t.test("one hidden for long pauses, and goes on when it is shown", function()
  assert(desktop.show())
  assert(desktop.hide())
  until_state "paused"
  local name, done = desktop.show()
  t.is(name, "fall")
  t.like(done, "^r") -- resumed, by us or by the one that looks after it
  until_state("running", 2)
end)

t.test("one that crashes in boot keeps its place, and its progress is shown "
  .. "from the next start on", function()
  t.ok(desktop.status().shown)
  t.wait(progress, LIMIT, "the progress")
  fall()
  t.like(told(2).text, "it starts again in 2 s")
  t.ok(desktop.status().shown, "its place, while it waits")
  t.wait(function() return vm.get "fall":stats().boots == 3 or not progress() end,
    LIMIT, "no progress of what does not start")
  until_state("running", 3)
  t.wait(progress, LIMIT, "the progress of the next start")
  t.ok(desktop.status().shown)
end)

t.test("the pauses grow, until it is left alone", function()
  fall()
  t.like(told(3).text, "it starts again in 4 s")
  until_state("running", 4)
  fall()
  local notice = told(4)
  t.is(notice.level, "error")
  t.like(notice.text, "is left alone")
  t.is(vm.get "fall":state(), "crashed")
  t.like(tostring(desktop.status()), "^fall: crashed %(triple fault%), shown")
  t.is(select(2, desktop.show()), "started", "a person can start it")
  until_state("running", 5)
end)
