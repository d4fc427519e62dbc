-- Colours for the line as it is typed, and the bracket that belongs to the one
-- at the cursor.

local sub, find = string.sub, string.find
local lexer = require "lexer"

local highlight = {}

local COLOURED = {
  keyword = true, constant = true, string = true, number = true, comment = true,
}
local PARTNER = {
  ["("] = ")", ["["] = "]", ["{"] = "}", [")"] = "(", ["]"] = "[", ["}"] = "{",
}

---@param text string
---@return table spans # n, start[], stop[], style[] for layout
---@return shell.tokens
function highlight.spans(text)
  local tokens = lexer.scan(text)
  local n, start, stop, style = 0, {}, {}, {}
  for i = 1, tokens.n do
    local kind = tokens.kind[i]
    if COLOURED[kind] then
      n = n + 1
      start[n], stop[n], style[n] = tokens.start[i], tokens.stop[i], kind
    end
  end
  return { n = n, start = start, stop = stop, style = style }, tokens
end

-- The token that is one bracket and stands at byte `at`.
local function bracket_at(text, tokens, at)
  if not find(text, "^[%[%](){}]", at) then
    return nil
  end
  for i = 1, tokens.n do
    if tokens.start[i] == at and tokens.stop[i] == at then
      return i
    end
  end
  return nil
end

local function partner(text, tokens, i)
  local own = sub(text, tokens.start[i], tokens.start[i])
  local other = PARTNER[own]
  local step = find(own, "[%[({]") and 1 or -1
  local depth = 0
  while tokens.start[i] do
    if tokens.kind[i] == "op" then
      local word = sub(text, tokens.start[i], tokens.stop[i])
      depth = depth + (word == own and 1 or word == other and -1 or 0)
      if depth == 0 then
        return tokens.start[i]
      end
    end
    i = i + step
  end
  return nil
end

---Marks for the bracket before the cursor, else the one under it, and its
---partner.
---@param text string
---@param tokens shell.tokens of the text
---@param at integer the cursor
---@return table<integer, string>?
function highlight.brackets(text, tokens, at)
  for place = at - 1, at do
    local i = bracket_at(text, tokens, place)
    local other = i and partner(text, tokens, i)
    if other then
      return { [place] = "bracket", [other] = "bracket" }
    end
  end
  return nil
end

return highlight
