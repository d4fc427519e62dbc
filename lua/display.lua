-- Module display: what is shown where. Over `display_core` (surfaces, windows,
-- drawing); a surface belongs to the domain that has made it and ends with it.

local core = require "display_core"
local layout = require "display_layout"

local display = {}

local TERMINAL = "terminal"
local BAR = "statusbar"
-- The order of what lies over each other.
local Z = { terminal = 0, surface = 10, window = 20, bar = 100, notice = 200 }
display.z = Z

local function find(name, level)
  if type(name) ~= "string" then
    error("a surface is named by a string, not a " .. type(name), level + 1)
  end
  local surface = core.find(name)
  if not surface then
    return nil, ("there is no surface '%s'"):format(name), "ENOENT"
  end
  return surface
end

---Width and height of the screen in pixels.
---@return integer? width, integer|string height, string? code
function display.size()
  return core.screen()
end

---Draw a surface of one's own.
---@param name string
---@param width integer
---@param height integer
---@return surface? surface, string? message, string? code
function display.create(name, width, height)
  return core.create(name, width, height)
end

---A surface by its name.
---@param name string
---@return surface? surface, string? message, string? code
function display.get(name)
  return find(name, 2)
end

local surface_line = {
  __name = "surface info",
  __tostring = function(s)
    return ("%-16s %5dx%-5d %-6s at %d,%d %dx%d z %d"):format(s.name, s.width,
      s.height, s.shown and "shown" or "hidden", s.x, s.y, s.view_width,
      s.view_height, s.z)
  end,
}

---All surfaces, nearest first.
---@return table
function display.surfaces()
  local list = core.surfaces()
  for _, info in ipairs(list) do
    setmetatable(info, surface_line)
  end
  return setmetatable(list, {
    __name = "surfaces",
    __tostring = function(l)
      local lines = {}
      for i, info in ipairs(l) do
        lines[i] = tostring(info)
      end
      return table.concat(lines, "\n")
    end,
  })
end

---Wait until all that was drawn before is on the screen.
---@return true? done, string? message, string? code
function display.flush()
  return core.flush()
end

---The part of the screen that is not the status bar's.
---@return display.rectangle? area, string? message, string? code
function display.area()
  local width, height, code = core.screen()
  if not width then
    return nil, height, code
  end
  local bar = core.find(BAR)
  local info = bar and bar:info()
  return layout.workspace(width, height,
    info and info.shown and info.view_height or 0)
end

-- --- showing ---

---Show a surface, nearest of its kind, and give it the keyboard if it takes it.
---@param name string
---@return true? done, string? message, string? code
function display.show(name)
  local surface, message, code = find(name, 2)
  if not surface then
    return nil, message, code
  end
  surface:show()
  surface:raise()
  surface:focus()
  return true
end

local function focus_terminal()
  local terminal = core.find(TERMINAL)
  if terminal then
    terminal:focus()
  end
end

---Take a surface off the screen; its owner is not disturbed.
---@param name string
---@return true? done, string? message, string? code
function display.hide(name)
  local surface, message, code = find(name, 2)
  if not surface then
    return nil, message, code
  end
  surface:hide()
  focus_terminal()
  return true
end

---Show it if it is hidden, else hide it.
---@param name string
---@return true? done, string? message, string? code
function display.toggle(name)
  local surface, message, code = find(name, 2)
  if not surface then
    return nil, message, code
  end
  return (surface:info().shown and display.hide or display.show)(name)
end

-- --- layouts ---

local function place(surface, where, z, scaling)
  surface:unwindow()
  surface:set {
    shown = true, x = where.x, y = where.y, width = where.width,
    height = where.height, z = z, scaling = scaling,
  }
end

local function scaling_of(name, request)
  return name == TERMINAL and "none" or request.scaling or "fit"
end

local function z_of(name)
  return name == TERMINAL and Z.terminal or Z.surface
end

-- Whatever is not wanted in the new layout goes, but bars and notices.
local function hide_others(wanted)
  for _, info in ipairs(core.surfaces()) do
    if info.shown and not wanted[info.name] and info.z < Z.bar
        and info.name ~= TERMINAL then
      core.find(info.name):hide()
    end
  end
end

local function lay_full(area, request, surfaces)
  local surface = surfaces[request.full]
  place(surface, area, z_of(request.full), scaling_of(request.full, request))
  hide_others { [request.full] = true }
end

local function lay_split(area, request, surfaces, form)
  local direction = form[1] == "left" and "horizontal" or "vertical"
  local places = { layout.split(area, direction, request.ratio or 0.5) }
  local wanted = {}
  for i, key in ipairs(form) do
    local name = request[key]
    wanted[name] = true
    place(surfaces[name], places[i], z_of(name), scaling_of(name, request))
  end
  hide_others(wanted)
end

