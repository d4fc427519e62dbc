-- The French key map: key = { plain, shift, AltGr, shift and AltGr }.
-- "dead X" waits for the next character; lua/keymaps/accents.lua joins them.
return {
  name = "fr",
  title = "French",
  altgr = true, -- the right Alt chooses the third level
  compose = require "keymaps.accents",
  keys = {
    grave = { "²", "~" }, ["1"] = { "&", "1" },
    ["2"] = { "é", "2", "dead ~" }, ["3"] = { '"', "3", "#" },
    ["4"] = { "'", "4", "{" }, ["5"] = { "(", "5", "[" },
    ["6"] = { "-", "6", "|" }, ["7"] = { "è", "7", "dead `" },
    ["8"] = { "_", "8", "\\" }, ["9"] = { "ç", "9", "^" },
    ["0"] = { "à", "0", "@" }, minus = { ")", "°", "]" },
    equal = { "=", "+", "}" },
    q = { "a", "A" }, w = { "z", "Z" }, e = { "e", "E", "€" },
    r = { "r", "R" }, t = { "t", "T" }, y = { "y", "Y" }, u = { "u", "U" },
    i = { "i", "I" }, o = { "o", "O" }, p = { "p", "P" },
    leftbrace = { "dead ^", "dead ¨" }, rightbrace = { "$", "£", "¤" },
    a = { "q", "Q" }, s = { "s", "S" }, d = { "d", "D" }, f = { "f", "F" },
    g = { "g", "G" }, h = { "h", "H" }, j = { "j", "J" }, k = { "k", "K" },
    l = { "l", "L" }, semicolon = { "m", "M" }, apostrophe = { "ù", "%" },
    backslash = { "*", "µ" },
    ["102nd"] = { "<", ">" }, z = { "w", "W" }, x = { "x", "X" },
    c = { "c", "C" }, v = { "v", "V" }, b = { "b", "B" }, n = { "n", "N" },
    m = { ",", "?" }, comma = { ";", "." }, dot = { ":", "/" },
    slash = { "!", "§" },
  },
}
