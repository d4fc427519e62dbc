-- A desktop from outside: every word and what comes of it, by the pixels of a
-- small Linux guest that paints what it is told on its keyboard, and starts
-- again when it crashes.
--   run.py desktop.lua --guests --memory 1024 --timeout 240

package.path = "/boot/shell/?.lua;" .. package.path

local commands = require "commands"
local desktop = require "desktop"
local display = require "display"
local event = require "event"
local fs = require "fs"
local reflex = require "reflex"
local t = require "scenario"
local vm = require "vm"
require "desktop_words"

local LIMIT = 90 -- seconds, on a slow machine
local F12 = 88
local FIRST_FRAME
for _, field in ipairs(event.types("vm_display").fields) do
  FIRST_FRAME = field.constants and field.constants.first_frame or FIRST_FRAME
end
local RED, GREEN = "\255\0\0", "\0\255\0"
-- Pixels are blue, green, red and nothing, in memory.
local GUEST = [[p() { printf $1 > /p; for i in $(seq 19); do cat /p /p > /q; ]]
  .. [[mv /q /p; done; cat /p > /dev/fb0; }; p '\000\000\377\000' 2> /dev/null; ]]
  .. [[while read x; do case $x in red) p '\000\000\377\000';; ]]
  .. [[green) p '\000\377\000\000';; crash) reboot -f;; esac; done ]]
  .. [[< /dev/tty1 2> /dev/null]]

local kernel = "/guests/generic/vmlinux"
t.wait(function() return fs.exists(kernel) end, LIMIT, "the guests' disk")
local guest = assert(vm.define {
  name = "linux", memory = 256, kernel = kernel,
  initrd = "/guests/generic/initrd",
  display = { width = 640, height = 480 },
  cmdline = ("quiet reboot=t cryptomgr.notests rayos.display rayos.run=\"%s\"")
    :format(GUEST),
})
t.spawn { name = "desktop", file = "/boot/lua/desktop_run.lua" }

-- A line as at the prompt: what it says, or why not.
local function say(line)
  local heard = {}
  local shell = { say = function(_, text) heard[#heard + 1] = text end }
  local command, args = commands.find(line, {}, function() return false end)
  local _, message = command.handler(shell, args)
  return message or table.concat(heard, "\n")
end

local function view()
  return display.get "linux":info()
end

local function at(rgb, width, x, y)
  local i = (y * width + x) * 3
  return rgb:sub(i + 1, i + 3)
end

-- Of the guest's own picture, shown or hidden; of our screen at its place.
local function until_painted(colour)
  t.wait(function()
    local rgb, width = display.get "linux":read()
    return rgb and at(rgb, width, 5, 5) == colour
  end, LIMIT, "the guest's colour")
end

local function until_on_screen(colour)
  t.wait(function()
    local v = view()
    return v.shown and (t.screen_region(v.x + 5, v.y + 5, 1, 1)) == colour
  end, LIMIT, "the colour on the screen")
end

local function until_boots(n)
  t.wait(function()
    return guest:state() == "running" and guest:stats().boots == n
  end, LIMIT, "start " .. n)
end

-- A person's key: the reflex rules see it.
event.define "person"
local function press_by_hand(code)
  assert(reflex.rule { name = "person", on = "person",
    act = ("key(%d, 1); key(%d, 0)"):format(code, code) })
  event.raise "person"
  assert(reflex.remove "person")
end

t.plan(9)

t.test("what does not run says so", function()
  t.like(say "type hello into linux", "linux does not run")
  t.like(say "show xyz desktop", "there is no desktop 'xyz'")
  t.like(tostring(desktop.status()), "^linux: .-, hidden$")
end)

t.test("show: its first frame is told and is on the screen", function()
  local events <close> = event.subscribe "vm_display"
  t.like(say "show linux desktop", "^linux is shown %(started%)")
  until_on_screen(RED)
  local e
  repeat
    e = assert(events:read(5), "no first frame was told")
  until e.code == FIRST_FRAME
  t.is(e.vm, "linux")
  t.ok(e.width > 0 and e.height > 0, "its dimensions")
  t.like(tostring(desktop.status()), "^linux: running, shown, %d+x%d+, %d+ frames")
end)

t.test("hide: it goes on, and hears what is typed", function()
  t.like(say "hide linux desktop", "hidden, it runs on")
  t.ok(not view().shown)
  t.is(say [[type "green\n" into linux]], "")
  until_painted(GREEN)
  t.like(say "show linu dekstop", "understood from 'linu'")
  until_on_screen(GREEN)
end)

t.test("split, window, full: it follows", function()
  local width = {}
  for _, layout in ipairs { "split", "window", "full" } do
    t.like(say("show linux desktop " .. layout), "running")
    t.wait(function()
      local s, v = desktop.status(), view()
      return s.active and s.width == v.view_width and s.height == v.view_height
    end, LIMIT, "the size of " .. layout)
    width[layout] = view().view_width
  end
  local screen = display.area().width
  t.is(width.full, screen)
  t.ok(width.split <= screen // 2, "split")
  t.is(width.window, screen * 2 // 3)
end)

t.test("press and click: all of it is taken", function()
  local before = guest:display().events
  t.is(say "press leftctrl in linux", "")
  t.is(say "click 40 30 in linux", "")
  local after = guest:display()
  t.ok(after.events >= before + 4 + 7)
  t.is(after.waiting, 0)
  t.like(say "press nokey in linux", "no key 'nokey'")
  t.like(say "click here in linux", "say where")
end)

t.test("screenshot: a PNG, shown or hidden", function()
  t.like(say "screenshot linux", "saved as /tmp/linux.png")
  t.is(t.read("/tmp/linux.png"):sub(2, 4), "PNG")
  fs.write("/tmp/out/linux.png", t.read "/tmp/linux.png")
end)

t.test("F12 takes the screen back", function()
  dofile "/boot/policies/reflexes.lua"
  t.ok(view().shown)
  press_by_hand(F12)
  t.wait(function() return not view().shown end, LIMIT, "F12")
  t.is(guest:state(), "running")
end)

t.test("reset and crash while it is hidden: it starts again, hidden", function()
  local boots = guest:stats().boots
  t.like(say "reset linux", "reset")
  until_boots(boots + 1)
  until_painted(RED)
  t.ok(not view().shown, "reset while hidden")
  say [[type "crash\n" into linux]]
  until_boots(boots + 2)
  until_painted(RED)
  t.ok(not view().shown, "crashed while hidden")
end)

t.test("shutdown: it ends and goes from the screen", function()
  t.like(say "shutdown linux", "^linux: ")
  t.is(guest:state(), "stopped")
  t.ok(not view().shown)
end)
