-- The colours of the prompt: one small set for the line as it is typed, for
-- results, and for errors. Only the 16 colours that every terminal has, each
-- readable on black and on white.

local concat = table.concat

local palette = {}

---Style name -> SGR parameters. A style that is nothing but one colour can
---follow another without a reset, which saves bytes on a serial line.
---@type table<string, string>
palette.styles = {
  plain = "",
  prompt = "1;36",
  continuation = "36",
  -- source
  keyword = "35",
  string = "32",
  number = "33",
  comment = "90",
  bracket = "1;4",
  control = "7",
  -- values
  constant = "33",
  func = "94",
  key = "36",
  object = "95",
  dim = "90",
  -- sentences
  error = "91",
  warning = "93",
  heading = "1",
  selected = "7",
}

---@param style string
---@return boolean # whether a reset is needed before another style may follow
function palette.is_sticky(style)
  local sgr = palette.styles[style]
  return sgr ~= "" and #sgr ~= 2
end

---@param style string
---@param text string one line or more; must not hold escape sequences
---@return string
function palette.paint(style, text)
  local sgr = palette.styles[style]
  if not sgr or sgr == "" or text == "" then
    return text
  end
  return concat { "\27[", sgr, "m", text, "\27[m" }
end

return palette
