-- Values for a person: readable, coloured, and bounded, whatever the value is.
-- Tables are read raw, so that no metamethod runs except __tostring, and that
-- one protected; nothing is counted or sorted beyond a bound; no byte of a
-- string can drive the terminal.

local byte, find, format, gsub = string.byte, string.find, string.format, string.gsub
local rep, sub = string.rep, string.sub
local concat, sort = table.concat, table.sort
local rawget, rawlen, next, type = rawget, rawlen, next, type
local pcall, tostring, setmetatable = pcall, tostring, setmetatable
local math_type = math.type
local getmetatable = debug and debug.getmetatable or getmetatable
local getinfo = debug and debug.getinfo
local paint = require "palette".paint
local width = require "width"
local is_keyword = require "lexer".keywords

local pretty = {}

local MAX_DEPTH = 6
local MAX_SCALARS = 100 -- elements of an array shown, when they flow in lines
local MAX_LINES = 40 -- elements of a table shown, one a line
local MAX_TOTAL = 200 -- lines of one value
local MAX_KEYS = 1000 -- keys collected and sorted
local MAX_COUNT = 20000 -- keys counted to say how many more there are
local MAX_INSIDE = 300 -- bytes of a string inside a table
local MAX_STRING = 16384 -- bytes of a string by itself
local MAX_OBJECT = 200 -- bytes of what __tostring gives

-- Strings ------------------------------------------------------------------

local ESCAPES = {
  [7] = "\\a", [8] = "\\b", [9] = "\\t", [10] = "\\n", [11] = "\\v",
  [12] = "\\f", [13] = "\\r", [34] = '\\"', [92] = "\\\\",
}

-- One byte as an escape; three digits when a digit follows.
local function escape(c, following)
  return ESCAPES[c] or format(following and find(following, "^%d")
    and "\\%03d" or "\\%d", c)
end

-- Well-formed UTF-8 stays, other bytes beyond ASCII become escapes; so do C1
-- controls and what turns the direction of writing.
local function escape_high(text)
  local out, i = {}, 1
  while i <= #text do
    local code, last = width.decode(text, i)
    local shown = code and (code < 0x80 or code >= 0xa0)
      and not (code >= 0x202a and code <= 0x202e)
      and not (code >= 0x2066 and code <= 0x2069)
    if shown then
      out[#out + 1] = sub(text, i, last)
    else
      out[#out + 1] = (gsub(sub(text, i, last), ".", function(c)
        return format("\\x%02x", byte(c))
      end))
    end
    i = last + 1
  end
  return concat(out)
end

---A text in which nothing can drive the terminal. `keep` is a pattern class of
---control characters that stay as they are.
---@param text string
---@param keep? string
---@return string
function pretty.safe(text, keep)
  if find(text, "[\0-\31\127]") then
    local pattern = keep and "()([^%C" .. keep .. "])" or "()(%c)"
    text = gsub(text, pattern, function(at, c)
      return escape(byte(c), sub(text, at + 1, at + 1))
    end)
  end
  return find(text, "[\x80-\xff]") and escape_high(text) or text
end

-- Cut on the border of a character.
local function cut(text, limit)
  while limit > 0 and (byte(text, limit + 1) or 0) & 0xc0 == 0x80 do
    limit = limit - 1
  end
  return sub(text, 1, limit)
end

