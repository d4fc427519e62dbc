-- What a person reads when an entry fails: one line that says what happened,
-- then where, without the shell's own frames.

local find, format, gmatch, gsub = string.find, string.format, string.gmatch, string.gsub
local match, rep, sub = string.match, string.rep, string.sub
local concat, type = table.concat, type
local palette = require "palette"
local pretty = require "pretty"

local paint = palette.paint

local report = {}

local MAX_FRAMES = 10
local MAX_MESSAGE = 2000

-- Every line painted by itself: a terminal may drop a colour at a line's end.
local function paint_lines(style, text)
  local out = {}
  for line in gmatch(text, "[^\n]+") do
    out[#out + 1] = paint(style, line)
  end
  return concat(out, "\n")
end

---A mistake in the grammar: the message, the line, a caret below the place.
---@param mistake shell.mistake
---@param lines integer how many the entry has
---@return string
function report.syntax(mistake, lines)
  local where = lines > 1 and format("line %d: ", mistake.line) or ""
  local out = { paint("error", "error: " .. where .. pretty.safe(mistake.message)) }
  -- The bytes before the caret become as many blanks as they take columns.
  local before = mistake.column and sub(mistake.text, 1, mistake.column)
  out[2] = "  " .. pretty.safe(mistake.text)
  if before then
    local columns = require "width".text(pretty.safe(before))
    out[3] = "  " .. rep(" ", columns) .. paint("error", "^")
  end
  return concat(out, "\n")
end

-- What stands between the user's frames and the shell's: the call that protects
-- the entry, and the entry itself if it ended in a tail call.
local function drop_runner(frames)
  while frames[1] and (find(frames[#frames], "^%[C%]: in")
      or find(frames[#frames], "^%(%.%.%.tail calls")) do
    frames[#frames] = nil
  end
end

-- The frames of a traceback that are the user's, innermost first.
local function frames_of(traceback, entry)
  local frames = {}
  local main = "^" .. gsub(entry, "%p", "%%%0") .. ":%d+: in main chunk"
  for line in gmatch(traceback, "[^\n]+") do
    local text = match(line, "^%s+(.*)$")
    if text and find(text, "shell/repl%.lua:%d+: in") then
      drop_runner(frames)
      return frames
    elseif text and not find(text, "shell/[%w_]+%.lua:%d+: in") then
      frames[#frames + 1] = text
    end
    if text and find(text, main) then
      return frames
    end
  end
  return frames
end

-- "[C]: in function 'error'" on top says nothing.
local function drop_raisers(frames)
  while frames[1] and (find(frames[1], "^%[C%]: in function 'error'")
      or find(frames[1], "^%[C%]: in %?")) do
    table.remove(frames, 1)
  end
end

local function shown_frames(frames)
  local out = {}
  for i, frame in ipairs(frames) do
    local middle = #frames > MAX_FRAMES and i > MAX_FRAMES // 2
      and i <= #frames - MAX_FRAMES // 2
    if not middle then
      out[#out + 1] = "  " .. pretty.safe(frame)
    elseif i == MAX_FRAMES // 2 + 1 then
      out[#out + 1] = format("  ... %d more", #frames - 2 * (MAX_FRAMES // 2))
    end
  end
  return out
end

local function message_text(message)
  if type(message) == "string" then
    local cut = #message > MAX_MESSAGE and sub(message, 1, MAX_MESSAGE) .. "..."
      or message
    return pretty.safe(gsub(cut, "\t", "  "), "\n")
  end
  local text = pretty.format(message, { plain = true })
  return type(message) == "table" and "(" .. type(message) .. ") " .. text or text
end

local function interrupted_text(frames)
  for _, frame in ipairs(frames) do
    if not find(frame, "^%[C%]") then
      local place, what = match(frame, "^(.-:%d+): in (.*)$")
      what = what and gsub(what, "^main chunk$", "")
      return " at " .. pretty.safe(place or frame)
        .. (what and what ~= "" and ", in " .. pretty.safe(what) or "")
    end
  end
  return ""
end

---A failure from what a message handler like debug.traceback gave.
---@param value any
---@return table failure
function report.split(value)
  if type(value) ~= "string" then
    return { message = value, traceback = "" }
  end
  local message, traceback = match(value, "^(.-)\n(stack traceback:\n.*)$")
  message = message or value
  return {
    message = message, traceback = traceback or "",
    interrupted = message == "interrupted",
  }
end

---An error while an entry ran.
---@param failure { message: any, traceback?: string, interrupted?: boolean }
---@param entry string the chunk's name
---@param lines integer how many lines it has
---@return string
function report.failure(failure, entry, lines)
  local frames = frames_of(failure.traceback or "", entry)
  if failure.interrupted then
    return paint("warning", "interrupted" .. interrupted_text(frames))
  end
  drop_raisers(frames)
  local message = message_text(failure.message)
  local own = gsub(entry, "%p", "%%%0")
  if lines == 1 then
    message = gsub(message, "^" .. own .. ":1: ", "", 1)
  end
  local out = { paint_lines("error", "error: " .. message) }
  -- The entry itself says nothing that the message does not.
  local only = #frames == 1 and find(frames[1], ": in main chunk$")
  if #frames > 0 and not (only and (lines == 1
      or find(message, "^" .. own .. ":"))) then
    out[2] = paint_lines("dim", concat(shown_frames(frames), "\n"))
  end
  return concat(out, "\n")
end

return report
