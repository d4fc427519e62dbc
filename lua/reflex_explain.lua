-- Reads the images of reflexes back: their program as text, and their source.

local explain = {}

local NAME = "c32"
local HEADER = "<c4I4" .. NAME .. "I8I8I2I2I2I2I2I2I2I1I1I4I4"

local function trim(text)
  return (text:match "^[^\0]*")
end

local function read_list(image, at, count, format, make)
  local list = {}
  for i = 1, count do
    local values = { string.unpack(format, image, at) }
    at = values[#values]
    list[i] = make(table.unpack(values))
  end
  return list, at
end

local function read_calls(image, at, count)
  return read_list(image, at, count, "<" .. NAME
    .. "I1xxxI1xI2I1xI2I1xI2I1xI2I4",
    function(name, argc, ...)
      local rest, args = { ... }, {}
      for i = 1, math.min(argc, 4) do
        args[i] = { kind = rest[2 * i - 1], index = rest[2 * i] }
      end
      return { name = trim(name), args = args }
    end)
end

---The parts of an image.
---@param image string
---@return table
function explain.decode(image)
  local _, _, name, budget, ttl, entries, insns, constants, strings, calls,
    windows,
    counters, cells, priority, source, _, at = string.unpack(HEADER, image)
  local out = { name = trim(name), budget = budget, ttl = ttl, cells = cells,
    priority = priority }
  out.entries, at = read_list(image, at, entries, "<" .. NAME .. "I4I1I1I2",
    function(type, code, by_code, _, start)
      return { type = trim(type), code = by_code == 1 and code or nil,
        start = start }
    end)
  out.insns, at = read_list(image, at, insns, "<I1I1I1I1i4", function(op, a, b,
    c, imm)
    return { op = op, a = a, b = b, c = c, imm = imm }
  end)
  out.constants, at = read_list(image, at, constants, "<i8", function(value)
    return value
  end)
  out.strings, at = read_list(image, at, strings, "<" .. NAME, trim)
  out.calls, at = read_calls(image, at, calls)
  out.windows, at = read_list(image, at, windows, "<I8I4I4", function(within,
    count)
    return { within = within, count = count }
  end)
  out.counters, at = read_list(image, at, counters, "<" .. NAME, trim)
  out.source = trim(image:sub(at, at + source - 1))
  return out
end

local function duration(ns)
  if ns % 1000000000 == 0 then
    return ("%d s"):format(ns // 1000000000)
  elseif ns % 1000000 == 0 then
    return ("%d ms"):format(ns // 1000000)
  end
  return ("%d ns"):format(ns)
end

local ARGUMENT = {
  [0] = function(parts, index) return tostring(parts.constants[index + 1]) end,
  [1] = function(parts,
    index) return ("%q"):format(parts.strings[index + 1]) end,
  [2] = function(_, index) return "r" .. index end,
}

local function call_text(parts, index)
  local call, args = parts.calls[index + 1], {}
  for i, arg in ipairs(call.args) do
    args[i] = ARGUMENT[arg.kind](parts, arg.index)
  end
  return ("%s(%s)"):format(call.name, table.concat(args, ", "))
end

local function field_name(parts, types, index)
  local type = types[parts.entries[1].type]
  local same = true
  for _, entry in ipairs(parts.entries) do
    same = same and entry.type == parts.entries[1].type
  end
  return same and type and type.fields[index + 1]
    and type.fields[index + 1].name
    or "field " .. index
end

local SYMBOLS = { add = "+", sub = "-", mul = "*", div = "//", mod = "%",
  ["and"] = "&",
  ["or"] = "|", xor = "~", shl = "<<", shr = ">>", eq = "==", ne = "~=",
    lt = "<",
  le = "<=" }

local OPERATION = {
  imm = function(i) return ("r%d = %d"):format(i.a, i.imm) end,
  const = function(i, p) return ("r%d = %d"):format(i.a,
    p.constants[i.imm + 1]) end,
  field = function(i, p, types)
    return ("r%d = %s"):format(i.a, field_name(p, types, i.imm))
  end,
  mov = function(i) return ("r%d = r%d"):format(i.a, i.b) end,
  neg = function(i) return ("r%d = -r%d"):format(i.a, i.b) end,
  inv = function(i) return ("r%d = ~r%d"):format(i.a, i.b) end,
  ["not"] = function(i) return ("r%d = not r%d"):format(i.a, i.b) end,
  text_eq = function(i, p, types)
    return ("r%d = %s == %q"):format(i.a, field_name(p, types, i.imm & 0xffff),
      p.strings[(i.imm >> 16 & 0xffff) + 1])
  end,
  jmp = function(i, _, _, at) return ("go to %d"):format(at + i.imm) end,
  jz = function(i, _, _, at) return ("if not r%d go to %d"):format(i.a,
    at + i.imm) end,
  jnz = function(i, _, _, at) return ("if r%d go to %d"):format(i.a,
    at + i.imm) end,
  cell_get = function(i) return ("r%d = my cell %d"):format(i.a, i.imm) end,
  cell_set = function(i) return ("my cell %d = r%d"):format(i.imm, i.b) end,
  cell_add = function(i)
    return ("r%d = my cell %d += r%d"):format(i.a, i.imm, i.b)
  end,
  shared_get = function(i, p)
    return ("r%d = counter.%s"):format(i.a, p.counters[i.imm + 1])
  end,
  shared_set = function(i, p)
    return ("counter.%s = r%d"):format(p.counters[i.imm + 1], i.b)
  end,
  shared_add = function(i, p)
    return ("r%d = counter.%s += r%d"):format(i.a, p.counters[i.imm + 1], i.b)
  end,
  count = function(i, p)
    local w = p.windows[i.imm + 1]
    return ("r%d = %d within %s"):format(i.a, w.count, duration(w.within))
  end,
  cool = function(i, p)
    return ("r%d = cool after %s"):format(i.a,
      duration(p.constants[(i.imm >> 16) + 1]))
  end,
  step = function(i) return ("r%d = step of sequence"):format(i.a) end,
  go = function(i, p)
    local time = p.constants[(i.imm >> 16 & 0xffff) + 1]
    return ("r%d = step %d to %d%s"):format(i.a, i.b, i.c,
      time >= 0 and ", for " .. duration(time) or "")
  end,
  act = function(i, p) return call_text(p, i.imm) end,
}

local function insn_text(insn, parts, operations, types, at)
  local name = operations[insn.op].name
  if SYMBOLS[name] then
    return ("r%d = r%d %s r%d"):format(insn.a, insn.b, SYMBOLS[name], insn.c)
  end
  return OPERATION[name] and OPERATION[name](insn, parts, types, at) or name
end

---An image as text: where it is entered, each instruction, and its bound.
---@param image string
---@param bound integer
---@param operations table from the core
---@param types table by name
---@return string
function explain.text(image, bound, operations, types)
  local parts = explain.decode(image)
  local lines, starts = {}, {}
  for _, entry in ipairs(parts.entries) do
    starts[entry.start] = (starts[entry.start] and starts[entry.start] .. ", "
      or "")
      .. entry.type .. (entry.code and " " .. entry.code or "")
  end
  lines[1] = ("rule %s, priority %d: at most %d steps"):format(parts.name,
    parts.priority, bound)
  for i, insn in ipairs(parts.insns) do
    local at = i - 1
    if starts[at] then
      lines[#lines + 1] = "on " .. starts[at]
    end
    lines[#lines + 1] = ("%4d  %s"):format(at,
      insn_text(insn, parts, operations, types, at))
  end
  return table.concat(lines, "\n")
end

return explain
