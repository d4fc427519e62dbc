-- The image of a rule as the compiler makes it: lists that grow, jumps that are
-- aimed, and at the end the bytes that the kernel reads (rayos/reflex.h).

local image = {}

local OPS = {}
for number, name in ipairs {
  "imm", "const", "field", "mov", "neg", "inv", "not",
  "add", "sub", "mul", "div", "mod", "and", "or", "xor", "shl", "shr",
  "eq", "ne", "lt", "le", "text_eq", "jmp", "jz", "jnz",
  "cell_get", "cell_set", "cell_add",
  "shared_get", "shared_set", "shared_add",
  "count", "cool", "step", "go", "hit", "miss", "act", "consume",
} do
  OPS[name] = number
end
OPS["end"] = 0

local NAME = "c32" -- NUL padded

local Image = {}
Image.__index = Image

---@param rule table of reflex_parse
---@param world table what there is: types, actions
function image.new(rule, world)
  return setmetatable({
    rule = rule, world = world,
    code = {}, entries = {}, constants = {}, strings = {}, calls = {},
    windows = {},
    counters = {}, cells = {}, cell_count = 0, pools = {},
  }, Image)
end

function Image:emit(op, a, b, c, imm)
  self.code[#self.code + 1] = { op = OPS[op], name = op, a = a or 0, b = b or 0,
    c = c or 0, imm = imm or 0 }
  return #self.code
end

-- Index of a value in one of the lists, from 0; added when it is new.
function Image:pool(list, value, most)
  self.pools[list] = self.pools[list] or {}
  local pool, values = self.pools[list], self[list]
  if not pool[value] then
    if #values >= most then
      error { text = ("the rule needs more than %d %s"):format(most, list) }
    end
    values[#values + 1] = value
    pool[value] = #values - 1
  end
  return pool[value]
end

function Image:constant(value)
  return self:pool("constants", value, 128)
end

function Image:new_cell()
  self.cell_count = self.cell_count + 1
  if self.cell_count > 16 then
    error { text =
      "the rule needs more than 16 cells (sequence, cooldown, my.*)" }
  end
  return self.cell_count - 1
end

function Image:cell(name)
  self.cells[name] = self.cells[name] or self:new_cell()
  return self.cells[name]
end

-- A jump to be aimed later.
function Image:jump(op, register)
  return self:emit(op, register)
end

-- Aim jumps at the next instruction.
function Image:land(jumps)
  for _, at in ipairs(jumps) do
    self.code[at].imm = #self.code + 1 - at
  end
end

-- Every instruction must be reached: drop those that no way leads to, which are
-- left where a condition is always so.
local function reachable(code, starts)
  local seen, stack = {}, { table.unpack(starts) }
  while #stack > 0 do
    local at = table.remove(stack)
    if code[at] and not seen[at] then
      seen[at] = true
      local insn = code[at]
      if insn.name == "jmp" or insn.name == "jz" or insn.name == "jnz" then
        stack[#stack + 1] = at + insn.imm
      end
      if insn.name ~= "end" and insn.name ~= "jmp" then
        stack[#stack + 1] = at + 1
      end
    end
  end
  return seen
end

function Image:prune()
  local starts = {}
  for i, entry in ipairs(self.entries) do
    starts[i] = entry.start
  end
  local seen, place, kept = reachable(self.code, starts), {}, {}
  for at, insn in ipairs(self.code) do
    if seen[at] then
      kept[#kept + 1] = insn
      place[at] = #kept
    end
  end
  for at, insn in ipairs(self.code) do
    if seen[at] and (insn.name == "jmp" or insn.name == "jz"
      or insn.name == "jnz") then
      insn.imm = place[at + insn.imm] - place[at]
    end
  end
  for _, entry in ipairs(self.entries) do
    entry.start = place[entry.start]
  end
  self.code = kept
end
-- --- writing ----------------------------------------------------------------

local function encode_source(text)
  return text .. ("\0"):rep(-#text % 8)
end

function Image:encode(source)
  local out = {}
  for _, e in ipairs(self.entries) do
    out[#out + 1] = string.pack("<" .. NAME .. "I4I1I1I2", e.type, e.code or 0,
      e.code and 1 or 0, 0, e.start - 1)
  end
  for _, i in ipairs(self.code) do
    out[#out + 1] = string.pack("<I1I1I1I1i4", i.op, i.a, i.b, i.c,
      i.imm >= 0x80000000 and i.imm - 0x100000000 or i.imm)
  end
  for _, value in ipairs(self.constants) do
    out[#out + 1] = string.pack("<i8", value)
  end
  for _, text in ipairs(self.strings) do
    out[#out + 1] = string.pack("<" .. NAME, text)
  end
  out[#out + 1] = table.concat(self.calls)
  for _, window in ipairs(self.windows) do
    out[#out + 1] = string.pack("<I8I4I4", window.within, window.count, 0)
  end
  for _, name in ipairs(self.counters) do
    out[#out + 1] = string.pack("<" .. NAME, name)
  end
  source = encode_source(source)
  out[#out + 1] = source
  local body = table.concat(out)
  local rule = self.rule
  return string.pack("<c4I4" .. NAME .. "I8I8I2I2I2I2I2I2I2I1I1I4I4", "RFX1",
    80 + #body,
    rule.name, rule.budget or 0, rule.ttl or 0, #self.entries, #self.code,
    #self.constants, #self.strings, #self.calls, #self.windows, #self.counters,
    self.cell_count, rule.priority, #source, 0) .. body
end
image.OPS = OPS

return image
