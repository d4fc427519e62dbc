-- Host script: LuaLS annotation files from the documentation tables.
--
-- usage: lua5.4 lua/annotate.lua OUT_DIR lua/doc/*.lua

local out_dir = assert(arg[1], "usage: annotate.lua OUT_DIR DOC_FILE...")

-- An optional type may be written at the name as well as at the type.
local function argument(item)
  local name, kind = item[1], item[2] or "any"
  if name ~= "..." and kind:find("%?$") then
    return name .. "?", (kind:gsub("%?$", ""))
  end
  return name, kind
end

local function comment(lines, text)
  for line in (text or ""):gmatch("[^\n]+") do
    lines[#lines + 1] = "---" .. line
  end
end

local function add_function(lines, prefix, doc)
  local names = {}
  lines[#lines + 1] = ""
  comment(lines, doc.text)
  if doc.example then
    comment(lines, "```lua\n" .. doc.example .. "\n```")
  end
  for _, item in ipairs(doc.args or {}) do
    local name, kind = argument(item)
    names[#names + 1] = item[1]
    lines[#lines + 1] = ("---@param %s %s %s"):format(name, kind, item[3] or "")
  end
  for _, item in ipairs(doc.returns or {}) do
    lines[#lines + 1] = ("---@return %s # %s"):format(item[1], item[2] or "")
  end
  lines[#lines + 1] = ("function %s%s(%s) end"):format(prefix, doc.name,
    table.concat(names, ", "))
end

-- Functions such as test.crash live in a table of the module.
local function add_tables(lines, doc)
  local done = {}
  for _, item in ipairs(doc.functions) do
    local name = item.name:match("^(.+)%.")
    if name and not done[name] then
      done[name] = true
      lines[#lines + 1] = ("%s.%s = {}"):format(doc.module, name)
    end
  end
end

local function annotations(doc)
  local lines = { "---@meta " .. doc.module, "" }
  comment(lines, doc.summary)
  comment(lines, doc.text)
  lines[#lines + 1] = ("---@class %s"):format(doc.module)
  lines[#lines + 1] = doc.module .. " = {}"
  add_tables(lines, doc)
  for _, item in ipairs(doc.functions) do
    add_function(lines, doc.module .. ".", item)
  end
  for _, class in ipairs(doc.classes or {}) do
    lines[#lines + 1] = ""
    comment(lines, class.text)
    lines[#lines + 1] = ("---@class %s.%s"):format(doc.module, class.name)
    lines[#lines + 1] = ("local %s = {}"):format(class.name)
    for _, method in ipairs(class.methods) do
      add_function(lines, class.name .. ":", method)
    end
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "return " .. doc.module
  return table.concat(lines, "\n") .. "\n"
end

for i = 2, #arg do
  local doc = dofile(arg[i])
  local path = ("%s/%s.lua"):format(out_dir, doc.module)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(annotations(doc)))
end
