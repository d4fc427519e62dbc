-- The domain "status": draws the bar at the top of the screen from what
-- policies/status.lua says, once a second and when something happens, and only
-- what has changed. A policy that fails leaves a plain bar that says why.

local core = require "display_core"
local display = require "display"
local domain = require "domain"
local event = require "event"
local sys = require "sys"

-- Another policy can be tried without another image.
local POLICY = sys.cmdline "status.policy" or "/boot/policies/status.lua"
local BAR, PADDING = "statusbar", 6
local COLOUR = {
  ground = 0xff1b222c, edge = 0xff303a47, text = 0xffd5dbe3, dim = 0xff808b99,
  accent = 0xfff2c062, warn = 0xffe0676e, good = 0xff8cc379,
}

local width = core.screen()
if not width then
  return -- a machine without a screen has no bar
end
local font = core.font()
local height = font + 2 * PADDING
local bar = assert(core.create(BAR, width, height))

local policy, problem
local function load_policy()
  local chunk, message = loadfile(POLICY, "t")
  if not chunk then
    policy, problem = nil, message
    return
  end
  local ok, result = pcall(chunk)
  if ok and type(result) == "function" then
    policy, problem = result, nil
  else
    policy = nil
    problem = ok and POLICY .. " returns no function" or tostring(result)
  end
end

-- Room for the terminal and for windows below the bar.
local function make_room()
  bar:set { shown = true, x = 0, y = 0, width = width, height = height,
    z = display.z.bar, scaling = "none", passive = true }
  local area = display.area()
  local terminal = core.find "terminal"
  if terminal then
    terminal:set { x = area.x, y = area.y, width = area.width,
      height = area.height, scaling = "none" }
  end
  core.window_area(area.x, area.y, area.width, area.height)
end

-- An item is a text, or { text =, colour = name, bold = }.
local function item_of(item)
  if type(item) ~= "table" then
    item = { text = tostring(item) }
  end
  return tostring(item.text or ""):gsub("%c", " "),
    COLOUR[item.colour] or COLOUR.text, item.bold and true or false
end

local GAP = 20

local function width_of(items)
  local sum = 0
  for i, item in ipairs(items) do
    sum = sum + core.text_width((item_of(item)), font) + (i > 1 and GAP or 0)
  end
  return sum
end

-- Text that has no room loses its end, and shows it.
local function shortened(text, room)
  if core.text_width(text, font) <= room then
    return text
  end
  local _, last = text:gsub("[^\128-\191]", "") -- characters
  repeat
    last = last - 1
  until last <= 0 or core.text_width(
      text:sub(1, utf8.offset(text, last + 1) - 1) .. "…", font) <= room
  return last > 0 and text:sub(1, utf8.offset(text, last + 1) - 1) .. "…" or ""
end

local function draw_items(items, x, limit)
  for _, item in ipairs(items) do
    local text, colour, bold = item_of(item)
    local room = limit - x
    if room < font then
      return
    end
    text = shortened(text, room)
    x = x + bar:text(x, PADDING, text, colour, font, bold, room) + GAP
  end
end

local function draw(content)
  bar:fill(0, 0, width, height, COLOUR.ground)
  bar:fill(0, height - 1, width, 1, COLOUR.edge)
  local right = width_of(content.right)
  local centre = width_of(content.centre)
  local middle = (width - centre) // 2
  draw_items(content.left, 12,
    centre > 0 and middle - GAP or width - right - 24)
  draw_items(content.centre, middle, width - right - 24)
  draw_items(content.right, width - right - 12, width)
  bar:present()
end

local function list(value)
  return type(value) == "table" and value or {}
end

local function plain(reason)
  return { left = { { text = "RayOS", colour = "accent", bold = true },
    { text = "status bar: " .. reason, colour = "warn" } },
    centre = {}, right = {} }
end

local function content_of()
  if not policy then
    return plain(problem)
  end
  local ok, result = pcall(policy)
  if not ok then
    return plain(tostring(result))
  elseif type(result) ~= "table" then
    return plain(POLICY .. " gives no table")
  end
  return { left = list(result.left), centre = list(result.centre),
    right = list(result.right) }
end

-- What would be drawn, as one text: to see whether anything changed.
local function signature(content)
  local parts = {}
  for _, side in ipairs { "left", "centre", "right" } do
    for _, item in ipairs(content[side]) do
      local text, colour = item_of(item)
      parts[#parts + 1] = side .. colour .. text
    end
  end
  return table.concat(parts, "\0")
end

local drawn
local function refresh()
  local content = content_of()
  local now = signature(content)
  if now ~= drawn then
    drawn = now
    draw(content)
  end
end

-- A rule has something to say to a person: so it is shown.
local function forward(e)
  local notices = domain.find "notices"
  if notices then
    notices:send { title = "Reflex", text = e.text, level = "warning" }
  end
end

load_policy()
make_room()
local events <close> = assert(event.subscribe { "notice", "window" })
while true do
  refresh()
  -- At the second, so that the clock changes when it should.
  local now = sys.time and sys.time() or os.time()
  local e = events:read(1 - now % 1)
  while e do
    if e.type == "notice" then
      forward(e)
    end
    e = events:read(0)
  end
end
