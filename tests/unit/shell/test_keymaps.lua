-- The key maps of lua/keymaps/: each one's characteristic keys, and what is
-- wrong with tables that people write.

package.path = "lua/?.lua;" .. package.path

local tap = require "tap"
local keymap = require "keymap"

local codes = {}
for line in io.lines("kernel/include/rayos/keycodes.h") do
  local name, code = line:match("^%s+KEY_(%w+) = (%d+),")
  if name then
    codes[name:lower()] = tonumber(code)
  end
end

local function compile(name)
  return assert(keymap.compile(require("keymaps." .. name), codes))
end

-- The character of a key on a level, "dead ^" for a dead one.
local function symbol(map, key, level)
  local code = map.symbols[codes[key] * 4 + (level or 0)]
  if not code then
    return nil
  end
  return code < 0 and "dead " .. utf8.char(-code) or utf8.char(code)
end

local SHIFT, ALTGR, BOTH = 1, 2, 3

local function check(name, expected)
  local map = compile(name)
  for _, row in ipairs(expected) do
    local key, level, character = table.unpack(row)
    local found = symbol(map, key, level)
    assert(found == character, ("%s: key %s level %d gives %s, not %s"):format(
      name, key, level, tostring(found), tostring(character)))
  end
  return map
end

tap.test("us has no third level", function()
  local map = check("us", {
    { "grave", 0, "`" }, { "2", SHIFT, "@" }, { "backslash", SHIFT, "|" },
    { "apostrophe", 0, "'" }, { "q", ALTGR, nil },
  })
  assert(not map.altgr)
end)

tap.test("uk has its pound, its quotes and AltGr for the euro", function()
  local map = check("uk", {
    { "3", SHIFT, "£" }, { "2", SHIFT, '"' }, { "apostrophe", SHIFT, "@" },
    { "backslash", 0, "#" }, { "102nd", 0, "\\" }, { "4", ALTGR, "€" },
    { "grave", SHIFT, "¬" }, { "e", BOTH, "É" },
  })
  assert(map.altgr)
end)

tap.test("de has umlauts, y for z, and the at sign on AltGr and Q", function()
  local map = check("de", {
    { "semicolon", 0, "ö" }, { "apostrophe", 0, "ä" }, { "leftbrace", 0, "ü" },
    { "apostrophe", SHIFT, "Ä" }, { "minus", 0, "ß" }, { "y", 0, "z" },
    { "z", SHIFT, "Y" }, { "q", ALTGR, "@" }, { "7", ALTGR, "{" },
    { "minus", ALTGR, "\\" }, { "102nd", ALTGR, "|" }, { "e", ALTGR, "€" },
    { "grave", 0, "dead ^" }, { "equal", SHIFT, "dead `" },
    { "minus", BOTH, "ẞ" },
  })
  assert(map.altgr)
end)

tap.test("fr has its letters where AZERTY has them, digits with Shift", function()
  check("fr", {
    { "q", 0, "a" }, { "w", 0, "z" }, { "a", 0, "q" }, { "z", 0, "w" },
    { "semicolon", 0, "m" }, { "m", 0, "," }, { "1", 0, "&" },
    { "1", SHIFT, "1" }, { "0", SHIFT, "0" }, { "2", 0, "é" }, { "0", ALTGR, "@" },
    { "leftbrace", 0, "dead ^" }, { "leftbrace", SHIFT, "dead ¨" },
    { "slash", SHIFT, "§" },
  })
end)

tap.test("keys that are the same everywhere are on every map", function()
  for _, name in ipairs { "us", "uk", "de", "fr" } do
    local map = check(name, {
      { "space", 0, " " }, { "kpplus", 0, "+" }, { "kpslash", SHIFT, "/" },
    })
    assert(map.name == name)
    for c = 32, 126 do
      assert(keymap.strokes(map)(c), name .. " cannot type " .. string.char(c))
    end
  end
end)

tap.test("a dead circumflex makes letters, also for the hand that types",
  function()
    local map = compile("de")
    local made = {}
    for i = 1, #map.compose, 3 do
      local dead, base, result = table.unpack(map.compose, i, i + 2)
      made[utf8.char(dead, base)] = utf8.char(result)
    end
    assert(made["^e"] == "ê" and made["´E"] == "É" and made["`a"] == "à")
    local find = keymap.strokes(map)
    local strokes = find(utf8.codepoint("ê"))
    assert(#strokes == 2 and strokes[1].code == codes.grave
      and strokes[2].code == codes.e)
    strokes = find(utf8.codepoint("^"))
    assert(#strokes == 2 and strokes[2].code == codes.space)
    assert(find(utf8.codepoint("@"))[1].held[1] == "rightalt")
    assert(not find(0x4e2d))
  end)

local function refused(layout, ...)
  local map, why = keymap.compile(layout, codes)
  assert(not map, "it was taken")
  for _, text in ipairs { ... } do
    assert(why:find(text, 1, true), ("%q does not name %s"):format(why, text))
  end
end

tap.test("a bad map is refused with the entry that is wrong", function()
  refused(7, "expected a table")
  refused({ keys = {} }, "'name'")
  refused({ name = ("x"):rep(16), keys = {} }, "'name'")
  refused({ name = "x" }, "'keys'")
  refused({ name = "x", keys = {}, compose = 1 }, "'compose'")
  refused({ name = "x", keys = { qq = { "a" } } }, 'key "qq"', "no such key")
  refused({ name = "x", keys = { f24 = { "a" } } }, 'key "f24"')
  refused({ name = "x", keys = { q = "a" } }, 'key "q"', "list")
  refused({ name = "x", keys = { q = { "a", "b", "c", "d", "e" } } },
    'key "q"', "level 5")
  refused({ name = "x", keys = { q = { "a", "bc" } } }, 'key "q", shift',
    '"bc"')
  refused({ name = "x", keys = { q = { "a", "b", 3 } } }, 'key "q", AltGr',
    "number")
  refused({ name = "x", keys = { q = { "\27" } } }, "plain", "U+001B")
  refused({ name = "x", keys = { q = { "\xff" } } }, "UTF-8")
  refused({ name = "x", keys = { q = { "dead ^" } } }, "'compose'")
  refused({ name = "x", keys = {}, compose = { ["^"] = "aâ eêe" } },
    'compose "^"', '"eêe"')
  refused({ name = "x", keys = {}, compose = { ["^^"] = "aâ" } }, "compose")
end)

tap.done()
