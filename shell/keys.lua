-- From the bytes that a terminal sends to keys. Sequences may arrive in pieces;
-- answers to questions that we asked (or that somebody else did) are told from
-- keys, however late they come, so that they never land in the line.

local byte, char, sub = string.byte, string.char, string.sub
local find, match, gsub = string.find, string.match, string.gsub
local concat = table.concat
local utf8_len, tonumber, setmetatable = utf8.len, tonumber, setmetatable

-- An escape sequence comes in one piece or nearly so; what takes longer was
-- the Escape key. A paste may pause while the line is slow.
local SEQUENCE_PAUSE = 0.05
local PASTE_PAUSE = 2.0
local MAX_SEQUENCE = 64
local MAX_STRING = 4096
local MAX_PASTE = 1 << 20
local REPLACEMENT = "\xef\xbf\xbd" -- U+FFFD

local CONTROL = {
  [0] = "ctrl-space", [8] = "backspace", [9] = "tab", [10] = "enter",
  [13] = "enter", [28] = "ctrl-\\", [29] = "ctrl-]", [30] = "ctrl-^",
  [31] = "ctrl-_", [127] = "backspace",
}

local FINAL = {
  A = "up", B = "down", C = "right", D = "left", H = "home", F = "end",
  Z = "shift-tab", P = "f1", Q = "f2", S = "f4",
}

local TILDE = {
  [1] = "home", [2] = "insert", [3] = "delete", [4] = "end", [5] = "page-up",
  [6] = "page-down", [7] = "home", [8] = "end", [200] = "paste",
}

local keys = {}

---@class shell.keys
---@field read fun(timeout?: number): string?, string?
---@field buffer string bytes that have come and are not used up
---@field at integer the first of them
local reader = {}
reader.__index = reader

---@param read fun(timeout?: number): string?, string?
---@return shell.keys
function keys.new(read)
  return setmetatable({ read = read, buffer = "", at = 1 }, reader)
end

function reader:fill(timeout)
  local bytes, err = self.read(timeout)
  if not bytes or bytes == "" then
    return false, err
  end
  self.buffer = sub(self.buffer, self.at) .. bytes
  self.at = 1
  return true
end

function reader:take(count)
  local bytes = sub(self.buffer, self.at, self.at + count - 1)
  self.at = self.at + count
  return bytes
end

---Whether more has come already than was asked for.
---@return boolean
function reader:pending()
  return self.at <= #self.buffer
end

