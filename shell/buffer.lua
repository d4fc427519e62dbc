-- The text being edited and the cursor in it: motions, changes, kill ring,
-- undo. Knows lines and characters, but nothing of terminals.

local byte, find, sub, rep = string.byte, string.find, string.sub, string.rep
local match = string.match
local insert, remove = table.insert, table.remove
local setmetatable = setmetatable

local MAX_UNDO = 200
local MAX_KILLS = 20

local buffer = {}

---@class shell.buffer
---@field text string UTF-8, lines separated by "\n"
---@field at integer the byte before which the cursor stands, 1 to #text + 1
local methods = {}
methods.__index = methods

---@return shell.buffer
function buffer.new()
  return setmetatable({
    text = "", at = 1, undone = {}, kills = {}, last = nil,
  }, methods)
end

---Forget the text and what could be undone; the kill ring stays.
---@param text? string
function methods:reset(text)
  self.text = text or ""
  self.at = #self.text + 1
  self.undone = {}
  self.last = nil
end

-- Characters ---------------------------------------------------------------

local function next_char(text, i)
  if i > #text then
    return i
  end
  local following = byte(text, i + 1)
  if byte(text, i) < 0x80 and (not following or following < 0x80) then
    return i + 1
  end
  return require "width".char(text, i) + 1
end

local function previous_char(text, i)
  if i <= 1 then
    return 1
  end
  if byte(text, i - 1) < 0x80 then
    return i - 1
  end
  return require "width".previous(text, i)
end

-- A word is letters, digits, underscores, and whatever is not ASCII.
local WORD = "[%w_\x80-\xff]"
local NOT_WORD = "[^%w_\x80-\xff]"

