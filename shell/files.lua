-- What lies in a directory, through module fs if this domain has it. Its
-- answers may be names or records.

local ipairs, pcall, require, type = ipairs, pcall, require, type

local files = {}

local MAX_ENTRIES = 5000

local function is_directory(entry)
  return entry.type == "directory" or entry.type == "dir"
    or entry.is_dir == true or entry.directory == true
end

---@param path string
---@return { name: string, directory: boolean }[]
function files.list(path)
  local found = {}
  local ok, fs = pcall(require, "fs")
  if not ok or type(fs) ~= "table" or type(fs.list) ~= "function" then
    return found
  end
  local listed, entries = pcall(fs.list, path)
  if not listed or type(entries) ~= "table" then
    return found
  end
  for i, entry in ipairs(entries) do
    if i > MAX_ENTRIES then
      break
    elseif type(entry) == "string" then
      local name = entry:gsub("/$", "")
      found[#found + 1] = { name = name, directory = name ~= entry }
    elseif type(entry) == "table" and type(entry.name) == "string" then
      local name = entry.name:gsub("/$", "")
      found[#found + 1] = {
        name = name, directory = is_directory(entry) or name ~= entry.name,
      }
    end
  end
  return found
end

return files