-- What is not UTF-8, and control characters from 0x80 on, must not get into
-- the line.
local function clean(text)
  if utf8_len(text) and not find(text, "\xc2[\x80-\x9f]") then
    return text
  end
  local width = require "width"
  local out, i = {}, 1
  while i <= #text do
    local code, last = width.decode(text, i)
    local good = code and (code < 0x80 or code >= 0xa0)
    out[#out + 1] = good and sub(text, i, last) or REPLACEMENT
    i = last + 1
  end
  return concat(out)
end

-- Bytes that a last, cut-off UTF-8 character still lacks.
local function missing_bytes(text)
  for back = 1, 3 do
    local b = byte(text, -back)
    if not b or b < 0x80 then
      return 0
    elseif b >= 0xc2 then
      local length = b < 0xe0 and 2 or b < 0xf0 and 3 or 4
      return length > back and length - back or 0
    end
  end
  return 0
end

function reader:text()
  while true do
    local run = match(self.buffer, "^[^\0-\31\127]+", self.at)
    local at_end = self.at + #run > #self.buffer
    if not at_end or missing_bytes(run) == 0
        or not self:fill(SEQUENCE_PAUSE) then
      self.at = self.at + #run
      return "text", clean(run)
    end
  end
end

-- The bytes after ESC [ 200 ~ up to ESC [ 201 ~, or to a long silence.
function reader:paste()
  local from = self.at
  while true do
    local first, last = find(self.buffer, "\27[201~", from, true)
    if first then
      local text = sub(self.buffer, self.at, first - 1)
      self.at = last + 1
      return text
    end
    local had = #self.buffer - self.at + 1
    if had > MAX_PASTE or not self:fill(PASTE_PAUSE) then
      return self:take(#self.buffer)
    end
    from = had > 5 and had - 4 or 1
  end
end

local function clean_paste(text)
  text = gsub(gsub(text, "\r\n", "\n"), "\r", "\n")
  return clean(gsub(text, "[\0-\8\11-\31\127]", ""))
end

-- Strings that a terminal sends (OSC, DCS, ...), up to BEL or ESC \.
function reader:skip_string()
  while true do
    local _, last = find(self.buffer, "^[^\7\27]*[\7\27]", self.at + 2)
    if last and byte(self.buffer, last) == 7 then
      self.at = last + 1
      return
    elseif last and byte(self.buffer, last + 1) then
      self.at = byte(self.buffer, last + 1) == 0x5c and last + 2 or last
      return
    end
    if #self.buffer - self.at > MAX_STRING
        or not self:fill(SEQUENCE_PAUSE) then
      self.at = #self.buffer + 1
      return
    end
  end
end

local function with_modifier(name, modifier)
  local bits = (modifier or 1) - 1
  if bits & 4 ~= 0 then
    return "ctrl-" .. name
  end
  return bits & 2 ~= 0 and "alt-" .. name or name
end

-- One CSI sequence, already cut out. Row 1 is left out of the reports because
-- ESC [ 1 ; 5 R is also a function key.
local function csi_key(parameters, final)
  local p1, p2, p3 = match(parameters, "^(%d*);?(%d*);?(%d*)$")
  p1, p2, p3 = tonumber(p1), tonumber(p2), tonumber(p3)
  if final == "R" and p1 and p2 and p1 > 1 then
    return "report", p1, p2
  elseif final == "t" and p1 == 8 and p2 and p3 then
    return "report", p2, p3
  elseif final == "~" and p1 == 27 and p3 == 13
      or final == "u" and p1 == 13 then
    return "alt-enter"
  elseif final == "~" and TILDE[p1] then
    return with_modifier(TILDE[p1], p2)
  elseif FINAL[final] then
    return with_modifier(FINAL[final], p2)
  end
  return "ignored"
end

function reader:csi()
  while true do
    local _, last, parameters, final =
      find(self.buffer, "^\27%[([0-?]*)[ -/]*([@-~])", self.at)
    if last then
      self.at = last + 1
      if final == "[" and self:pending() then -- the Linux console's F1 to F5
        self.at = self.at + 1
      end
      local name, a, b = csi_key(parameters, final)
      if name == "paste" then
        return "paste", clean_paste(self:paste())
      end
      return name, a, b
    end
    local _, cut = find(self.buffer, "^\27%[[0-?]*[ -/]*$", self.at)
    if not cut or cut - self.at > MAX_SEQUENCE
        or not self:fill(SEQUENCE_PAUSE) then
      self.at = cut and cut + 1 or self.at + 2
      return "ignored"
    end
  end
end

function reader:escape()
  if self.at == #self.buffer and not self:fill(SEQUENCE_PAUSE) then
    self.at = self.at + 1
    return "escape"
  end
  local c = sub(self.buffer, self.at + 1, self.at + 1)
  if c == "[" then
    return self:csi()
  elseif c == "O" and (self.at + 1 < #self.buffer
      or self:fill(SEQUENCE_PAUSE)) then
    return FINAL[sub(self:take(3), 3)] or "ignored"
  elseif find(c, "[%]P^X]") and (self.at + 1 < #self.buffer
      or self:fill(SEQUENCE_PAUSE)) then
    self:skip_string()
    return "ignored"
  elseif c == "\27" or byte(c) >= 0x80 then
    self.at = self.at + 1
    return "escape"
  end
  self.at = self.at + 2
  return "alt-" .. (CONTROL[byte(c)] or c)
end

-- A carriage return with its line feed is one Enter.
function reader:control()
  local b = byte(self:take(1))
  local after_return = self.last_byte == 13
  self.last_byte = b
  if b == 10 and after_return then
    return "ignored"
  end
  return CONTROL[b] or "ctrl-" .. char(b + 96)
end

---Wait for the next key: "text" and what was typed, as much as has come at
---once; "paste" and its text; "report" and the terminal's rows and columns;
---or the name of a key. nil and a message when the terminal is gone.
---@return string? name
---@return string|integer|nil data
---@return integer? columns
function reader:next()
  while true do
    while not self:pending() do
      local ok, err = self:fill()
      if not ok and err then
        return nil, err
      end
    end
    local b = byte(self.buffer, self.at)
    local name, a, columns
    if b == 27 then
      name, a, columns = self:escape()
    elseif b < 32 or b == 127 then
      name = self:control()
    else
      name, a = self:text()
    end
    if b ~= 13 and b ~= 10 then
      self.last_byte = b
    end
    if name ~= "ignored" then
      return name, a, columns
    end
  end
end

return keys
