-- The first screen and the life of a session. The first prompt is on the
-- terminal before the editor is even loaded: loading it is hidden behind the
-- time that a person takes to read.

local find, format, gsub = string.find, string.format, string.gsub
local concat, pcall, type = table.concat, pcall, type
local paint = require "palette".paint
local terminal = require "terminal"

local session = {}

local PROMPT, CONTINUATION = "ray> ", "...> "

-- A function of module sys that may be missing or fail.
local function ask(sys, name)
  local f = type(sys) == "table" and sys[name]
  if type(f) ~= "function" then
    return nil
  end
  local ok, first, second = pcall(f)
  if ok then
    return first, second
  end
  return nil
end

-- Text from the firmware or the hardware is not trusted with the terminal.
local function plain(value)
  if type(value) ~= "string" then
    return nil
  end
  local text = gsub(gsub(value, "[^\32-\126]", ""), "%s+", " ")
  text = gsub(text, "^ ?(.-) ?$", "%1")
  return text ~= "" and text or nil
end

local function memory_text(bytes)
  if bytes >= 1 << 30 then
    return (gsub(format("%.1f GiB of memory", bytes / (1 << 30)), "%.0 ", " "))
  end
  return format("%.0f MiB of memory", bytes / (1 << 20))
end

-- What the signatures of hypervisors (CPUID 0x40000000) stand for.
local HYPERVISORS = {
  TCGTCGTCGTCG = "QEMU (TCG)", KVMKVMKVM = "KVM", VMwareVMware = "VMware",
  ["Microsoft Hv"] = "Hyper-V", VBoxVBoxVBox = "VirtualBox",
}

-- What machine this is, in one line, of what is known.
local function machine_line(machine)
  if type(machine) ~= "table" then
    return nil
  end
  local parts = { plain(machine.brand) or plain(machine.vendor) }
  if math.type(machine.cpus) == "integer" then
    parts[#parts + 1] = machine.cpus == 1 and "1 CPU"
      or format("%d CPUs", machine.cpus)
  end
  if type(machine.memory) == "number" then
    parts[#parts + 1] = memory_text(machine.memory)
  end
  local below = plain(machine.hypervisor)
  if below and below ~= "none" then
    parts[#parts + 1] = "under " .. (HYPERVISORS[below] or below)
  end
  return #parts > 0 and concat(parts, ", ") or nil
end

local function version_text(version)
  if type(version) == "table" then
    version = concat({ plain(version.name) or "RayOS",
      plain(version.version) or plain(version.text) }, " ")
  end
  version = plain(version) or ""
  return find(version, "RayOS", 1, true) and version
    or plain("RayOS " .. version)
end

---The lines above the first prompt.
---@param sys table
---@return string[]
function session.first_screen(sys)
  local lines = { paint("heading", version_text(ask(sys, "version"))) }
  lines[#lines + 1] = machine_line(ask(sys, "machine"))
  lines[#lines + 1] = "Lua 5.4 in the kernel. Type " .. paint("prompt", "help()")
    .. " for help; Tab completes, Ctrl-C interrupts."
  if ask(sys, "last_panic") then
    lines[#lines + 1] = paint("warning",
      "The previous boot ended in a panic: sys.last_panic() shows it")
  end
  local safe, reason = ask(sys, "safe_mode")
  if safe then
    lines[#lines + 1] = paint("warning", "SAFE MODE: user scripts and policies "
      .. "are not loaded (" .. (plain(reason) or "no reason given") .. ")")
  end
  lines[#lines + 1] = ""
  return lines
end

---Run a session until its user leaves it.
---@param console shell.console
---@param sys table? module sys
function session.run(console, sys)
  -- Asked first, so that the answer comes while all else goes on; it is read
  -- like a key, if it comes.
  local columns = console.size()
  console.write((columns and "" or terminal.ask_size)
    .. concat(session.first_screen(sys), "\r\n") .. "\r\n" .. terminal.paste_on)
  ask(sys, "boot_done")
  console.write(paint("prompt", PROMPT))

  local output = require "output"
  pcall(io.stdout.setvbuf, io.stdout, "line")
  output.watch(_G)
  require "repl".new(console, PROMPT, CONTINUATION):run(true)
end

return session
