-- An array of records that are alike, as a table with a header: one row each,
-- numbers to the right, what is too wide cut.

local rep, gsub = string.rep, string.gsub
local concat, sort = table.concat, table.sort
local rawget, rawlen, next, type = rawget, rawlen, next, type
local max, min, format = math.max, math.min, string.format
local getmetatable = debug and debug.getmetatable or getmetatable
local pretty = require "pretty"
local paint = require "palette".paint
local width = require "width"

local grid = {}

local MAX_COLUMNS = 12
local MAX_ROWS = 50
local MAX_LENGTH = 10000
local MAX_CELL = 48
local MIN_CELL = 6
local GAP = 2

-- What identifies a record comes first.
local FIRST = { id = 1, pid = 2, index = 3, time = 4, name = 5 }

local function by_rank(a, b)
  local ra, rb = FIRST[a] or 9, FIRST[b] or 9
  if ra ~= rb then
    return ra < rb
  end
  return a < b
end

-- Adds a record's keys to `seen`; false if it is not a plain record.
local function add_keys(record, seen)
  if type(record) ~= "table" or getmetatable(record) ~= nil
      or next(record) == nil then
    return false
  end
  for key in next, record do
    if type(key) ~= "string" or #key > 24 or pretty.safe(key) ~= key then
      return false
    end
    if not seen[key] then
      seen.n = seen.n + 1
      if seen.n > MAX_COLUMNS then
        return false
      end
    end
    seen[key] = (seen[key] or 0) + 1
  end
  return true
end

-- Nothing but elements from 1 to `length`. Gives up on what is so long that a
-- person will not look at it as a table.
local function is_array(value, length)
  local count = 0
  for key in next, value do
    count = count + 1
    if type(key) ~= "number" or key < 1 or key > length or count > MAX_LENGTH then
      return false
    end
  end
  return count == length
end

-- The names of the columns, or nil when the value is something else. Half of
-- the records at least must have a field that becomes a column.
local function columns_of(value)
  local length = rawlen(value)
  if length < 2 or type(rawget(value, 1)) ~= "table"
      or not is_array(value, length) then
    return nil
  end
  local seen, rows = { n = 0 }, min(length, MAX_ROWS)
  for i = 1, rows do
    if not add_keys(rawget(value, i), seen) then
      return nil
    end
  end
  seen.n = nil
  local names = {}
  for key, count in next, seen do
    if 2 * count < rows then
      return nil
    end
    names[#names + 1] = key
  end
  sort(names, by_rank)
  return #names >= 2 and names or nil
end

-- A table is for looking: microseconds will do, and points stand below points.
local function cell_of(item)
  if math.type(item) == "float" and math.abs(item) < 1e9
      and (item == 0 or math.abs(item) >= 1e-6) then
    return format("%.6f", item), "number"
  end
  return pretty.cell(item, MAX_CELL)
end

local function cells_of(value, names)
  local rows, widths, numeric = {}, {}, {}
  for c, name in ipairs(names) do
    widths[c], numeric[c] = width.text(name), true
  end
  for r = 1, min(rawlen(value), MAX_ROWS) do
    local row = {}
    for c, name in ipairs(names) do
      local item = rawget(rawget(value, r), name)
      local text, style = "", "plain"
      if item ~= nil then
        text, style = cell_of(item)
        numeric[c] = numeric[c] and type(item) == "number"
      end
      row[c] = { text = text, style = style }
      widths[c] = max(widths[c], min(width.text(text), MAX_CELL))
    end
    rows[r] = row
  end
  return rows, widths, numeric
end

-- Narrow the widest column until all fit; nil when they cannot.
local function shrink(widths, room)
  local total = GAP * (#widths - 1)
  for _, w in ipairs(widths) do
    total = total + w
  end
  while total > room do
    local widest = 1
    for c, w in ipairs(widths) do
      widest = w > widths[widest] and c or widest
    end
    if widths[widest] <= MIN_CELL then
      return nil
    end
    widths[widest] = widths[widest] - 1
    total = total - 1
  end
  return widths
end

local function padded(text, style, columns, right, plain)
  local shown, used = text, width.text(text)
  if used > columns then
    shown, used = width.clip(text, columns - 1)
    shown, used = shown .. "~", used + 1
  end
  local blanks = rep(" ", columns - used)
  shown = plain and shown or paint(style, shown)
  return right and blanks .. shown or shown .. blanks
end

local function line_of(cells, widths, numeric, plain)
  local parts = {}
  for c, cell in ipairs(cells) do
    local last = c == #cells and not numeric[c]
    parts[c] = padded(cell.text, cell.style,
      last and min(width.text(cell.text), widths[c]) or widths[c],
      numeric[c], plain)
  end
  return (gsub(concat(parts, rep(" ", GAP)), " +$", ""))
end

---Whether a value is an array of records that are alike.
---@param value table
---@return boolean
function grid.fits(value)
  return getmetatable(value) == nil and columns_of(value) ~= nil
end

---@param value table one for which grid.fits() is true
---@param columns integer of the terminal
---@param plain? boolean no colours
---@return string
function grid.format(value, columns, plain)
  local names = columns_of(value)
  local rows, widths, numeric = cells_of(value, names)
  if not shrink(widths, columns) then
    for c, w in ipairs(widths) do
      widths[c] = min(w, MIN_CELL)
    end
  end
  local header = {}
  for c, name in ipairs(names) do
    header[c] = { text = name, style = "heading" }
  end
  local lines = { line_of(header, widths, numeric, plain) }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = line_of(row, widths, numeric, plain)
  end
  if rawlen(value) > #rows then
    local more = format("... %d more", rawlen(value) - #rows)
    lines[#lines + 1] = plain and more or paint("dim", more)
  end
  return concat(lines, "\n")
end

return grid
