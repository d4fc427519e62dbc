-- Module desktop: virtual machines as desktops. What is started, and how, is in
-- policies/desktop.lua; a VM of that name that somebody has defined is taken as
-- it is. Every function answers when the thing is done, or says why not.

local block = require "block"
local display = require "display"
local fs = require "fs"
local nearest = require "nearest"
local strokes = require "strokes"
local sys = require "sys"
local vm = require "vm"

local desktop = {}

-- Another policy can be tried without another image.
local POLICY = sys.cmdline "desktop.policy" or "/boot/policies/desktop.lua"
local KEY, ABS, SYN = 1, 3, 0
local AT_ONCE = 2 -- seconds, until a program that is run is said to run on
local PRESSED = 0.05 -- seconds, that a button stays down
local PATIENCE = 5 -- seconds, until a guest takes what it is told

-- --- names ---

---The table of policies/desktop.lua, read anew.
---@return table? policy, string? message, string? code
function desktop.policy()
  local chunk, message = loadfile(POLICY, "t", {})
  if not chunk then
    return nil, "the desktop policy does not load: " .. message, "EINVAL"
  end
  local ok, result = pcall(chunk)
  if not ok or type(result) ~= "table" then
    return nil, POLICY .. (ok and " gives no table" or ": " .. tostring(result)),
      "EINVAL"
  end
  return result
end

-- All names that could be meant: those of the policy and VMs with a display.
local function names(rules)
  local list, seen = {}, {}
  local function add(name)
    if not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  for name, value in pairs(rules) do
    if type(value) == "table" then
      add(name)
    end
  end
  for _, guest in ipairs(vm.list()) do
    if guest:display() then
      add(guest:name())
    end
  end
  table.sort(list)
  return list
end

-- The desktop's name and its rules.
local function resolve(name)
  local rules, message, code = desktop.policy()
  if not rules then
    return nil, message, code
  end
  if name == nil then
    name = rules.default
  elseif type(name) ~= "string" then
    error("a desktop is named by a string, not a " .. type(name), 3)
  end
  local list = names(rules)
  local found = nearest.find(name or "", list)
  if not found then
    return nil, ("there is no desktop '%s'; there is: %s"):format(
      tostring(name), table.concat(list, ", ")), "ENOENT"
  end
  return found, type(rules[found]) == "table" and rules[found] or {}
end

local function running(name)
  local found, rules, code = resolve(name)
  if not found then
    return nil, rules, code
  end
  local guest = vm.get(found)
  local state = guest and guest:state()
  if state ~= "running" and state ~= "paused" then
    return nil, ("%s does not run (%s)"):format(found, state or "not started"),
      "ESRCH"
  end
  return guest, found, rules
end

-- --- life ---

-- Is the disk there? Others than those known by their number are left to the VM.
local function has_disk(source)
  local serial = source:match("^serial:(.*)")
  for _, b in ipairs(serial and block.list() or {}) do
    if b.serial == serial then
      return true
    end
  end
  return not serial
end

-- The first part of the desktop that is not there.
local function missing(rules)
  if not fs.exists(rules.kernel or "") then
    return tostring(rules.kernel)
  end
  local made = {}
  for _, overlay in ipairs(rules.overlays or {}) do
    made["serial:" .. overlay.name] = true
    for _, source in ipairs { overlay.base, overlay.state } do
      if not has_disk(source) then
        return "the disk " .. source
      end
    end
  end
  for _, disk in ipairs(rules.disks or {}) do
    if not made[disk.source] and not has_disk(disk.source) then
      return "the disk " .. disk.source
    end
  end
end

-- Its disks over bases, as the policy says; they stay when the VM ends.
local function overlay_disks(name, rules)
  for _, overlay in ipairs(rules.overlays or {}) do
    if not block.overlay_info(overlay.name) then
      local made, message, code = block.overlay(overlay)
      if not made then
        return nil, ("%s; desktop.reset_disk(%q, true) would begin it anew")
          :format(message, name), code
      end
    end
  end
  return true
end

