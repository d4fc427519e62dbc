-- Where things go on the screen: nothing overlaps, nothing is outside.

local tap = require "tap"
local layout = require "display_layout"
local test, is = tap.test, tap.is

local function show(r)
  return ("%d,%d %dx%d"):format(r.x, r.y, r.width, r.height)
end

test("the workspace is what the bar leaves", function()
  is(show(layout.workspace(1280, 800, 28)), "0,28 1280x772")
  is(show(layout.workspace(1280, 800)), "0,0 1280x800")
  is(show(layout.workspace(100, 20, 28)), "0,20 100x0")
end)

test("a split shares all but the gap", function()
  local area = layout.workspace(1001, 700, 30)
  for _, ratio in ipairs { 0.01, 0.25, 0.5, 0.6, 0.99 } do
    local a, b = layout.split(area, "horizontal", ratio)
    is(a.width + layout.GAP + b.width, 1001)
    is(a.x, 0)
    is(b.x, a.width + layout.GAP)
    is(a.height, 670)
    is(b.height, 670)
    is(math.min(a.width, b.width) >= layout.LEAST, true)
    a, b = layout.split(area, "vertical", ratio)
    is(a.height + layout.GAP + b.height, 670)
    is(b.y, 30 + a.height + layout.GAP)
    is(b.width, 1001)
  end
  local half = layout.split(area, "horizontal", 0.5)
  is(show(half), "0,30 500x670")
end)

test("a window stands in the middle unless it is told where", function()
  local area = layout.workspace(1200, 830, 30)
  is(show(layout.window(area, 20, {})), "200,173 800x533")
  is(show(layout.window(area, 20, { width = 100, height = 50, x = 10, y = 60 })),
    "10,60 100x50")
end)

test("a window never leaves the workspace", function()
  local area = layout.workspace(640, 480, 30)
  for _, wanted in ipairs { { x = -500, y = -500 }, { x = 9999, y = 9999 },
    { width = 9999, height = 9999 }, { width = 1, height = 1, y = 0 } } do
    local r = layout.window(area, 20, wanted)
    is(r.x >= 0 and r.x + r.width <= 640, true)
    is(r.y >= 50 and r.y + r.height <= 480, true)
  end
end)

test("a request has one form, and names what it means", function()
  is(layout.form { full = "a" }[1], "full")
  is(layout.form { left = "a", right = "b" }[2], "right")
  is(layout.form { top = "a", bottom = "b" }[1], "top")
  is(layout.form { window = "a" }[1], "window")
  is(select(2, layout.form {}),
    "say one of full, left and right, top and bottom, window")
  is(select(2, layout.form { full = "a", window = "b" }),
    "'full' and 'window' cannot be wanted together")
  is(select(2, layout.form { left = "a" }), "'right' must name a surface")
  is(select(2, layout.form { full = 7 }), "'full' must name a surface")
  is(select(2, layout.form { left = "a", right = "a" }),
    "'a' cannot be in both halves")
end)

tap.done()
