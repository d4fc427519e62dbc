-- Which modules of the system there are, and the variables that a session sees:
-- its own first, then the shell's words, then the globals, then the system's
-- modules, loaded when they are first named.

local pcall, require, setmetatable = pcall, require, setmetatable
local package_loaded, package_preload = package.loaded, package.preload

local modules = {}

---In the order in which help() shows them.
modules.names = {
  "sys", "domain", "log", "fs", "block", "console", "trace", "event", "reflex", "vm", "agent",
  "dev", "display", "desktop", "input", "net", "volume", "mind", "policy", "cjson", "lpeg",
}

local known = {}
for _, name in ipairs(modules.names) do
  known[name] = true
end

---Whether a name is one of the system's modules, whatever this domain may load.
---@param name string
---@return boolean
function modules.is_known(name)
  return known[name] == true or package_preload[name] ~= nil
end

---@param name string
---@return any # the module, or nil
function modules.load(name)
  local module = package_loaded[name]
  if module == nil and modules.is_known(name) then
    local ok, result = pcall(require, name)
    module = ok and result or nil
  end
  return module
end

---A session's variables.
---@param globals table
---@param words table what the shell itself offers
---@return table
function modules.environment(globals, words)
  setmetatable(words, {
    __index = function(_, name)
      local value = globals[name]
      if value == nil and known[name] then
        return modules.load(name)
      end
      return value
    end,
  })
  return setmetatable({}, { __index = words })
end

return modules
