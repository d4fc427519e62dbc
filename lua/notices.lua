-- The domain "notices": shows what people should know in the upper right corner,
-- newest at the bottom, and takes each away after its time. Messages are tables
-- { text =, title =, level =, seconds = }; events of type `notice`, which
-- reflexes raise, come the same way.

local core = require "display_core"
local display = require "display"
local domain = require "domain"
local sys = require "sys"

local WIDTH, PADDING, MARGIN = 380, 14, 16
local SECONDS, MOST = 6, 5
local COLOUR = {
  ground = 0xf01b222c, edge = 0xff303a47, text = 0xffd5dbe3, title = 0xfff4f7fa,
}
local LEVEL = { info = 0xff66a9e8, warning = 0xfff2c062, error = 0xffe0676e }

local shown, serial = {}, 0

-- Words in lines that fit; a word that is too long is cut by the drawing.
local function wrap(text, width, font)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    local longer = line == "" and word or line .. " " .. word
    if line ~= "" and core.text_width(longer, font) > width then
      lines[#lines + 1], line = line, word
    else
      line = longer
    end
    if #lines == 4 then
      break
    end
  end
  lines[#lines + 1] = line
  return lines
end

local function draw(surface, width, height, notice, lines, font)
  surface:fill(0, 0, width, height, 0)
  surface:rounded(0, 0, width, height, 8, COLOUR.edge)
  surface:rounded(1, 1, width - 2, height - 2, 7, COLOUR.ground)
  surface:rounded(PADDING // 2, PADDING, 4, height - 2 * PADDING, 2,
    LEVEL[notice.level] or LEVEL.info)
  local x, y, room = PADDING + 8, PADDING, width - 2 * PADDING - 8
  if notice.title then
    surface:text(x, y, notice.title, COLOUR.title, font, true, room)
    y = y + font + 6
  end
  for _, line in ipairs(lines) do
    surface:text(x, y, line, COLOUR.text, font, false, room)
    y = y + font + 4
  end
  surface:present()
end

-- From the top down, below the bar.
local function arrange()
  local area = display.area()
  if not area then
    return
  end
  local y = area.y + MARGIN
  for _, notice in ipairs(shown) do
    notice.surface:set {
      shown = true, x = area.x + area.width - notice.width - MARGIN, y = y,
      width = notice.width, height = notice.height, z = display.z.notice,
      scaling = "none", blend = true, passive = true,
    }
    y = y + notice.height + MARGIN // 2
  end
end

local function remove(i)
  local notice = table.remove(shown, i)
  notice.surface:close()
end

local function text_of(value, most)
  return type(value) == "string" and value ~= "" and value:sub(1, most) or nil
end

local function show(message)
  local screen = core.screen()
  local notice = {
    text = text_of(message.text, 400) or "", title = text_of(message.title, 80),
    level = message.level,
  }
  if not screen then
    return
  end
  local font = core.font()
  local scale = font // 16
  local width = math.min(WIDTH * math.max(scale, 1), screen - 2 * MARGIN)
  local lines = wrap(notice.text, width - 2 * PADDING - 8, font)
  local height = 2 * PADDING + #lines * (font + 4) - 4
    + (notice.title and font + 6 or 0)
  serial = serial + 1
  notice.surface = core.create("notice" .. serial, width, height)
  if not notice.surface then
    return
  end
  local seconds = tonumber(message.seconds) or SECONDS
  notice.width, notice.height = width, height
  notice.ends = sys.uptime() + math.max(0.5, math.min(seconds, 3600))
  draw(notice.surface, width, height, notice, lines, font)
  shown[#shown + 1] = notice
  if #shown > MOST then
    remove(1)
  end
  arrange()
end

local function expire()
  local now, gone = sys.uptime(), false
  for i = #shown, 1, -1 do
    if shown[i].ends <= now then
      remove(i)
      gone = true
    end
  end
  if gone then
    arrange()
  end
end

-- How long there is nothing to take away.
local function patience()
  local first = math.huge
  for _, notice in ipairs(shown) do
    first = math.min(first, notice.ends)
  end
  return first < math.huge and math.max(0, first - sys.uptime()) or nil
end

while true do
  local message = domain.receive(patience())
  if type(message) == "table" then
    show(message)
  end
  expire()
end
