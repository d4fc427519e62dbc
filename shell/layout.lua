-- Where every character of the line being edited stands on the terminal: a
-- frame of rows of cells. Pure computation; painter.lua shows frames.
--
-- A row holds per column its text and style; the second column of a wide
-- character holds false. `soft` marks a row that continues the one before it
-- because the terminal's width was reached.

local byte, char, sub, format = string.byte, string.char, string.sub, string.format

local layout = {}

---@class shell.row
---@field n integer columns used
---@field text (string|false)[]
---@field style string[]
---@field soft boolean

---@class shell.frame
---@field rows shell.row[]
---@field row integer the cursor's
---@field column integer the cursor's, from 1

---@return shell.row
function layout.row(soft)
  return { n = 0, text = {}, style = {}, soft = soft or false }
end

local function put(row, text, style, columns)
  local n = row.n + 1
  row.text[n], row.style[n] = text, style
  if columns == 2 then
    n = n + 1
    row.text[n], row.style[n] = false, style
  end
  row.n = n
end

-- What is shown for the character at byte `i`: text, columns, last byte, and a
-- style of its own if it has one.
local function glyph(text, i)
  local c = byte(text, i)
  if c >= 32 and c < 127 then
    local after = byte(text, i + 1)
    if not after or after < 0x80 then
      return char(c), 1, i
    end
  elseif c == 9 then
    return "  ", 2, i
  elseif c < 32 or c == 127 then
    return format("^%c", c ~ 64), 2, i, "control"
  end
  local width = require "width"
  local code = width.decode(text, i)
  local last, columns = width.char(text, i)
  if not code or code >= 0x80 and code < 0xa0 then
    return "?", 1, i, "control"
  elseif columns == 0 then -- a mark with nothing to stand on
    return "\u{25cc}" .. sub(text, i, last), 1, last
  end
  return sub(text, i, last), columns, last
end

---Append `text` to a row as far as it fits in `limit` columns.
---@param row shell.row
---@param limit integer
function layout.write(row, text, style, limit)
  local i = 1
  while i <= #text do
    local shown, columns, last, own = glyph(text, i)
    if row.n + columns > limit then
      return
    end
    put(row, shown, own or style, columns)
    i = last + 1
  end
end

---@class shell.view
---@field text string
---@field at integer the cursor's byte
---@field columns integer of the terminal
---@field prompt string
---@field continuation string for the lines after the first
---@field marks? table<integer, string> styles of single characters, by byte
---@field spans? { n: integer, start: integer[], stop: integer[], style: string[] }

-- Steps through the spans as bytes go by.
local function style_reader(spans, marks)
  local k, n = 1, spans and spans.n or 0
  return function(i)
    if marks and marks[i] then
      return marks[i]
    end
    while k <= n and i > spans.stop[k] do
      k = k + 1
    end
    return k <= n and i >= spans.start[k] and spans.style[k] or "plain"
  end
end

local function add_row(frame, soft)
  local row = layout.row(soft)
  frame.rows[#frame.rows + 1] = row
  return row
end

-- The last row of the frame, or a new one when it has no room for `needed`
-- columns.
local function row_with_room(frame, needed, columns)
  local row = frame.rows[#frame.rows]
  return row.n + needed > columns and add_row(frame, true) or row
end

local function set_cursor(frame)
  frame.row = #frame.rows
  frame.column = frame.rows[frame.row].n + 1
end

---@param view shell.view
---@param final? boolean the line is done: no room for a cursor behind its end
---@return shell.frame
function layout.build(view, final)
  local text, at, columns = view.text, view.at, view.columns
  local frame = { rows = { layout.row() }, row = 1, column = 1 }
  local style_at = style_reader(view.spans, view.marks)

  layout.write(frame.rows[1], view.prompt, "prompt", columns)
  local i = 1
  while i <= #text do
    local newline = byte(text, i) == 10
    local shown, width, last, own = nil, 1, i, nil
    if not newline then
      shown, width, last, own = glyph(text, i)
    end
    if i <= at and at <= last then
      row_with_room(frame, width, columns)
      set_cursor(frame)
    end
    if newline then
      layout.write(add_row(frame, false), view.continuation, "continuation",
        columns)
    else
      put(row_with_room(frame, width, columns), shown, own or style_at(i), width)
    end
    i = last + 1
  end
  if at > #text then
    if not final then
      row_with_room(frame, 1, columns)
    end
    set_cursor(frame)
  end
  return frame
end

---Keep at most `limit` rows, those around the cursor.
---@param frame shell.frame
---@param limit integer
---@param top integer the first row that was kept last time
---@return integer # the first row kept
function layout.crop(frame, limit, top)
  local count = #frame.rows
  if count <= limit then
    return 1
  end
  if frame.row < top then
    top = frame.row
  elseif frame.row >= top + limit then
    top = frame.row - limit + 1
  end
  if top + limit - 1 > count then
    top = count - limit + 1
  end
  local kept = {}
  for r = top, top + limit - 1 do
    kept[#kept + 1] = frame.rows[r]
  end
  frame.rows, frame.row = kept, frame.row - top + 1
  return top
end

return layout
