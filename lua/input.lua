-- Module input: keyboards and pointers, who gets what they say, the layout of
-- the keys, and a hand that types.

local keymap = require "keymap"
local router = require "input_router"
local strokes = require "strokes"
local table_in_force = require "keymap_table"

local utf8 = utf8

local input = {}

local codes = router.codes()

---@return table[]
function input.devices()
  return router.devices()
end

---@return table[]
function input.streams()
  return router.streams()
end

---The name of the stream that gets the keys; nil: nobody does.
---@return string?
function input.focus()
  for _, stream in ipairs(router.streams()) do
    if stream.focused then
      return stream.name
    end
  end
  return nil
end

---@return table
function input.leds()
  return router.leds()
end

---Names of all keys and buttons, with their codes.
---@return table<string, integer>
function input.keys()
  return router.codes()
end

---@param delay number? seconds, 0: no repeats
---@param interval number? seconds, 0: one repeat only
function input.repeat_rate(delay, interval)
  if delay == nil then
    return router.repeat_rate()
  end
  local _, now = router.repeat_rate()
  return router.set_repeat_rate(delay, interval or now)
end

-- --- key maps ---

local function load_layout(name)
  if not name:find("^[%w_]+$") then
    error(("keymap: %q is no name of a map"):format(name), 3)
  end
  local ok, layout = pcall(require, "keymaps." .. name)
  if ok then
    return layout
  end
  -- Not there is one thing, a map that does not load another.
  if tostring(layout):find("module 'keymaps." .. name .. "' not found", 1,
      true) then
    return nil, ("keymap %s: there is no such map; us, uk, de and fr are")
      :format(name), "ENOENT"
  end
  return nil, ("keymap %s: %s"):format(name, tostring(layout)), "EINVAL"
end

---@param map string|table|nil a name, or a table as in lua/keymaps/
---@return any # the name in force; or true; or nil, message, code
function input.keymap(map)
  if map == nil then
    return table_in_force.get().name
  end
  local layout = map
  if type(map) == "string" then
    local found, why, code = load_layout(map)
    if not found then
      return nil, why, code
    end
    layout = found
  end
  local compiled, wrong = keymap.compile(layout, codes)
  if not compiled then
    return nil, wrong, "EINVAL"
  end
  return table_in_force.set(compiled)
end

-- --- a hand that types ---

local function code_of(name)
  local code = strokes.code(name)
  if not code then
    error(("input: there is no key %s; input.keys() names all"):format(
      type(name) == "string" and ("%q"):format(name) or tostring(name)), 3)
  end
  return code
end

local function codes_of(...)
  local list = {}
  for i = 1, select("#", ...) do
    list[i] = code_of((select(i, ...)))
  end
  return list
end

---Press keys or buttons, in this order; they stay down.
---@param ... string names
function input.press(...)
  for _, code in ipairs(codes_of(...)) do
    local ok, why, err = router.key(code, true)
    if not ok then
      return nil, why, err
    end
  end
  return true
end

---Release them.
---@param ... string names
function input.release(...)
  for _, code in ipairs(codes_of(...)) do
    local ok, why, err = router.key(code, false)
    if not ok then
      return nil, why, err
    end
  end
  return true
end

---Type a text as a person would on the map in force; "\n" is Enter. Nothing is
---typed when the map has no key for a character.
---@param text string
function input.type(text)
  if type(text) ~= "string" or not utf8.len(text) then
    error("input.type: expected a text in UTF-8", 2)
  end
  local list, why, code = strokes.of(text)
  if not list then
    return nil, "input.type: " .. why, code
  end
  return strokes.play(list, router.key)
end

---As a mouse: move by so many steps, turn the wheel.
---@param x integer to the right
---@param y integer down
---@param wheel integer? away from the user
function input.move(x, y, wheel)
  return router.move(x, y, wheel or 0)
end

return input
