-- The British English key map: key = { plain, shift, AltGr, shift and AltGr }.
return {
  name = "uk",
  title = "British English",
  altgr = true, -- the right Alt chooses the third level
  keys = {
    grave = { "`", "¬", "¦" }, ["1"] = { "1", "!" }, ["2"] = { "2", '"' },
    ["3"] = { "3", "£" }, ["4"] = { "4", "$", "€" }, ["5"] = { "5", "%" },
    ["6"] = { "6", "^" }, ["7"] = { "7", "&" }, ["8"] = { "8", "*" },
    ["9"] = { "9", "(" }, ["0"] = { "0", ")" }, minus = { "-", "_" },
    equal = { "=", "+" },
    q = { "q", "Q" }, w = { "w", "W" }, e = { "e", "E", "é", "É" },
    r = { "r", "R" }, t = { "t", "T" }, y = { "y", "Y" },
    u = { "u", "U", "ú", "Ú" }, i = { "i", "I", "í", "Í" },
    o = { "o", "O", "ó", "Ó" }, p = { "p", "P" }, leftbrace = { "[", "{" },
    rightbrace = { "]", "}" },
    a = { "a", "A", "á", "Á" }, s = { "s", "S" }, d = { "d", "D" },
    f = { "f", "F" }, g = { "g", "G" }, h = { "h", "H" }, j = { "j", "J" },
    k = { "k", "K" }, l = { "l", "L" }, semicolon = { ";", ":" },
    apostrophe = { "'", "@" }, backslash = { "#", "~" },
    ["102nd"] = { "\\", "|" }, z = { "z", "Z" }, x = { "x", "X" },
    c = { "c", "C" }, v = { "v", "V" }, b = { "b", "B" }, n = { "n", "N" },
    m = { "m", "M" }, comma = { ",", "<" }, dot = { ".", ">" },
    slash = { "/", "?" },
  },
}
