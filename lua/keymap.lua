-- Key maps, from the tables of lua/keymaps/ to the flat ones that the kernel
-- takes (module keymap_table). A table that has anything wrong is refused with
-- the entry that is wrong.

local utf8 = utf8

local keymap = {}

local LEVELS = { "plain", "shift", "AltGr", "shift and AltGr" }
local KEY_LIMIT, COMPOSE_LIMIT, NAME_LIMIT = 128, 192, 15

-- Keys that give the same on every layout.
local COMMON = {
  space = " ", kpasterisk = "*", kpminus = "-", kpplus = "+", kpslash = "/",
  kpequal = "=", kpcomma = ",",
}

local Compiler = {}
Compiler.__index = Compiler

-- Leave the compilation; keymap.compile catches it.
function Compiler:fail(where, what, ...)
  error({ why = ("keymap %s: %s: %s"):format(self.name, where,
    what:format(...)) }, 0)
end

-- The one character of a text.
function Compiler:character(text, where)
  if type(text) ~= "string" then
    self:fail(where, "expected a text of one character, got %s", type(text))
  end
  local ok, code = pcall(utf8.codepoint, text)
  if not ok or utf8.len(text) ~= 1 then
    self:fail(where, "expected one character in UTF-8, got %q", text)
  end
  if code < 32 or code >= 127 and code < 160 then
    self:fail(where, "character U+%04X is a control code", code)
  end
  return code
end

-- A number for the kernel; dead ones are negative.
function Compiler:symbol(text, where)
  local accent = type(text) == "string" and text:match("^dead (.+)$")
  if not accent then
    return self:character(text, where)
  end
  local code = self:character(accent, where)
  if not self.accents[code] then
    self:fail(where, "nothing is composed with %q; name it in 'compose'",
      accent)
  end
  return -code
end

function Compiler:key(name, levels)
  local code = self.codes[name]
  if not code or code >= KEY_LIMIT then
    self:fail(("key %q"):format(tostring(name)), "there is no such key")
  end
  if type(levels) ~= "table" then
    self:fail(("key %q"):format(name), "expected a list of up to four texts")
  end
  for level, text in pairs(levels) do
    if not LEVELS[level] then
      self:fail(("key %q"):format(name), "there is no level %s",
        tostring(level))
    end
    self.symbols[code * 4 + level - 1] = self:symbol(text,
      ("key %q, %s"):format(name, LEVELS[level]))
  end
end

-- Pairs of a character and what becomes of it, with blanks between the pairs.
function Compiler:accent(accent, text)
  local where = ("compose %q"):format(tostring(accent))
  local dead = self:character(accent, where)
  if type(text) ~= "string" or not utf8.len(text) then
    self:fail(where, "expected pairs of characters in UTF-8")
  end
  self.accents[dead] = true
  for pair in text:gmatch("%S+") do
    if utf8.len(pair) ~= 2 then
      self:fail(where, "expected a pair of characters, got %q", pair)
    end
    local base, made = utf8.codepoint(pair, 1, -1)
    if #self.compose >= 3 * COMPOSE_LIMIT then
      self:fail(where, "more than %d compositions", COMPOSE_LIMIT)
    end
    for _, code in ipairs { dead, base, made } do
      self.compose[#self.compose + 1] = code
    end
  end
end

local function check_shape(layout)
  if type(layout) ~= "table" then
    error({ why = "keymap: expected a table, see lua/keymaps/de.lua" }, 0)
  end
  local name = layout.name
  if type(name) ~= "string" or #name == 0 or #name > NAME_LIMIT then
    error({ why = ("keymap: 'name' must be a text of 1 to %d bytes"):format(
      NAME_LIMIT) }, 0)
  end
  for _, field in ipairs { "keys", "compose" } do
    local value = layout[field]
    if type(value) ~= "table" and (value ~= nil or field == "keys") then
      error({ why = ("keymap %s: '%s' must be a table"):format(name, field) },
        0)
    end
  end
end

local function compile(layout, codes)
  check_shape(layout)
  local self = setmetatable({ name = layout.name, codes = codes, symbols = {},
    compose = {}, accents = {} }, Compiler)
  for accent, text in pairs(layout.compose or {}) do
    self:accent(accent, text)
  end
  for name, text in pairs(COMMON) do
    self:key(name, { text, text })
  end
  for name, levels in pairs(layout.keys) do
    self:key(name, levels)
  end
  return { name = self.name, altgr = layout.altgr == true,
    symbols = self.symbols, compose = self.compose }
end

---@param layout table as those in lua/keymaps/
---@param codes table<string, integer> names of keys
---@return table? compiled, string? why
function keymap.compile(layout, codes)
  local ok, result = pcall(compile, layout, codes)
  if ok then
    return result
  end
  if type(result) == "table" and result.why then
    return nil, result.why
  end
  error(result, 0) -- the end of this domain, no fault of the table
end

-- Keys that hold a level, by level from 0.
local HELD = { [0] = {}, { "leftshift" }, { "rightalt" },
  { "leftshift", "rightalt" } }

---How each character is typed on a compiled map: a list of strokes, each
---{ code, held = names }. Plain strokes come before those with modifiers.
---@return fun(character: integer): table?
function keymap.strokes(compiled)
  local direct = {}
  for level = 0, compiled.altgr and 3 or 1 do
    for code = 1, KEY_LIMIT - 1 do
      local symbol = compiled.symbols[code * 4 + level]
      if symbol and not direct[symbol] then
        direct[symbol] = { code = code, held = HELD[level] }
      end
    end
  end
  local composed = {}
  for i = 1, #compiled.compose, 3 do
    local dead, base, made = table.unpack(compiled.compose, i, i + 2)
    if direct[-dead] and direct[base] then
      composed[made] = composed[made] or { direct[-dead], direct[base] }
    end
  end
  return function(character)
    if direct[character] then
      return { direct[character] }
    end
    local dead = direct[-character]
    return composed[character] or dead and { dead, direct[32] }
  end
end

return keymap
