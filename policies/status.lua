-- What the bar at the top of the screen says. Returns a function that is called
-- about once a second; it answers a table of three lists, each of texts or of
-- { text =, colour = "text", "dim", "accent", "warn" or "good", bold = }.

local display = require "display"
local log = require "log"
local sys = require "sys"

local function megabytes(bytes)
  return ("%d MB"):format((bytes + 524288) // 1048576)
end

-- Share of the time in which the CPUs had something to do, since the last call.
local busy_before, time_before
local function load()
  local idle, now = 0, sys.uptime()
  local cpus = sys.cpus()
  for _, cpu in ipairs(cpus) do
    idle = idle + cpu.idle
  end
  local busy = #cpus * now - idle
  local share = 0
  if time_before and now > time_before then
    share = (busy - busy_before) / ((now - time_before) * #cpus)
  end
  busy_before, time_before = busy, now
  return math.max(0, math.min(1, share))
end

-- What lies over the terminal and takes the keyboard.
local function presented()
  for _, info in ipairs(display.surfaces()) do
    if info.shown and info.name ~= "terminal" and info.z < display.z.bar
        and info.z >= display.z.surface then
      return info.name
    end
  end
  return "terminal"
end

-- The last warning, for a minute.
local function warning()
  local records = log.tail(20)
  for i = #records, 1, -1 do
    local record = records[i]
    if sys.uptime() - record.time > 60 then
      return nil
    elseif record.level == "warn" or record.level == "error" then
      return { text = record.module .. ": " .. record.text, colour = "warn" }
    end
  end
end

return function()
  local memory = sys.memory()
  return {
    left = {
      { text = "RayOS", colour = "accent", bold = true },
      { text = presented() },
      warning(),
    },
    centre = { { text = os.date "!%a %d %b  %H:%M", bold = true } },
    right = {
      { text = ("CPU %2.0f%%"):format(load() * 100), colour = "dim" },
      { text = megabytes(memory.total - memory.free) .. " of " .. megabytes(memory.total),
        colour = "dim" },
    },
  }
end
