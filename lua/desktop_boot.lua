-- What a person sees of a desktop that has no picture yet: how long it has been
-- starting, and what its console says. For the domain "desktop".

local core = require "display_core"
local display = require "display"
local sys = require "sys"

local boot = {}

local WIDTH, HEIGHT, PADDING = 760, 300, 20
local COLOUR = {
  ground = 0xff131a24, edge = 0xff303a47, text = 0xffaab4c0, title = 0xfff4f7fa,
}
local shown = {} -- by name: surface, since when it starts, what is drawn

-- The last lines of a console that fit, without what moves a cursor.
local function last_lines(text, count)
  local lines = {}
  text = text:gsub("\27%[[%d;?]*%a", ""):gsub("[^\n\32-\126]", "")
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return table.move(lines, math.max(1, #lines - count + 1), #lines, 1, {})
end

local function draw(surface, title, lines, font)
  surface:fill(0, 0, WIDTH, HEIGHT, 0)
  surface:rounded(0, 0, WIDTH, HEIGHT, 10, COLOUR.edge)
  surface:rounded(1, 1, WIDTH - 2, HEIGHT - 2, 9, COLOUR.ground)
  local y, room = PADDING, WIDTH - 2 * PADDING
  surface:text(PADDING, y, title, COLOUR.title, font, true, room)
  y = y + 2 * font
  for _, line in ipairs(lines) do
    surface:text(PADDING, y, line, COLOUR.text, font, false, room)
    y = y + font + 4
  end
  surface:present()
end

-- In the middle of the desktop's own place.
local function put(surface, view)
  surface:set {
    shown = true, x = view.x + (view.view_width - WIDTH) // 2,
    y = view.y + (view.view_height - HEIGHT) // 2, width = WIDTH,
    height = HEIGHT, z = view.z + 1, scaling = "none", blend = true,
    passive = true,
  }
end

---Take it away, if it is there.
---@param name string
function boot.hide(name)
  local mine = shown[name]
  shown[name] = nil
  if mine then
    mine.surface:close()
  end
end

local function open(name)
  local surface = display.create(name .. " starts", WIDTH, HEIGHT)
  if surface then
    shown[name] = { surface = surface, since = sys.uptime() }
  end
  return shown[name]
end

---Show how a desktop starts, as long as it has no picture and is on the screen.
---@param name string
---@param guest table? the VM
---@return boolean shown
function boot.update(name, guest)
  local state = guest and guest:state()
  local starts = state == "starting" or state == "running"
  local picture, surface = starts and guest:display(), display.get(name)
  local view = surface and surface:info()
  if not starts or not picture or picture.active or not view
      or not view.shown or view.view_height < HEIGHT
      or view.view_width < WIDTH then
    boot.hide(name)
    return false
  end
  local mine = shown[name] or open(name)
  if not mine then
    return false
  end
  local font = core.font()
  local room = (HEIGHT - 2 * PADDING - 2 * font) // (font + 4)
  draw(mine.surface, ("%s starts: %d s"):format(name,
    (sys.uptime() - mine.since) // 1 | 0), last_lines(guest:console():history(), room),
    font)
  put(mine.surface, view)
  return true
end

return boot
