-- The entries of a session, oldest first, and a walk through them. An entry is
-- one string, however many lines it has.

local find, sub, lower = string.find, string.sub, string.lower
local max = math.max
local insert, remove = table.insert, table.remove
local setmetatable = setmetatable

local MAX_ENTRIES = 1000

local history = {}

---@class shell.history
---@field entries string[]
---@field position integer? where the walk is; nil when none is going on
---@field draft string what stood in the line when the walk began
local methods = {}
methods.__index = methods

---@return shell.history
function history.new()
  return setmetatable({ entries = {}, position = nil, draft = "" }, methods)
end

---@param entry string
function methods:add(entry)
  self.position = nil
  local entries = self.entries
  if not find(entry, "%S") or entries[#entries] == entry then
    return
  end
  insert(entries, entry)
  if #entries > MAX_ENTRIES then
    remove(entries, 1)
  end
end

---End the walk: the next one begins at the newest entry.
function methods:stop()
  self.position = nil
end

local function begins_with(entry, text)
  return sub(entry, 1, #text) == text
end

---One step back, to the next older entry that begins with what was typed and
---differs from what is shown.
---@param shown string
---@return string? # nil when there is none
function methods:older(shown)
  if not self.position then
    self.position, self.draft = #self.entries + 1, shown
  end
  for i = self.position - 1, 1, -1 do
    local entry = self.entries[i]
    if entry ~= shown and begins_with(entry, self.draft) then
      self.position = i
      return entry
    end
  end
  return nil
end

---One step forward; past the newest entry comes what was typed.
---@param shown string
---@return string? # nil when no walk is going on
function methods:newer(shown)
  if not self.position then
    return nil
  end
  for i = self.position + 1, #self.entries do
    local entry = self.entries[i]
    if entry ~= shown and begins_with(entry, self.draft) then
      self.position = i
      return entry
    end
  end
  self.position = nil
  return self.draft
end

---Search for a text from entry `from` in steps of `step` (-1 is back in time).
---Capitals count only when the query has some.
---@return integer? index
---@return integer? first where in the entry it was found
---@return integer? last
function methods:search(query, from, step)
  local fold = query == lower(query)
  local stop = step < 0 and 1 or #self.entries
  for i = max(from, step < 0 and 0 or 1), stop, step do
    local entry = fold and lower(self.entries[i]) or self.entries[i]
    local first, last = find(entry, query, 1, true)
    if first then
      return i, first, last
    end
  end
  return nil
end

return history
