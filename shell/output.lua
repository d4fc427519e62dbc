-- Knows whether what chunks printed ended with a newline, so that the next
-- prompt begins at the left edge. Standard output is watched where Lua code
-- writes to it: print, io.write and the write method of files.

local byte, type, select = string.byte, type, select
local getmetatable = debug and debug.getmetatable or getmetatable

local output = { at_start = true }

-- Whether the cursor is at the left edge after these pieces.
local function state_after(...)
  for i = select("#", ...), 1, -1 do
    local piece = select(i, ...)
    if type(piece) == "number" then
      return false
    elseif type(piece) == "string" and piece ~= "" then
      return byte(piece, -1) == 10
    end
  end
  return output.at_start
end

local function settle(state, ...)
  output.at_start = state
  return ...
end

---Watch these functions; call it once in a Lua state.
---@param globals table usually _G
function output.watch(globals)
  local io_table, print_function = globals.io, globals.print
  local stdout = io_table.stdout
  local methods = getmetatable(stdout).__index
  local io_write, file_write = io_table.write, methods.write

  -- A write that fails or is interrupted leaves the state at "not known", which
  -- is false.
  function globals.print(...)
    output.at_start = false
    return settle(true, print_function(...))
  end
  function io_table.write(...)
    if io_table.output() ~= stdout then
      return io_write(...)
    end
    local state = state_after(...)
    output.at_start = false
    return settle(state, io_write(...))
  end
  function methods.write(file, ...)
    if file ~= stdout then
      return file_write(file, ...)
    end
    local state = state_after(...)
    output.at_start = false
    return settle(state, file_write(file, ...))
  end
end

return output