local function quoted(text)
  local shown = #text > MAX_INSIDE and cut(text, MAX_INSIDE) or text
  local escaped = gsub(shown, '[%c"\\]', "%0")
  if find(shown, '[%c"\\]') then
    escaped = gsub(shown, '()([%c"\\])', function(at, c)
      return escape(byte(c), sub(shown, at + 1, at + 1))
    end)
  end
  if find(escaped, "[\x80-\xff]") then
    escaped = escape_high(escaped)
  end
  if #shown < #text then
    return format('"%s" ... %d more bytes', escaped, #text - #shown)
  end
  return '"' .. escaped .. '"'
end

-- Leaves -------------------------------------------------------------------

---A number as Lua's own tostring writes it, but -nan and nan alike.
---@param n number
---@return string
function pretty.number(n)
  if math_type(n) == "integer" then
    return format("%d", n)
  elseif n ~= n then
    return "nan"
  elseif n == math.huge or n == -math.huge then
    return n > 0 and "inf" or "-inf"
  end
  local text = format("%.14g", n)
  return find(text, "^-?%d+$") and text .. ".0" or text
end

-- tostring() may run a metamethod that fails; that is shown, not thrown.
local function object_text(value)
  local ok, text = pcall(tostring, value)
  if not ok then
    local reason = type(text) == "string" and pretty.safe(text) or type(text)
    return format("<error in __tostring: %s>", cut(reason, MAX_OBJECT)), "error"
  end
  if #text > MAX_OBJECT then
    text = cut(text, MAX_OBJECT) .. "..."
  end
  return pretty.safe(text), "object"
end

local function function_text(f, name)
  name = type(name) == "string" and cut(name, 60)
  local info = getinfo and getinfo(f, "S")
  if not info then
    return pretty.safe("function: " .. (name or "?"))
  end
  local place = info.what == "C" and "C"
    or format("%s:%d", info.short_src, info.linedefined)
  return pretty.safe(format("function: %s(%s)", name and name .. " " or "",
    place))
end

local function leaf(value, name)
  local kind = type(value)
  if kind == "string" then
    return quoted(value), "string"
  elseif kind == "number" then
    return pretty.number(value), "number"
  elseif kind == "boolean" or kind == "nil" then
    return tostring(value), "constant"
  elseif kind == "function" then
    return function_text(value, name), "func"
  elseif kind == "thread" then
    return format("%s (%s)", tostring(value), coroutine.status(value)), "object"
  end
  return object_text(value)
end

local function is_identifier(text)
  return #text <= 60 and find(text, "^[%a_][%w_]*$") and not is_keyword[text]
end

local function key_text(key)
  if type(key) == "string" then
    return is_identifier(key) and key or "[" .. quoted(key) .. "]"
  elseif type(key) == "table" then
    return "[table]"
  end
  return "[" .. leaf(key) .. "]"
end

-- Tables -------------------------------------------------------------------

local function metafield(value, field)
  local meta = getmetatable(value)
  return type(meta) == "table" and rawget(meta, field) or nil
end

-- A table that is shown as what its __tostring gives.
local function is_object(value)
  return type(value) ~= "table" or metafield(value, "__tostring") ~= nil
end

local RANK = { number = 1, string = 2, boolean = 3 }

local function key_less(a, b)
  local ta, tb = type(a), type(b)
  local ra, rb = RANK[ta] or 4, RANK[tb] or 4
  if ra ~= rb then
    return ra < rb
  end
  return ra <= 2 and a < b
end

-- The keys beyond the array part, sorted, and how many there are; the count is
-- a lower bound when the last result is true, because `limit` was reached.
local function other_keys(value, length, limit)
  local list, count = {}, 0
  for key in next, value do
    local in_array = math_type(key) == "integer" and key >= 1 and key <= length
    if not in_array then
      count = count + 1
      if count <= MAX_KEYS then
        list[count] = key
      end
    end
    if count >= limit then
      return list, count, true
    end
  end
  sort(list, key_less)
  return list, count, false
end

-- `#` of a table with holes may be huge; the array is what is there from 1.
local function array_length(value)
  local length = rawlen(value)
  local most = length < MAX_COUNT and length or MAX_COUNT
  for i = 1, most do
    if rawget(value, i) == nil then
      return i - 1
    end
  end
  return length
end

local function more_text(count, at_least)
  return format("... %s%d more", at_least and "at least " or "", count)
end

---@class shell.printer
---@field lines string[] done
---@field columns integer
---@field path table<table, boolean> the tables around what is printed now
local printer = {}
printer.__index = printer

function printer:colour(style, text)
  return self.plain and text or paint(style, text)
end

-- The table's own name, if its metatable has one.
local function class_prefix(value)
  local name = metafield(value, "__name")
  return type(name) == "string" and pretty.safe(cut(name, 60)) .. " " or ""
end

-- A value in at most `room` columns on one line; nil if it does not fit. Gives
-- up as soon as that is known.
function printer:inline(value, room, depth, name)
  if is_object(value) then
    local text, style = leaf(value, name)
    local columns = width.text(text)
    if columns > room then
      return nil
    end
    return self:colour(style, text), columns
  elseif self.path[value] then
    return self:colour("dim", "<cycle>"), 7
  end
  local prefix = class_prefix(value)
  if next(value) == nil then
    return prefix .. "{}", #prefix + 2
  elseif depth > MAX_DEPTH then
    return prefix .. "{ ... }", #prefix + 7
  end
  self.path[value] = true
  local text, columns = self:inline_table(value, room - width.text(prefix), depth)
  self.path[value] = nil
  if text then
    return prefix .. text, columns + width.text(prefix)
  end
  return nil
end

function printer:inline_table(value, room, depth)
  -- An element takes three columns at least.
  local most = room // 3 + 1
  if rawlen(value) > most then
    return nil
  end
  local length = array_length(value)
  local keys, count = other_keys(value, length, most + 1)
  if length + count > most then
    return nil
  end
  local parts, used = {}, 4
  local function add(key, item)
    local label = key and key_text(key) .. " = " or ""
    local left = room - used - width.text(label)
    local text, columns = self:inline(item, left, depth + 1, key)
    if text then
      parts[#parts + 1] = (key and self:colour("key", label) or "") .. text
      used = used + width.text(label) + columns + (#parts > 1 and 2 or 0)
    end
    return text and used <= room
  end
  for i = 1, length do
    if not add(nil, rawget(value, i)) then
      return nil
    end
  end
  for i = 1, count do
    if not add(keys[i], rawget(value, keys[i])) then
      return nil
    end
  end
  return "{ " .. concat(parts, ", ") .. " }", used
end

function printer:line(indent, text)
  local lines = self.lines
  if #lines < MAX_TOTAL then
    lines[#lines + 1] = rep(" ", indent) .. text
  elseif #lines == MAX_TOTAL then
    lines[#lines + 1] = self:colour("dim", "... (too long to show in full)")
  end
end

function printer:full()
  return #self.lines > MAX_TOTAL
end

-- Short elements of an array flow in lines. Returns how many were put.
function printer:flow(value, from, length, indent)
  local room, parts, used = self.columns - indent, {}, 0
  local i = from
  while i <= length and i <= MAX_SCALARS do
    local item = rawget(value, i)
    if type(item) == "table" or self:full() then
      break
    end
    local text, columns = self:inline(item, room - 2, 1)
    if not text then
      break
    end
    if used + columns + 2 > room then
      self:line(indent, concat(parts, " "))
      parts, used = {}, 0
    end
    parts[#parts + 1] = text .. ","
    used = used + columns + 2
    i = i + 1
  end
  if #parts > 0 then
    self:line(indent, concat(parts, " "))
  end
  return i - from
end

-- One element: on one line if it fits, else over several.
function printer:element(label, plain_label, value, indent, depth, name)
  local room = self.columns - indent - width.text(plain_label) - 1
  local text = self:inline(value, room, depth, name)
  if text then
    self:line(indent, label .. text .. ",")
  elseif is_object(value) then
    local long, style = leaf(value, name)
    self:line(indent, label .. self:colour(style, long) .. ",")
  else
    self:block(label, value, indent, depth, ",")
  end
end

function printer:array(value, length, indent, depth)
  local i, lines = 1, 0
  while i <= length and i <= MAX_SCALARS and lines < MAX_LINES
      and not self:full() do
    local flowed = self:flow(value, i, length, indent)
    if flowed == 0 then
      self:element("", "", rawget(value, i), indent, depth)
      flowed = 1
    end
    i, lines = i + flowed, lines + 1
  end
  if i <= length then
    self:line(indent, self:colour("dim", more_text(length - i + 1)))
  end
end

function printer:fields(value, keys, count, at_least, indent, depth)
  local shown = 0
  for i = 1, #keys do
    if i > MAX_LINES or self:full() then
      break
    end
    local key = keys[i]
    local label = key_text(key) .. " = "
    self:element(self:colour("key", label), label, rawget(value, key), indent,
      depth, key)
    shown = i
  end
  if shown < count then
    self:line(indent, self:colour("dim", more_text(count - shown, at_least)))
  end
end

-- A table over several lines, what is in it indented.
function printer:block(label, value, indent, depth, tail)
  if depth > MAX_DEPTH then
    self:line(indent, label .. "{ ... }" .. tail)
    return
  end
  self.path[value] = true
  self:line(indent, label .. class_prefix(value) .. "{")
  local length = array_length(value)
  self:array(value, length, indent + 2, depth + 1)
  local keys, count, at_least = other_keys(value, length, MAX_COUNT)
  self:fields(value, keys, count, at_least, indent + 2, depth + 1)
  self:line(indent, "}" .. tail)
  self.path[value] = nil
end

-- Entry points -------------------------------------------------------------

-- A string by itself stands as it is, with its own lines, but harmless.
local function whole_string(text, self, style)
  local shown = #text > MAX_STRING and cut(text, MAX_STRING) or text
  local safe = pretty.safe(shown, "\n\t")
  local out = {}
  for line in string.gmatch(safe, "[^\n]*") do
    out[#out + 1] = self:colour(style, line)
  end
  if #shown < #text then
    out[#out + 1] = self:colour("dim",
      format("... %d more bytes", #text - #shown))
  end
  return concat(out, "\n")
end

-- An object by itself may have something to say in several lines.
local function whole_object(value, self)
  local ok, text = pcall(tostring, value)
  if ok and find(text, "\n", 1, true) then
    return whole_string(text, self, "plain")
  end
  local shown, style = object_text(value)
  return self:colour(style, shown)
end

---@class shell.pretty.options
---@field columns? integer
---@field plain? boolean no colours
---@field name? fun(f: function): string? what a function is called

---A value as one or more lines, without a newline at the end.
---@param value any
---@param options? shell.pretty.options
---@return string
function pretty.format(value, options)
  options = options or {}
  local self = setmetatable({
    lines = {}, columns = options.columns or 80, plain = options.plain, path = {},
  }, printer)
  if type(value) == "string" then
    return whole_string(value, self, "string")
  elseif type(value) == "table" and is_object(value)
      or type(value) == "userdata" then
    return whole_object(value, self)
  elseif is_object(value) then
    local name = type(value) == "function" and options.name
      and options.name(value) or nil
    local text, style = leaf(value, name)
    return self:colour(style, text)
  end
  local grid = require "grid"
  if grid.fits(value) then
    return grid.format(value, self.columns, self.plain)
  end
  local text = self:inline(value, self.columns, 1)
  if text then
    return text
  end
  self:block("", value, 0, 1, "")
  return concat(self.lines, "\n")
end

---Several values: on one line, strings quoted, if they fit; else one below the
---other.
---@param values table as from table.pack
---@param options? shell.pretty.options
---@return string
function pretty.format_all(values, options)
  options = options or {}
  if values.n == 1 then
    return pretty.format(values[1], options)
  end
  local columns = options.columns or 80
  local self = setmetatable({
    columns = columns, plain = options.plain, path = {},
  }, printer)
  local parts, used = {}, -2
  for i = 1, values.n do
    local text, wide = self:inline(values[i], columns, MAX_DEPTH - 1)
    used = used + 2 + (wide or columns + 1)
    if used > columns then
      break
    end
    parts[i] = text
  end
  if #parts == values.n then
    return concat(parts, ", ")
  end
  parts = {}
  for i = 1, values.n < MAX_LINES and values.n or MAX_LINES do
    parts[i] = pretty.format(values[i], options)
  end
  if values.n > MAX_LINES then
    parts[#parts + 1] = self:colour("dim", more_text(values.n - MAX_LINES))
  end
  return concat(parts, "\n")
end

---A short form on one line, for a cell of a table.
---@param value any
---@param room integer columns
---@return string text plain
---@return string style
function pretty.cell(value, room)
  if type(value) == "string" then
    local text = pretty.safe(#value > 4 * room and cut(value, 4 * room) or value)
    return text, "plain"
  elseif is_object(value) then
    return leaf(value)
  end
  local self = setmetatable({
    columns = room, plain = true, path = {},
  }, printer)
  return self:inline(value, room, MAX_DEPTH - 1) or "{ ... }", "plain"
end

pretty.is_object = is_object

return pretty
