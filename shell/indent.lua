-- How far a line of a multi-line entry is indented: as the line before it, two
-- blanks more behind what opens a block, two less at what closes one.

local find, match, sub = string.find, string.match, string.sub

local indent = {}

local STEP = 2

local OPENS = {
  ["function"] = true, ["then"] = true, ["do"] = true, ["repeat"] = true,
  ["else"] = true, ["{"] = true, ["("] = true, ["["] = true,
}
local CLOSES = {
  ["end"] = true, ["until"] = true, ["else"] = true, ["elseif"] = true,
  ["}"] = true, [")"] = true, ["]"] = true,
}

-- Blocks opened less blocks closed on one line. What the line closes at its
-- very beginning has been taken off its own indentation already.
local function balance(tokens, text, from, to)
  local depth, first = 0, true
  for i = 1, tokens.n do
    local kind = tokens.kind[i]
    if tokens.start[i] >= from and tokens.stop[i] < to then
      local word = sub(text, tokens.start[i], tokens.stop[i])
      local counts = kind == "keyword" or kind == "op"
      if counts and CLOSES[word] and not first then
        depth = depth - 1
      end
      if counts and OPENS[word] then
        depth = depth + 1
      end
      first = first and counts and CLOSES[word]
    end
  end
  return depth
end

local function blanks_at(text, i)
  return #match(text, "^ *", i)
end

---The indentation of a new line after the line from byte `from` to before
---byte `to`.
---@param text string
---@return integer
function indent.after(text, from, to)
  local tokens = require "lexer".scan(sub(text, 1, to - 1))
  if tokens.open then -- inside a long string or comment
    return 0
  end
  local depth = balance(tokens, text, from, to)
  local columns = blanks_at(text, from)
    + (depth > 0 and STEP or depth < 0 and depth * STEP or 0)
  return columns > 0 and columns or 0
end

---Whether a line begins with a word or bracket that closes a block.
---@param line string
---@return boolean
function indent.closes(line)
  local word = match(line, "^%s*([%a_][%w_]*)") or match(line, "^%s*([%]})])")
  return word ~= nil and CLOSES[word] == true
end

---The indentation of the closing line that begins at byte `from`: that of the
---line which opens its block.
---@param text string
---@return integer? # nil when nothing is open
function indent.of_closer(text, from)
  local before = sub(text, 1, from - 1)
  local tokens = require "lexer".scan(before)
  local depth = 0
  if tokens.open then
    return nil
  end
  for i = tokens.n, 1, -1 do
    local word = sub(before, tokens.start[i], tokens.stop[i])
    local counts = tokens.kind[i] == "keyword" or tokens.kind[i] == "op"
    if counts and OPENS[word] and word ~= "else" then
      if depth == 0 then
        local line = find(sub(before, 1, tokens.start[i]), "[^\n]*$")
        return blanks_at(before, line)
      end
      depth = depth - 1
    elseif counts and CLOSES[word] and word ~= "else" then
      -- `elseif` closes what its own `then` opens again
      depth = depth + 1
    end
  end
  return nil
end

return indent
