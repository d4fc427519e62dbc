-- Host script: the pages docs/<module>.md from the documentation tables.
--
-- usage: lua5.4 lua/docpages.lua OUT_DIR lua/doc/*.lua

local out_dir = assert(arg[1], "usage: docpages.lua OUT_DIR DOC_FILE...")

local WIDTH = 100

-- Break a paragraph at blanks; `indent` goes before all lines but the first.
local function wrapped(text, indent)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if line ~= "" and #line + 1 + #word > WIDTH then
      lines[#lines + 1] = line
      line = indent .. word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function add(lines, ...)
  for _, line in ipairs { ... } do
    lines[#lines + 1] = line
  end
end

-- Optional arguments have a type that ends with "?".
local function signature(prefix, doc)
  local names = {}
  for _, item in ipairs(doc.args or {}) do
    local optional = (item[2] or ""):find("%?$")
    names[#names + 1] = optional and "[" .. item[1] .. "]" or item[1]
  end
  return ("%s%s(%s)"):format(prefix, doc.name, table.concat(names, ", "))
end

local function type_text(kind)
  return "*" .. kind:gsub("%?$", ""):gsub("%*", "\\*") .. "*"
end

-- What a failure gives is the same everywhere: nil, the reason, a code.
local function is_failure(returns)
  local n = #returns
  return n >= 3 and returns[n][1] == "string?" and returns[n - 1][1] == "string?"
end

local function result_lines(returns)
  local parts, count = {}, #returns
  local fails = is_failure(returns)
  for i = 1, fails and count - 2 or count do
    local item = returns[i]
    parts[i] = type_text(item[1]) .. (item[2] and " (" .. item[2] .. ")" or "")
  end
  local text = "- returns " .. table.concat(parts, ", ")
  return text .. (fails and "; or nil, a message and an error code" or "")
end

local function add_function(lines, prefix, doc)
  add(lines, "### `" .. signature(prefix, doc) .. "`", "",
    wrapped(doc.text, ""), "")
  local before = #lines
  for _, item in ipairs(doc.args or {}) do
    local optional = (item[2] or ""):find("%?$") and ", optional" or ""
    add(lines, wrapped(("- `%s`: %s%s%s"):format(item[1],
      type_text(item[2] or "any"), optional,
      item[3] and ": " .. item[3] or ""), "  "))
  end
  if doc.returns and #doc.returns > 0 then
    add(lines, wrapped(result_lines(doc.returns), "  "))
  end
  if #lines > before then
    add(lines, "")
  end
  if doc.example then
    add(lines, "```", "ray> " .. doc.example:gsub("\n", "\n...> "), "```", "")
  end
end

local function page(doc, path)
  local lines = {
    ("<!-- Made from %s by lua/docpages.lua: change that file. -->"):format(path),
    "", "# " .. doc.module, "", wrapped(doc.summary .. " " .. (doc.text or ""), ""),
    "",
  }
  if doc.intro then
    add(lines, (doc.intro:gsub("^%s*\n", ""):gsub("%s*$", "")), "")
  end
  add(lines, "## Functions", "")
  for _, item in ipairs(doc.functions) do
    add_function(lines, doc.module .. ".", item)
  end
  for _, class in ipairs(doc.classes or {}) do
    add(lines, "## Methods of " .. class.name, "", wrapped(class.text, ""), "")
    for _, method in ipairs(class.methods) do
      add_function(lines, class.name .. ":", method)
    end
  end
  return (table.concat(lines, "\n"):gsub("\n+$", "\n"))
end

for i = 2, #arg do
  local doc = dofile(arg[i])
  local path = ("%s/%s.md"):format(out_dir, doc.module)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(page(doc, arg[i]:match("lua/doc/.*") or arg[i])))
end
