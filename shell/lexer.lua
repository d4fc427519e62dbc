-- Cuts Lua source into tokens for colouring, indentation and completion. It
-- never fails: what cannot be Lua becomes an operator of one byte.

local byte, find, sub, match = string.byte, string.find, string.sub, string.match

local lexer = {}

local KEYWORDS = {}
for word in string.gmatch("and break do else elseif end for function goto if in "
    .. "local not or repeat return then until while", "%a+") do
  KEYWORDS[word] = "keyword"
end
for word in string.gmatch("nil true false", "%a+") do
  KEYWORDS[word] = "constant"
end
lexer.keywords = KEYWORDS

-- The end of the long bracket that opens at `i`, whether it is closed; nil if
-- none opens there.
local function long_bracket(text, i)
  local _, opened, level = find(text, "^%[(=*)%[", i)
  if not opened then
    return nil
  end
  local _, stop = find(text, "]" .. level .. "]", opened + 1, true)
  return stop or #text, stop ~= nil
end

local function short_string(text, i)
  local quote = sub(text, i, i)
  local at = i + 1
  while true do
    at = find(text, "[\\\n" .. quote .. "]", at)
    if not at then
      return #text, false
    end
    local c = byte(text, at)
    if c == 10 then
      return at - 1, false
    elseif c == 92 then
      at = find(text, "^z%s*", at + 1) and
        select(2, find(text, "^z%s*", at + 1)) + 1 or at + 2
    else
      return at, true
    end
  end
end

local function comment(text, i)
  local stop, closed = long_bracket(text, i + 2)
  if stop then
    return stop, closed
  end
  return (find(text, "\n", i, true) or #text + 1) - 1, true
end

local function number(text, i)
  local _, stop = find(text, "^0[xX][%x.]*[pP][+-]?%d*", i)
  if not stop then
    _, stop = find(text, "^0[xX][%x.]*", i)
  end
  if not stop then
    _, stop = find(text, "^[%d.]+[eE][+-]?%d*", i)
  end
  if not stop then
    _, stop = find(text, "^[%d.]+", i)
  end
  return stop
end

local OPERATORS = { "^%.%.%.", "^%.%.", "^[=~<>]=", "^//", "^::", "^<<", "^>>" }

local function operator(text, i)
  for k = 1, #OPERATORS do
    local _, stop = find(text, OPERATORS[k], i)
    if stop then
      return stop
    end
  end
  return i
end

-- Kind, last byte, and whether it is finished, of the token at `i`.
local function token(text, i)
  local c = byte(text, i)
  if c >= 97 and c <= 122 or c == 95 or c >= 65 and c <= 90 then
    local word = match(text, "^[%w_]+", i)
    return KEYWORDS[word] or "name", i + #word - 1, true
  elseif c >= 48 and c <= 57 or c == 46 and find(text, "^%.%d", i) then
    return "number", number(text, i), true
  elseif c == 34 or c == 39 then
    return "string", short_string(text, i)
  elseif c == 45 and byte(text, i + 1) == 45 then
    return "comment", comment(text, i)
  elseif c == 91 then
    local stop, closed = long_bracket(text, i)
    if stop then
      return "string", stop, closed
    end
  end
  return "op", operator(text, i), true
end

---@class shell.tokens
---@field n integer
---@field kind string[] keyword, constant, name, number, string, comment, op
---@field start integer[] first bytes
---@field stop integer[] last bytes
---@field open boolean whether the last token lacks its end

---@param text string
---@return shell.tokens
function lexer.scan(text)
  local kind, start, stop = {}, {}, {}
  local n, finished = 0, true
  local i = find(text, "%S")
  while i do
    n = n + 1
    kind[n], stop[n], finished = token(text, i)
    start[n] = i
    i = find(text, "%S", stop[n] + 1)
  end
  return { n = n, kind = kind, start = start, stop = stop, open = not finished }
end

return lexer