local function lay_window(area, request, surfaces)
  local surface = surfaces[request.window]
  local where = layout.window(area, core.title_height(), request)
  local terminal = core.find(TERMINAL)
  if terminal and request.window ~= TERMINAL then
    place(terminal, area, Z.terminal, "none")
  end
  surface:set { scaling = scaling_of(request.window, request) }
  core.window_area(area.x, area.y, area.width, area.height)
  return surface:window {
    title = request.title or request.window, x = where.x, y = where.y,
    width = where.width, height = where.height, z = Z.window,
    min_width = request.min_width, min_height = request.min_height,
  }
end

local LAY = { full = lay_full, left = lay_split, top = lay_split,
  window = lay_window }

local function check_request(request, level)
  if type(request) == "string" then
    request = { full = request == "full" and TERMINAL or request }
  elseif type(request) ~= "table" then
    error("a layout is a table or a surface's name, not a " .. type(request),
      level + 1)
  end
  local form, problem = layout.form(request)
  if not form then
    error("display.layout: " .. problem, level + 1)
  end
  local ratio = request.ratio
  if ratio ~= nil and not (type(ratio) == "number" and ratio > 0
      and ratio < 1) then
    error("display.layout: 'ratio' is a number between 0 and 1", level + 1)
  end
  return request, form
end

---Arrange the screen: all of it, two halves, or a floating window.
---@param request string|table
---@return true? done, string? message, string? code
function display.layout(request)
  local form
  request, form = check_request(request, 2)
  local area, message, code = display.area()
  if not area then
    return nil, message, code
  end
  local surfaces = {}
  for _, key in ipairs(form) do
    local name = request[key]
    surfaces[name], message, code = find(name, 2)
    if not surfaces[name] then
      return nil, message, code
    end
  end
  local ok
  ok, message, code = LAY[form[1]](area, request, surfaces, form)
  if ok == nil and message then
    return nil, message, code
  end
  surfaces[request[form[1]]]:focus()
  return true
end

-- --- pictures ---

---Save what the screen shows, or a rectangle of it, as PNG.
---@param path string
---@param x integer?
---@param y integer?
---@param width integer?
---@param height integer?
---@return true? done, string? message, string? code
function display.screenshot(path, x, y, width, height)
  local ok, message, code = core.flush()
  if not ok then
    return nil, message, code
  end
  local png
  png, message, code = core.png(x, y, width, height)
  if not png then
    return nil, message, code
  end
  return (require "fs").write(path, png)
end

---Red, green and blue of one pixel of the composed screen, each 0 to 255.
---@param x integer
---@param y integer
---@return integer? red, integer|string green, integer|string blue
function display.pixel(x, y)
  local rgb, message, code = core.pixels(x, y, 1, 1)
  if not rgb then
    return nil, message, code
  end
  return rgb:byte(1, 3)
end

---Colours behind everything, 0xRRGGBB.
---@param top integer
---@param bottom integer?
function display.background(top, bottom)
  core.background(top, bottom or top)
end

---Where the mouse pointer is, and whether it has ever moved.
---@return integer x, integer y, boolean seen
function display.pointer()
  return core.pointer()
end

---What the compositor has done: frames, pixels, busy (seconds).
---@return table
function display.stats()
  return core.stats()
end

-- --- notices ---

---Tell a person something in a corner of the screen.
---@param notice string|table text; or text, title, level, seconds
---@return true? done, string? message, string? code
function display.notify(notice)
  if type(notice) == "string" then
    notice = { text = notice }
  end
  if type(notice) ~= "table" or type(notice.text) ~= "string" then
    error("display.notify: expected a text, or a table with 'text'", 2)
  end
  local service, message, code = (require "domain").find("notices")
  if not service then
    return nil, message, code
  end
  return service:send {
    text = notice.text, title = notice.title, level = notice.level,
    seconds = notice.seconds,
  }
end

-- --- the test surface ---

---A surface whose moving picture is known, drawn by a domain of its own.
---@param options table? name, width, height, fps, hide_after (seconds), frames
---@return domain.handle? drawer, string? message, string? code
function display.test_surface(options)
  options = options or {}
  local name = options.name or "test"
  local drawer, message, code = (require "domain").spawn {
    name = "display:" .. name, file = "/boot/lua/display_test.lua",
    caps = { "display", "log" }, memory = 64 << 20,
    args = { name, options.width or 320, options.height or 200,
      options.fps or 30, options.hide_after or 0, options.frames or 0 },
  }
  if not drawer then
    return nil, message, code
  end
  -- It is there, or it says why not.
  for _ = 1, 500 do
    if core.find(name) then
      return drawer
    end
    local reason = drawer:wait(0.01)
    if reason then
      return nil, reason.message or "the drawer ended", "EIO"
    end
  end
  drawer:kill()
  return nil, "the drawer did not begin", "ETIMEDOUT"
end

return display
