-- The German key map: key = { plain, shift, AltGr, shift and AltGr }.
-- "dead X" waits for the next character; lua/keymaps/accents.lua joins them.
return {
  name = "de",
  title = "German",
  altgr = true, -- the right Alt chooses the third level
  compose = require "keymaps.accents",
  keys = {
    grave = { "dead ^", "°" }, ["1"] = { "1", "!" },
    ["2"] = { "2", '"', "²" }, ["3"] = { "3", "§", "³" },
    ["4"] = { "4", "$" }, ["5"] = { "5", "%" }, ["6"] = { "6", "&" },
    ["7"] = { "7", "/", "{" }, ["8"] = { "8", "(", "[" },
    ["9"] = { "9", ")", "]" }, ["0"] = { "0", "=", "}" },
    minus = { "ß", "?", "\\", "ẞ" }, equal = { "dead ´", "dead `" },
    q = { "q", "Q", "@" }, w = { "w", "W" }, e = { "e", "E", "€" },
    r = { "r", "R" }, t = { "t", "T" }, y = { "z", "Z" }, u = { "u", "U" },
    i = { "i", "I" }, o = { "o", "O" }, p = { "p", "P" },
    leftbrace = { "ü", "Ü" }, rightbrace = { "+", "*", "~" },
    a = { "a", "A" }, s = { "s", "S" }, d = { "d", "D" }, f = { "f", "F" },
    g = { "g", "G" }, h = { "h", "H" }, j = { "j", "J" }, k = { "k", "K" },
    l = { "l", "L" }, semicolon = { "ö", "Ö" }, apostrophe = { "ä", "Ä" },
    backslash = { "#", "'" },
    ["102nd"] = { "<", ">", "|" }, z = { "y", "Y" }, x = { "x", "X" },
    c = { "c", "C" }, v = { "v", "V" }, b = { "b", "B" }, n = { "n", "N" },
    m = { "m", "M", "µ" }, comma = { ",", ";" }, dot = { ".", ":" },
    slash = { "-", "_" },
  },
}