local function word_end(text, i)
  local start = find(text, WORD, i)
  return start and (find(text, NOT_WORD, start) or #text + 1) or #text + 1
end

local function scan_back(text, i, pattern)
  while i > 1 and find(sub(text, i - 1, i - 1), pattern) do
    i = i - 1
  end
  return i
end

local function word_start(text, i)
  return scan_back(text, scan_back(text, i, NOT_WORD), WORD)
end

-- Lines --------------------------------------------------------------------

---The first byte of the cursor's line (or of the line at `at`).
---@param at? integer
---@return integer
function methods:line_start(at)
  return scan_back(self.text, at or self.at, "[^\n]")
end

---The place after the last byte of the cursor's line.
---@param at? integer
---@return integer
function methods:line_end(at)
  return find(self.text, "\n", at or self.at, true) or #self.text + 1
end

---@return boolean
function methods:on_first_line()
  return self:line_start() == 1
end

---@return boolean
function methods:on_last_line()
  return self:line_end() == #self.text + 1
end

local function chars_between(text, from, to)
  local count = 0
  while from < to do
    from, count = next_char(text, from), count + 1
  end
  return count
end

-- The goal column stays while one goes up and down through shorter lines.
function methods:move_line(start)
  local goal = self.last == "line" and self.goal
    or chars_between(self.text, self:line_start(), self.at)
  local at, stop = start, self:line_end(start)
  for _ = 1, goal do
    if at >= stop then
      break
    end
    at = next_char(self.text, at)
  end
  self.at, self.goal, self.last = at, goal, "line"
end

---@return boolean # false on the first line
function methods:line_up()
  local start = self:line_start()
  if start == 1 then
    return false
  end
  self:move_line(self:line_start(start - 1))
  return true
end

---@return boolean # false on the last line
function methods:line_down()
  local stop = self:line_end()
  if stop > #self.text then
    return false
  end
  self:move_line(stop + 1)
  return true
end

-- Motions ------------------------------------------------------------------

function methods:move(at)
  self.at, self.last = at, "move"
end

function methods:left()
  self:move(previous_char(self.text, self.at))
end

function methods:right()
  self:move(next_char(self.text, self.at))
end

function methods:word_left()
  self:move(word_start(self.text, self.at))
end

function methods:word_right()
  self:move(word_end(self.text, self.at))
end

function methods:home()
  self:move(self:line_start())
end

function methods:to_end()
  self:move(self:line_end())
end

-- Changes ------------------------------------------------------------------

-- Typing a run of characters is one step of undo, as is a run of deletions.
function methods:remember(kind)
  if self.last == kind and (kind == "insert" or kind == "delete") then
    return
  end
  insert(self.undone, { self.text, self.at })
  if #self.undone > MAX_UNDO then
    remove(self.undone, 1)
  end
end

---Put `with` in place of the bytes from `from` to before `to`; the cursor goes
---behind it.
---@param kind? string what this change is part of, for undo
function methods:replace(from, to, with, kind)
  self:remember(kind)
  self.text = sub(self.text, 1, from - 1) .. with .. sub(self.text, to)
  self.at = from + #with
  self.last = kind
end

---@param text string
function methods:insert(text)
  local kind = find(text, "^%s") and "space" or "insert"
  self:replace(self.at, self.at, text, kind)
  if kind == "space" then
    self.last = "insert"
  end
end

---Set the whole text, as one change.
---@param at? integer
function methods:set(text, at)
  self:replace(1, #self.text + 1, text, "set")
  self.at = at or self.at
end

function methods:undo()
  local state = remove(self.undone)
  if state then
    self.text, self.at = state[1], state[2]
  end
  self.last = "undo"
end

-- Indentation in front of the cursor goes in steps of two.
function methods:backspace()
  local before = sub(self.text, self:line_start(), self.at - 1)
  local from = previous_char(self.text, self.at)
  if #before >= 2 and match(before, "^ +$") then
    from = self.at - (#before % 2 == 0 and 2 or 1)
  end
  if from < self.at then
    self:replace(from, self.at, "", "delete")
  end
end

function methods:delete()
  local to = next_char(self.text, self.at)
  if to > self.at then
    self:replace(self.at, to, "", "delete")
  end
end

-- The characters around the cursor, or the last two at the line's end.
function methods:transpose()
  local at = self.at
  if at == self:line_end() then
    at = previous_char(self.text, at)
  end
  local from = previous_char(self.text, at)
  if from < self:line_start() or from == at then
    return
  end
  local to = next_char(self.text, at)
  local first = sub(self.text, from, at - 1)
  self:replace(from, to, sub(self.text, at, to - 1) .. first, "transpose")
end

-- Kill ring ----------------------------------------------------------------

-- Kills that follow each other directly are one entry.
function methods:kill(from, to)
  if from >= to then
    return
  end
  local backwards = to == self.at
  local killed = sub(self.text, from, to - 1)
  local kills = self.kills
  if self.last == "kill" and #kills > 0 then
    local top = kills[#kills]
    kills[#kills] = backwards and killed .. top or top .. killed
  else
    insert(kills, killed)
    if #kills > MAX_KILLS then
      remove(kills, 1)
    end
  end
  self:replace(from, to, "", "kill")
end

-- At a line's end its newline goes, so that Ctrl-K joins lines.
function methods:kill_to_end()
  local stop = self:line_end()
  self:kill(self.at, stop == self.at and stop <= #self.text and stop + 1
    or stop)
end

function methods:kill_to_start()
  self:kill(self:line_start(), self.at)
end

function methods:kill_word_back()
  self:kill(word_start(self.text, self.at), self.at)
end

function methods:kill_blank_word_back()
  local at = scan_back(self.text, self.at, "%s")
  self:kill(scan_back(self.text, at, "%S"), self.at)
end

function methods:kill_word()
  self:kill(self.at, word_end(self.text, self.at))
end

function methods:yank()
  local text = self.kills[#self.kills]
  if text then
    self.yanked_from = self.at
    self:replace(self.at, self.at, text, "yank")
  end
end

---Right after a yank: take the entry before instead.
function methods:yank_pop()
  if self.last ~= "yank" or #self.kills < 2 then
    return
  end
  insert(self.kills, 1, remove(self.kills))
  self:replace(self.yanked_from, self.at, self.kills[#self.kills], "yank")
end

-- Indentation --------------------------------------------------------------

---Begin a new line after the cursor, with `columns` blanks.
function methods:newline(columns)
  self:replace(self.at, self.at, "\n" .. rep(" ", columns), "newline")
end

---Give the cursor's line another indentation; the cursor stays where it is in
---the text.
function methods:indent(columns)
  local start = self:line_start()
  local _, stop = find(self.text, "^[ \t]*", start)
  local have = stop - start + 1
  if have ~= columns then
    local at = self.at + columns - have
    self:replace(start, stop + 1, rep(" ", columns), "indent")
    self.at = at < start and start or at
  end
end

return buffer
