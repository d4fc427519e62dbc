-- Incremental search through the history (Ctrl-R): the entry that is found
-- stands in the line, what is searched for in a row below it.

local sub, setmetatable = string.sub, setmetatable
local width_previous = require "width".previous
local layout = require "layout"

local search = {}

---@class shell.search
---@field query string
---@field index? integer the entry that is shown
---@field first? integer where the query stands in it
---@field last? integer
---@field failing boolean the query, as it is now, stands nowhere
local methods = {}
methods.__index = methods

---@param history shell.history
---@param text string the line before the search, and its cursor
---@param at integer
---@return shell.search
function search.new(history, text, at)
  return setmetatable({
    history = history, query = "", failing = false,
    saved_text = text, saved_at = at,
  }, methods)
end

function methods:find(from, step)
  if self.query == "" then
    return
  end
  local index, first, last = self.history:search(self.query, from, step)
  self.failing = index == nil
  if index then
    self.index, self.first, self.last = index, first, last
  end
end

-- A step must bring something else than what is shown.
function methods:step(step)
  if self.query == "" then
    return
  end
  local shown = self.index and self.history.entries[self.index]
  local from = self.index and self.index + step or #self.history.entries
  while true do
    self:find(from, step)
    if self.failing or self.history.entries[self.index] ~= shown then
      return
    end
    from = self.index + step
  end
end

---@param text string
function methods:type(text)
  self.query = self.query .. text
  self:find(self.index or #self.history.entries, -1)
end

function methods:backspace()
  local stop = width_previous(self.query, #self.query + 1) - 1
  self.query = sub(self.query, 1, stop)
  self.index, self.first, self.failing = nil, nil, false
  self:find(#self.history.entries, -1)
end

---The line as it stands now, and where its cursor goes if it is taken.
---@return string text
---@return integer at
function methods:shown()
  if self.index then
    return self.history.entries[self.index], self.first
  end
  return self.saved_text, self.saved_at
end

---@return table<integer, string>? # the found text, marked for layout
function methods:marks()
  if not self.first then
    return nil
  end
  local marks = {}
  for i = self.first, self.last do
    marks[i] = "selected"
  end
  return marks
end

---The row below the line; the cursor belongs behind its end.
---@param columns integer
---@return shell.row
function methods:row(columns)
  local row = layout.row()
  layout.write(row, self.failing and "search (nothing found): " or "search: ",
    self.failing and "error" or "dim", columns - 1)
  layout.write(row, self.query, "plain", columns - 1)
  return row
end

return search
