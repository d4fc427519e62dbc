-- What a hand does to give a text, and what people call keys. Pure over the key
-- map in force; for modules input and desktop.

local keymap = require "keymap"
local router = require "input_router"
local table_in_force = require "keymap_table"

local utf8 = utf8

local strokes = {}

local codes = router.codes()

-- What people call some keys.
local ALIASES = {
  ctrl = "leftctrl", shift = "leftshift", alt = "leftalt", altgr = "rightalt",
  meta = "leftmeta", super = "leftmeta", ["return"] = "enter",
  pgup = "pageup", pgdn = "pagedown",
  escape = "esc", ["-"] = "minus", ["="] = "equal", ["["] = "leftbrace",
  ["]"] = "rightbrace", [";"] = "semicolon", ["'"] = "apostrophe",
  ["`"] = "grave", ["\\"] = "backslash", [","] = "comma", ["."] = "dot",
  ["/"] = "slash", [" "] = "space",
}

local WHITE = { ["\n"] = "enter", ["\r"] = "enter", ["\t"] = "tab",
  ["\b"] = "backspace", ["\27"] = "esc" }

---The code of a key or button.
---@param name any
---@return integer?
function strokes.code(name)
  return type(name) == "string"
    and codes[ALIASES[name:lower()] or name:lower()] or nil
end

---All strokes of a text, each { code =, held = { names } }, or which character
---has none.
---@param text string UTF-8
---@return table? strokes, string? message, string? code
function strokes.of(text)
  local find, list = keymap.strokes(table_in_force.get()), {}
  for _, code in utf8.codes(text) do
    local white = code < 128 and WHITE[string.char(code)]
    local found = white and { { code = codes[white], held = {} } } or find(code)
    if not found then
      return nil, ("no key of this map gives %s"):format(utf8.char(code)),
        "EINVAL"
    end
    table.move(found, 1, #found, #list + 1, list)
  end
  return list
end

---Press and release them: `key(code, down)` does it, and may refuse.
---@param list table
---@param key fun(code: integer, down: boolean): boolean?, string?, string?
---@return true? done, string? message, string? code
function strokes.play(list, key)
  for _, stroke in ipairs(list) do
    for _, name in ipairs(stroke.held) do
      key(codes[name], true)
    end
    local ok, why, code = key(stroke.code, true)
    key(stroke.code, false)
    for i = #stroke.held, 1, -1 do
      key(codes[stroke.held[i]], false)
    end
    if not ok then
      return nil, why, code
    end
  end
  return true
end

return strokes
