-- Where things go on the screen: arithmetic of rectangles for module display.
-- Pure; also run by the host's tests.

local layout = {}

-- Between the halves of a split, and the least that a half keeps.
layout.GAP = 2
layout.LEAST = 64

---@class display.rectangle
---@field x integer
---@field y integer
---@field width integer
---@field height integer

local function rectangle(x, y, width, height)
  return { x = x, y = y, width = width, height = height }
end

---The part of the screen below a bar.
function layout.workspace(width, height, bar)
  bar = math.min(bar or 0, height)
  return rectangle(0, bar, width, height - bar)
end

local function divide(length, ratio)
  local room = length - layout.GAP
  local first = math.floor(room * ratio + 0.5)
  local least = math.min(layout.LEAST, room // 2)
  return math.max(least, math.min(first, room - least)), room
end

---Two rectangles of an area, side by side or one above the other.
---@param area display.rectangle
---@param direction string "horizontal": left and right; "vertical": above, below
---@param ratio number the first one's share, between 0 and 1
function layout.split(area, direction, ratio)
  if direction == "horizontal" then
    local first, room = divide(area.width, ratio)
    return rectangle(area.x, area.y, first, area.height),
      rectangle(area.x + first + layout.GAP, area.y, room - first, area.height)
  end
  local first, room = divide(area.height, ratio)
  return rectangle(area.x, area.y, area.width, first),
    rectangle(area.x, area.y + first + layout.GAP, area.width, room - first)
end

---A window's content inside an area: what is not said is two thirds of it, in
---the middle; all of it with its title bar stays inside.
function layout.window(area, title, wanted)
  local width = math.min(wanted.width or area.width * 2 // 3, area.width)
  local height = math.min(wanted.height or area.height * 2 // 3,
    area.height - title)
  width, height = math.max(width, 1), math.max(height, 1)
  local x = wanted.x or area.x + (area.width - width) // 2
  local y = wanted.y or area.y + title + (area.height - title - height) // 2
  x = math.max(area.x, math.min(x, area.x + area.width - width))
  y = math.max(area.y + title, math.min(y, area.y + area.height - height))
  return rectangle(x, y, width, height)
end

local FORMS = {
  { "full" }, { "left", "right" }, { "top", "bottom" }, { "window" },
}

---Which form a request has, and the names in it. An error text when it has
---none, or two.
function layout.form(request)
  local found
  for _, form in ipairs(FORMS) do
    if request[form[1]] ~= nil or form[2] and request[form[2]] ~= nil then
      if found then
        return nil, ("'%s' and '%s' cannot be wanted together"):format(
          found[1], form[1])
      end
      found = form
    end
  end
  if not found then
    return nil, "say one of full, left and right, top and bottom, window"
  end
  for _, name in ipairs(found) do
    if type(request[name]) ~= "string" then
      return nil, ("'%s' must name a surface"):format(name)
    end
  end
  if found[2] and request[found[1]] == request[found[2]] then
    return nil, ("'%s' cannot be in both halves"):format(request[found[1]])
  end
  return found
end

return layout
