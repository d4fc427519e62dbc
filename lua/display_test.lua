-- The drawer behind display.test_surface: a domain that draws one frame after
-- the other until it is killed, or has drawn as many as it should.

local display = require "display"
local pattern = require "display_pattern"
local sys = require "sys"

local name, width, height, fps, hide_after, frames = ...

local surface = assert(display.create(name, width, height))
surface:take_input()
surface:set { x = 0, y = 0, width = width, height = height,
  z = display.z.surface }

local frame, began = 0, sys.uptime()
local hidden = hide_after == 0
while frames == 0 or frame < frames do
  pattern.draw(surface, width, height, frame & 0xffff)
  surface:present()
  surface:read_input()
  frame = frame + 1
  if not hidden and sys.uptime() - began >= hide_after then
    hidden = true
    display.hide(name)
  end
  sys.sleep(1 / fps)
end
-- All is drawn: it stays, to be looked at.
while true do
  surface:read_input()
  sys.sleep(0.1)
end
