-- The list of completions below the line: rows of columns, one page of them
-- when they are many, with the number of those not shown.

local format = string.format
local max, min = math.max, math.min
local layout = require "layout"
local width = require "width"

local menu = {}

local GAP = 2
local MAX_LABEL = 40
local SAMPLE = 2000 -- labels that are measured; more do not fit anyway

---@class shell.completion
---@field text string what replaces the word
---@field label string what the list shows
---@field style string

---@class shell.menu
---@field items shell.completion[]
---@field index? integer the one that is chosen
---@field first? integer the first one of the page that is shown
---@field hint? string a line of text in place of a list

local function label_width(items)
  local widest = 1
  for i = 1, min(#items, SAMPLE) do
    widest = max(widest, width.text(items[i].label))
  end
  return min(widest, MAX_LABEL)
end

-- Where the page begins that holds the chosen item.
local function page_start(list, per_page)
  local index = list.index or 1
  return (index - 1) // per_page * per_page + 1
end

local function page_rows(list, first, last, columns, across, cell)
  local count = last - first + 1
  local down = (count + across - 1) // across
  local rows = {}
  for r = 1, down do
    local row = layout.row()
    for c = 0, across - 1 do
      local i = first + c * down + r - 1
      local item = i <= last and list.items[i]
      if item then
        local left = c * cell
        while row.n < left do
          layout.write(row, " ", "plain", columns)
        end
        local limit = min(columns, left + cell - GAP)
        layout.write(row, item.label,
          i == list.index and "selected" or item.style, limit)
      end
    end
    rows[r] = row
  end
  return rows
end

---@param list shell.menu
---@param columns integer
---@param limit integer rows at most
---@return shell.row[]
function menu.rows(list, columns, limit)
  if limit < 1 then
    return {}
  end
  if list.hint then
    local row = layout.row()
    layout.write(row, list.hint, "dim", columns)
    return { row }
  end
  local items = list.items
  local cell = min(label_width(items) + GAP, columns)
  local across = max(1, (columns + GAP) // cell)
  if #items <= across * limit then
    return page_rows(list, 1, #items, columns, across, cell)
  end
  local per_page = across * max(limit - 1, 1)
  local first = page_start(list, per_page)
  local last = min(#items, first + per_page - 1)
  local rows = page_rows(list, first, last, columns, across, cell)
  if limit > 1 then
    local row = layout.row()
    layout.write(row, format("... %d more", #items - (last - first + 1)),
      "dim", columns)
    rows[#rows + 1] = row
  end
  return rows
end

---@param items shell.completion[] at least one
---@return string # what all of them begin with
function menu.common_prefix(items)
  local prefix = items[1].text
  for i = 2, #items do
    local text, k = items[i].text, 0
    local most = min(#prefix, #text)
    while k < most and prefix:byte(k + 1) == text:byte(k + 1) do
      k = k + 1
    end
    -- never cut a character in two
    while k > 0 and k < #prefix and prefix:byte(k + 1) & 0xc0 == 0x80 do
      k = k - 1
    end
    prefix = prefix:sub(1, k)
  end
  return prefix
end

return menu