local function define(name, rules)
  local part = missing(rules)
  if part then
    return nil, ("there is no desktop image: %s is missing; on the host, "
      .. "`ninja desktop` builds it"):format(part), "ENOENT"
  end
  local ok, wrong, why = overlay_disks(name, rules)
  if not ok then
    return nil, wrong, why
  end
  local area, message, code = display.area()
  if not area then
    return nil, message, code
  end
  local config = { display = { width = area.width, height = area.height } }
  for key, value in pairs(rules) do
    config[key] = value
  end
  config.name = name
  return vm.define(config)
end

-- Up, whatever it was before; also says what had to be done.
local function up(name, rules)
  local guest = vm.get(name)
  if not guest then
    local message, code
    guest, message, code = define(name, rules)
    if not guest then
      return nil, message, code
    end
  end
  local state = guest:state()
  local ok, message, code, done = true, nil, nil, "running"
  if state == "paused" then
    ok, message, code = guest:resume()
    done = "resumed"
  elseif state ~= "running" and state ~= "starting" then
    ok, message, code = guest:start()
    done = "started"
  end
  if not ok then
    return nil, ("%s does not start: %s"):format(name, message), code
  end
  if not guest:display() then
    return nil, name .. " has no display", "ENODEV"
  end
  return guest, done
end

---Start it if it is not up, hidden.
---@param name string?
---@return string? name, string? done_or_message, string? code
function desktop.start(name)
  local found, rules, code = resolve(name)
  if not found then
    return nil, rules, code
  end
  local guest, done
  guest, done, code = up(found, rules)
  if not guest then
    return nil, done, code
  end
  return found, done
end

local LAYOUTS = { "full", "split", "window" }

