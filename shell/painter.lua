-- Brings a frame to the terminal with few bytes: compares it with what is
-- shown, writes what differs, and moves the cursor the shortest way. A character
-- typed at the end of the line costs that character and no more.
--
-- Positions count from the row where the prompt began; nobody needs to know
-- where on the screen that is, so output from before scrolls as it likes.

local concat, rep, format = table.concat, string.rep, string.format
local min, setmetatable = math.min, setmetatable
local palette = require "palette"

local styles, is_sticky = palette.styles, palette.is_sticky

local painter = {}

---@class shell.painter
---@field write fun(bytes: string)
---@field columns integer
---@field rows shell.row[] what is shown
---@field row integer where the terminal's cursor is
---@field column integer `columns` + 1: behind a full row, not yet wrapped
---@field style? string in force at the terminal; nil when not known
local methods = {}
methods.__index = methods

local EMPTY = { n = 0, text = {}, style = {}, soft = false }

---@param write fun(bytes: string)
---@param columns integer
---@return shell.painter
function painter.new(write, columns)
  local p = setmetatable({ write = write, columns = columns, out = {} }, methods)
  p:begin()
  return p
end

---A new line begins at the left edge of the row where the cursor is.
---@param shown? shell.row what stands there already, with the cursor behind it
function methods:begin(shown)
  self.rows = { shown or EMPTY }
  self.row, self.column = 1, shown and shown.n + 1 or 1
  self.style = shown and "plain" or nil
end

function methods:emit(bytes)
  self.out[#self.out + 1] = bytes
end

function methods:flush()
  if #self.out > 0 then
    self.write(concat(self.out))
    self.out = {}
  end
end

function methods:set_style(style)
  local old, sgr = self.style, styles[style]
  if old and styles[old] == sgr then
    self.style = style
    return
  end
  if not old or is_sticky(old) then
    self:emit(sgr == "" and "\27[m" or format("\27[0;%sm", sgr))
  else
    self:emit(format("\27[%sm", sgr))
  end
  self.style = style
end

-- What is erased takes the look of some attributes at some terminals.
function methods:erase(sequence)
  if self.style and is_sticky(self.style) then
    self:set_style("plain")
  end
  self:emit(sequence)
end

-- Movement -----------------------------------------------------------------

local function steps(count, final)
  return count == 1 and "\27[" .. final or format("\27[%d%s", count, final)
end

-- Behind a full row terminals disagree about what a motion does; a carriage
-- return is the same everywhere.
function methods:move_row(row, column)
  if row == self.row then
    return
  end
  if self.column > self.columns then
    self:emit("\r")
    self.column = 1
  end
  if row < self.row then
    self:emit(steps(self.row - row, "A"))
  elseif column == 1 then
    self:emit(rep("\r\n", row - self.row))
    self.column = 1
  else
    self:emit(steps(row - self.row, "B"))
  end
  self.row = row
end

function methods:move(row, column)
  self:move_row(row, column)
  local from = self.column
  if column == from then
    return
  end
  if column == 1 then
    self:emit("\r")
  elseif from > self.columns then
    self:emit(format("\27[%dG", column))
  elseif column < from then
    self:emit(from - column <= 3 and rep("\b", from - column)
      or steps(from - column, "D"))
  else
    self:emit(steps(column - from, "C"))
  end
  self.column = column
end

-- Rows ---------------------------------------------------------------------

-- Blanks look the same in every style that is only a colour.
local function same_cell(a, b, i)
  local text = a.text[i]
  if text ~= b.text[i] then
    return false
  end
  local one, other = a.style[i], b.style[i]
  return one == other
    or text == " " and not is_sticky(one) and not is_sticky(other)
end

-- The first and last column that must be written to turn `old` into `new`.
local function difference(old, new)
  local first, common = 1, min(old.n, new.n)
  while first <= common and same_cell(old, new, first) do
    first = first + 1
  end
  if first > common and new.n <= old.n then
    return new.n + 1, new.n
  end
  while first > 1 and new.text[first] == false do
    first = first - 1
  end
  local last = new.n
  if old.n == new.n then
    while last > first and same_cell(old, new, last) do
      last = last - 1
    end
  end
  while new.text[last + 1] == false do
    last = last + 1
  end
  return first, last
end

-- Writing on behind a full row makes the terminal wrap by itself; it then knows
-- that the two rows are one line when text is selected.
function methods:go_to_write(r, first, soft)
  if first == 1 and soft and self.row == r - 1
      and self.column > self.columns then
    self.row, self.column = r, 1
  else
    self:move(r, first)
  end
end

function methods:write_cells(r, row, first, last)
  self:go_to_write(r, first, row.soft)
  for i = first, last do
    local text, style = row.text[i], row.style[i]
    if text then
      if text ~= " " or is_sticky(style) or not self.style
          or is_sticky(self.style) then
        self:set_style(style)
      end
      self:emit(text)
    end
  end
  self.column = last + 1
end

-- Make row `r`, one below what is shown so far, unless the terminal will do it
-- by wrapping.
function methods:add_row(r, row)
  local wraps = row.soft and row.n > 0 and self.row == r - 1
    and self.column > self.columns
  if not wraps then
    self:move_row(r - 1, self.column)
    self:emit("\r\n")
    self.row, self.column = r, 1
  end
  self.rows[r] = EMPTY
end

function methods:paint_row(r, row)
  if not self.rows[r] then
    self:add_row(r, row)
  end
  local old = self.rows[r]
  local first, last = difference(old, row)
  if first <= last then
    self:write_cells(r, row, first, last)
  end
  if old.n > row.n then
    self:move(r, row.n + 1)
    self:erase("\27[K")
  end
  self.rows[r] = row
end

function methods:drop_rows(count)
  if #self.rows <= count then
    return
  end
  if self.rows[count].n < self.columns then
    self:move(count, self.rows[count].n + 1)
  else
    self:move(count + 1, 1)
  end
  self:erase("\27[J")
  for r = #self.rows, count + 1, -1 do
    self.rows[r] = nil
  end
end

---Show a frame.
---@param frame shell.frame
function methods:paint(frame)
  for r = 1, #frame.rows do
    self:paint_row(r, frame.rows[r])
  end
  self:drop_rows(#frame.rows)
  if self.style and is_sticky(self.style) then
    self:set_style("plain")
  end
  self:move(frame.row, frame.column)
  self:flush()
end

---Show a frame for the last time and go to a fresh row below it.
---@param frame shell.frame
function methods:finish(frame)
  self:paint(frame)
  self:move_row(#self.rows, self.column)
  if self.style ~= "plain" then
    self:set_style("plain")
  end
  self:emit("\r\n")
  self:flush()
end

---Clear the terminal; the next frame begins in its first row.
function methods:clear()
  self:emit(require "terminal".clear)
  self:begin()
end

---The terminal has another width now. What is shown stays when it fits both;
---else it is wiped, as well as can be told where it stands, and painted anew.
---@param columns integer
function methods:resize(columns)
  local widest = 0
  for _, row in ipairs(self.rows) do
    widest = row.n > widest and row.n or widest
  end
  if widest >= min(columns, self.columns) then
    self:move(1, 1)
    self:erase("\27[J")
    self.rows = { EMPTY }
  end
  self.columns = columns
end

return painter
