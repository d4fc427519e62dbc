-- From the text of an entry to a function: as an expression if it is one, else
-- as statements; and where in it the mistake is if it is neither.

local find, match, sub, gsub = string.find, string.match, string.sub, string.gsub
local load, tonumber = load, tonumber

local source = {}

---@class shell.mistake
---@field message string without position
---@field line integer
---@field text string the line
---@field column? integer bytes before the token that cannot stand there

local function is_unfinished(err)
  return find(err, "<eof>$") ~= nil
end

-- Where the token named at the end of a message stands: the first occurrence
-- that makes the text before and including it wrong. `before` is what was put
-- in front of the text to compile it.
local function offset_of(text, err, before)
  local line, near = match(err, "^[^\n]-:(%d+): .* near '(.*)'$")
  if not line then
    return nil, tonumber(match(err, ":(%d+):"))
  end
  local at = 1
  for _ = 2, tonumber(line) do
    at = (find(text, "\n", at, true) or #text) + 1
  end
  while true do
    local first, last = find(text, near, at, true)
    if not first then
      return nil, tonumber(line)
    end
    local _, cut = load(before .. sub(text, 1, last), "=s", "t")
    if cut and not is_unfinished(cut) then
      return first, tonumber(line)
    end
    at = first + 1
  end
end

local function line_at(text, number)
  local at = 1
  for _ = 2, number do
    local newline = find(text, "\n", at, true)
    if not newline then
      break
    end
    at = newline + 1
  end
  return at, match(text, "^[^\n]*", at)
end

---@return shell.mistake
local function mistake(text, as_expression, as_statements)
  local place, line = offset_of(text, as_statements, "")
  local other, other_line = offset_of(text, as_expression, "return ")
  local err = as_statements
  if other and (not place or other > place) then
    err, place, line = as_expression, other, other_line
  end
  line = line or 1
  local start, line_text = line_at(text, line)
  return {
    message = gsub(err, "^[^\n]-:%d+: ", "", 1), line = line, text = line_text,
    column = place and place >= start and place - start or nil,
  }
end

---Compile an entry.
---@param text string
---@param name string the chunk's name in messages
---@param env table
---@return function? chunk
---@return "unfinished"|"wrong"|nil why
---@return shell.mistake?
function source.compile(text, name, env)
  local chunk, as_expression = load("return " .. text, "=" .. name, "t", env)
  if chunk then
    return chunk
  end
  local as_statements
  chunk, as_statements = load(text, "=" .. name, "t", env)
  if chunk then
    return chunk
  elseif is_unfinished(as_statements) or is_unfinished(as_expression) then
    return nil, "unfinished"
  end
  return nil, "wrong", mistake(text, as_expression, as_statements)
end

---@param text string
---@return boolean # whether nothing has to follow it
function source.is_complete(text)
  local _, why = source.compile(text, "s", nil)
  return why ~= "unfinished"
end

return source
