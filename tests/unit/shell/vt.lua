-- A small terminal that interprets what the shell writes, so that tests can say
-- what a person sees. Unknown sequences are errors: the shell must not need
-- more than this.

local vt = {}
vt.__index = vt

---@param columns integer
---@param rows integer
function vt.new(columns, rows)
  local self = setmetatable({
    columns = columns, rows = rows, row = 1, column = 1, wrap = false,
    screen = {}, sgr = "", bytes = "", replies = "", paste = false,
  }, vt)
  for r = 1, rows do
    self.screen[r] = {}
  end
  return self
end

-- Its own idea of widths, not the shell's.
local function columns_of(code)
  if code >= 0x300 and code <= 0x36f or code == 0x200d then
    return 0
  end
  local wide = code >= 0x1100 and code <= 0x115f
    or code >= 0x2e80 and code <= 0xd7a3
    or code >= 0xff01 and code <= 0xff60
    or code >= 0x1f300 and code <= 0x1faff
  return wide and 2 or 1
end

function vt:line_feed()
  self.wrap = false
  if self.row < self.rows then
    self.row = self.row + 1
  else
    table.remove(self.screen, 1)
    self.screen[self.rows] = {}
  end
end

function vt:put(text, code)
  local width = columns_of(code)
  local line = self.screen[self.row]
  if width == 0 then
    local at = self.wrap and self.columns or self.column - 1
    while at > 1 and line[at] and line[at].text == "" do
      at = at - 1
    end
    line[at].text = line[at].text .. text
    return
  end
  if self.wrap or self.column + width - 1 > self.columns then
    self.column = 1
    self:line_feed()
    line = self.screen[self.row]
  end
  line[self.column] = { text = text, sgr = self.sgr }
  if width == 2 then
    line[self.column + 1] = { text = "", sgr = self.sgr }
  end
  self.column = self.column + width
  if self.column > self.columns then
    self.column, self.wrap = self.columns, true
  end
end

local function clamp(value, low, high)
  return math.max(low, math.min(high, value))
end

function vt:erase(row, from)
  for c = from, self.columns do
    self.screen[row][c] = nil
  end
end

local FINAL = {
  A = function(self, n) self.row = clamp(self.row - n, 1, self.rows) end,
  B = function(self, n) self.row = clamp(self.row + n, 1, self.rows) end,
  C = function(self, n) self.column = clamp(self.column + n, 1, self.columns) end,
  D = function(self, n) self.column = clamp(self.column - n, 1, self.columns) end,
  G = function(self, n) self.column = clamp(n, 1, self.columns) end,
  H = function(self, n, m)
    self.row = clamp(n, 1, self.rows)
    self.column = clamp(m or 1, 1, self.columns)
  end,
}

function vt:csi(parameters, final)
  if final == "m" then
    self.sgr = parameters
  elseif final == "K" then
    assert(parameters == "", "only erasing to the right is used")
    self:erase(self.row, self.column)
  elseif final == "J" then
    self:erase(self.row, parameters == "2" and 1 or self.column)
    for r = parameters == "2" and 1 or self.row + 1, self.rows do
      self:erase(r, 1)
    end
  elseif final == "n" and parameters == "6" then
    self.replies = self.replies
      .. ("\27[%d;%dR"):format(self.row, self.column)
  elseif parameters == "?2004" then
    self.paste = final == "h"
  else
    local move = assert(FINAL[final], "unknown sequence " .. parameters .. final)
    local n, m = parameters:match("^(%d*);?(%d*)$")
    move(self, math.max(tonumber(n) or 1, 1), tonumber(m))
    self.wrap = false
  end
end

---Interpret output.
---@param bytes string
function vt:write(bytes)
  self.bytes = self.bytes .. bytes
  local i = 1
  while i <= #bytes do
    local c = bytes:sub(i, i)
    local parameters, final = bytes:match("^\27%[([0-?]*)([@-~])", i)
    if final then
      self:csi(parameters, final)
      i = i + 3 + #parameters
    elseif bytes:find("^\27[78]", i) then
      if bytes:sub(i + 1, i + 1) == "7" then
        self.saved = { self.row, self.column }
      else
        self.row, self.column = table.unpack(self.saved)
      end
      i = i + 2
    elseif c == "\r" then
      self.column, self.wrap = 1, false
      i = i + 1
    elseif c == "\n" then
      self:line_feed()
      i = i + 1
    elseif c == "\t" then
      self.column = math.min((self.column - 1) // 8 * 8 + 9, self.columns)
      i = i + 1
    elseif c == "\b" then
      self.column, self.wrap = math.max(self.column - 1, 1), false
      i = i + 1
    else
      local code = utf8.codepoint(bytes, i)
      assert(code >= 32 and (code < 127 or code >= 160),
        "a control character on the terminal")
      local stop = utf8.offset(bytes, 2, i)
      self:put(bytes:sub(i, stop - 1), code)
      i = stop
    end
  end
end

---One line of the screen as text, without blanks at its end.
---@param row integer
---@return string
function vt:line(row)
  local line, out = self.screen[row], {}
  local c = 1
  while c <= self.columns do
    out[#out + 1] = line[c] and line[c].text or " "
    c = c + 1
  end
  return (table.concat(out):gsub("%s+$", ""))
end

---All lines down to the last that is not empty.
---@return string
function vt:text()
  local lines, last = {}, 0
  for r = 1, self.rows do
    lines[r] = self:line(r)
    last = lines[r] ~= "" and r or last
  end
  return table.concat(lines, "\n", 1, last)
end

---@return string "row,column"
function vt:cursor()
  return self.row .. "," .. self.column
end

return vt