local function layout_of(name, wanted, rules)
  local form = wanted or rules.layout or "full"
  form = nearest.find(form, LAYOUTS)
  if not form then
    return nil, ("no layout '%s'; there is: %s"):format(wanted,
      table.concat(LAYOUTS, ", ")), "EINVAL"
  end
  if form == "split" then
    return { left = "terminal", right = name }
  elseif form == "window" then
    local area = display.area()
    return { window = name, title = name, width = area.width * 2 // 3,
      height = area.height * 2 // 3 }
  end
  return { full = name }
end

---Have it on the screen, started if it is not up, with keyboard and pointer.
---@param options table|string|nil name, layout
---@return string? name, string? message_or_done, string? code
function desktop.show(options)
  if type(options) ~= "table" then
    options = { name = options }
  end
  local name, rules, code = resolve(options.name)
  if not name then
    return nil, rules, code
  end
  local layout, wrong, why = layout_of(name, options.layout, rules)
  if not layout then
    return nil, wrong, why
  end
  local guest, done
  guest, done, code = up(name, rules)
  if not guest then
    return nil, done, code
  end
  local ok, message
  ok, message, code = display.layout(layout)
  if ok then
    ok, message, code = display.flush()
  end
  if not ok then
    return nil, message, code
  end
  return name, done
end

---Take it off the screen; it runs on.
---@param name string?
---@return string? name, string? message, string? code
function desktop.hide(name)
  local found, message, code = resolve(name)
  if not found then
    return nil, message, code
  end
  local surface = display.get(found)
  if not surface or not surface:info().shown then
    return nil, found .. " is not shown", "ENOENT"
  end
  local ok
  ok, message, code = display.hide(found)
  if ok then
    ok, message, code = display.flush()
  end
  if not ok then
    return nil, message, code
  end
  return found
end

local status_meta = {
  __name = "desktop status",
  __tostring = function(s)
    return ("%s: %s%s, %s%s"):format(s.name, s.state,
      s.reason and " (" .. s.reason .. ")" or "",
      s.shown and "shown" or "hidden",
      s.active and (", %dx%d, %d frames"):format(s.width, s.height, s.frames)
        or "")
  end,
}

---How it is.
---@param name string?
---@return table? status, string? message, string? code
function desktop.status(name)
  local found, message, code = resolve(name)
  if not found then
    return nil, message, code
  end
  local guest = vm.get(found)
  local status = guest and guest:display() or {}
  status.name, status.state = found, "not started"
  if guest then
    status.state, status.reason = guest:state()
  end
  local surface = display.get(found)
  status.shown = surface and surface:info().shown or false
  return setmetatable(status, status_meta)
end

---End it in order; killed when it takes too long, or cannot be asked.
---@param name string?
---@return string? name, string? how_or_message, string? code
function desktop.shutdown(name)
  local guest, found, rules = running(name)
  if not guest then
    return nil, found, rules
  end
  local seconds, how = rules.shutdown_seconds or 20, "shut down"
  if not (guest.shutdown and guest:shutdown()
      and guest:wait("stopped", seconds)) then
    local ok, message, code = guest:kill()
    if not ok then
      return nil, message, code
    end
    how = "killed: it could not be asked, or did not answer"
  end
  display.hide(found)
  return found, how
end

---As its reset button does.
---@param name string?
---@return string? name, string? message, string? code
function desktop.reset(name)
  local guest, found, code = running(name)
  if not guest then
    return nil, found, code
  end
  local ok, message
  ok, message, code = guest:reset()
  if not ok then
    return nil, message, code
  end
  return found
end

---Its disk as it was when it was made, from the next start on. What that would
---cost is said first; `true` does it.
---@param name string?
---@param confirmed boolean?
---@return string? name, string? message, string? code
function desktop.reset_disk(name, confirmed)
  local found, rules, code = resolve(name)
  if not found then
    return nil, rules, code
  end
  local guest = vm.get(found)
  if guest and block.overlay_info((rules.overlays or {})[1]
      and rules.overlays[1].name or "") then
    local bytes, message, why = guest:reset_disk(confirmed)
    return bytes and found, message, why
  elseif not rules.overlays then
    return nil, found .. " has no disk over a base", "ENOTSUP"
  elseif confirmed ~= true then
    return nil, ("all that was changed on the disk of %s would be lost for "
      .. "ever; desktop.reset_disk(%q, true) does it"):format(found, found),
      "ECANCELED"
  end
  for _, overlay in ipairs(rules.overlays) do
    block.remove_overlay(overlay.name)
    local made, message, why = block.overlay { name = overlay.name,
      base = overlay.base, state = overlay.state, reset = true }
    if not made then
      return nil, message, why
    end
  end
  return found
end

-- --- hands ---

-- Until the guest's drivers have taken all of it.
local function taken(guest)
  local before = guest:display()
  for _ = 1, PATIENCE * 100 do
    local now = guest:display()
    if not now then
      return nil, "it has ended", "ESRCH"
    elseif now.waiting == 0 then
      return true
    end
    sys.sleep(0.01)
  end
  return nil, ("it does not take its input (%d events wait)"):format(
    before.waiting), "ETIMEDOUT"
end

-- Linux keeps 64 events for a program that reads a device, and forgets all of
-- them when there are more. So, after some keys, the guest gets the time to draw
-- what it read.
local AT_ONCE_KEYS, DRAWING = 6, 0.4 -- seconds

local function drawn(guest)
  local before, deadline = guest:display(), sys.uptime() + DRAWING
  while before and sys.uptime() < deadline do
    local now = guest:display()
    if not now or now.frames ~= before.frames then
      return
    end
    sys.sleep(0.01)
  end
end

local function listening(name)
  local guest, found, code = running(name)
  if not guest then
    return nil, found, code
  end
  local now = guest:display()
  if not now or not now.keyboard then
    return nil, found .. " has no keyboard driver yet", "EAGAIN"
  end
  return guest, found
end

local function key_of(guest)
  return function(code, down)
    guest:input(KEY, code, down and 1 or 0)
    guest:input(SYN)
    return true
  end
end

---Type a text into it, whoever has the keyboard.
---@param text string
---@param name string?
---@return string? name, string? message, string? code
function desktop.type(text, name)
  if type(text) ~= "string" or not utf8.len(text) then
    error("desktop.type: expected a text in UTF-8", 2)
  end
  local guest, found, code = listening(name)
  if not guest then
    return nil, found, code
  end
  local list, message, why = strokes.of(text)
  if not list then
    return nil, message, why
  end
  for i, stroke in ipairs(list) do
    strokes.play({ stroke }, key_of(guest))
    local ok
    ok, message, why = taken(guest)
    if not ok then
      return nil, message, why
    elseif i % AT_ONCE_KEYS == 0 then
      drawn(guest)
    end
  end
  return found
end

---Press keys together and release them: "ctrl+alt+t".
---@param keys string
---@param name string?
---@return string? name, string? message, string? code
function desktop.press(keys, name)
  local list = {}
  for word in tostring(keys):gmatch "[^+%s]+" do
    list[#list + 1] = strokes.code(word)
      or error(("desktop.press: there is no key '%s'"):format(word), 2)
  end
  local guest, found, code = listening(name)
  if not guest then
    return nil, found, code
  end
  local key = key_of(guest)
  for i = 1, #list do
    key(list[i], true)
  end
  for i = #list, 1, -1 do
    key(list[i], false)
  end
  local ok, message, why = taken(guest)
  if not ok then
    return nil, message, why
  end
  return found
end

---Press and release a button at a pixel of its picture.
---@param x integer
---@param y integer
---@param name string?
---@param button string? "left"
---@return string? name, string? message, string? code
function desktop.click(x, y, name, button)
  local code = strokes.code("mouse_" .. (button or "left"))
  if not math.tointeger(x) or not math.tointeger(y) or not code then
    error("desktop.click: expected x, y and perhaps a button", 2)
  end
  local guest, found, why = listening(name)
  if not guest then
    return nil, found, why
  end
  guest:input(ABS, 0, math.tointeger(x))
  guest:input(ABS, 1, math.tointeger(y))
  guest:input(SYN)
  -- What is under the pointer knows of it before the button goes down.
  drawn(guest)
  key_of(guest)(code, true)
  sys.sleep(PRESSED)
  key_of(guest)(code, false)
  local ok, message, failed = taken(guest)
  if not ok then
    return nil, message, failed
  end
  return found
end

-- What a program said and how it ended, or that it runs on.
local function outcome(agent, process)
  for _ = 1, AT_ONCE * 20 do
    local result, message, code = agent:status(process)
    if result == nil then
      return nil, message, code
    elseif result and result.exit == 0 then
      return result.output or ""
    elseif result then
      return nil, ("it ended with %s: %s"):format(result.exit or result.signal,
        ((result.errors or "") .. (result.output or "")):gsub("%s+$", "")), "EIO"
    end
    sys.sleep(0.05)
  end
  return ("process %d runs on"):format(process)
end

---Run a program in it, by its guest agent, as the policy's `run_with`.
---@param command string
---@param name string?
---@return string? result, string? message, string? code
function desktop.run(command, name)
  if type(command) ~= "string" then
    error("desktop.run: expected a command", 2)
  end
  local guest, found, rules = running(name)
  if not guest then
    return nil, found, rules
  end
  local agent, message, code = guest:agent()
  if not agent then
    return nil, message, code
  end
  local process
  process, message, code = agent:spawn(rules.run_with
    and { rules.run_with, command } or command)
  if not process then
    return nil, message, code
  end
  return outcome(agent, process)
end

---Save its picture as PNG, shown or hidden.
---@param name string?
---@param path string? /tmp/NAME.png
---@return string? path, string? message, string? code
function desktop.screenshot(name, path)
  local found, message, code = resolve(name)
  if not found then
    return nil, message, code
  end
  local surface = display.get(found)
  if not surface then
    return nil, found .. " has no picture: it was not started", "ENOENT"
  end
  local png
  png, message, code = surface:png()
  if not png then
    return nil, message, code
  end
  path = path or ("/tmp/%s.png"):format(found)
  local ok
  ok, message, code = fs.write(path, png)
  if not ok then
    return nil, message, code
  end
  return path
end

return desktop
