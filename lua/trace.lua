-- Module trace: what the CPUs did and when, written in the JSON form that
-- Chrome's trace viewer and Perfetto read.

local ring = require "trace_ring"
local sys = require "sys"

local trace = {}

-- Tracks of the viewer: a process for the threads and one for the interrupts,
-- in each a thread for every CPU. Other classes follow.
local THREADS, INTERRUPTS = 1, 2
local PHASES = { point = "i", begin = "B", ["end"] = "E" }

---Record from now on, into empty rings.
---@param ... string classes, "sched" "irq" "mark" "event" "lock" "vm"; none: all
function trace.on(...)
  return ring.start(...)
end

---Stop recording; what was recorded stays.
function trace.off()
  return ring.stop()
end

---Put a mark of one's own into the trace.
---@param text string the first 15 bytes count
function trace.mark(text)
  ring.mark(text)
end

-- An iterator over the records of a CPU: nanoseconds, type, a, b.
local function records(cpu)
  local index = -1
  return function()
    index = index + 1
    return ring.get(cpu, index)
  end
end

local function quote(text)
  return '"' .. text:gsub('[%c"\\\128-\255]', function(c)
    return ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local Writer = {}
Writer.__index = Writer

-- One event of the viewer's format; `rest` is JSON text.
function Writer:event(phase, process, cpu, ns, rest)
  self.file:write(self.count == 0 and "\n" or ",\n",
    ('{"ph":"%s","pid":%d,"tid":%d,"ts":%.3f%s}'):format(phase, process, cpu,
      ns / 1000, rest or ""))
  self.count = self.count + 1
end

function Writer:name_track(process, cpu)
  self:event("M", process, cpu, 0, (',"name":"thread_name","args":{"name":%s}')
    :format(quote("CPU " .. cpu)))
end

function Writer:thread_name(id)
  return self.threads[id] or "thread " .. id
end

-- A stretch in which one thread ran.
function Writer:stretch(cpu, id, from, to)
  local name = self:thread_name(id)
  if not name:find("^idle") then
    self:event("X", THREADS, cpu, from, (',"dur":%.3f,"name":%s'):format(
      (to - from) / 1000, quote(name)))
  end
end

-- The track of a class on this CPU, named when it is first used.
function Writer:track(class, cpu)
  local process = self.tracks[class]
  if not process then
    process = INTERRUPTS + 1 + self.track_count
    self.track_count = self.track_count + 1
    self.tracks[class] = process
    self:event("M", process, 0, 0,
      (',"name":"process_name","args":{"name":%s}'):format(quote(class)))
  end
  local key = class .. cpu
  if not self.named[key] then
    self.named[key] = true
    self:name_track(process, cpu)
  end
  return process
end

-- A record that needs nothing but its row in the kernel's table. Where the ring
-- begins between a begin and its end, the end is left out.
function Writer:plain(cpu, ns, kind, a, b, depths)
  local info = self.types[kind]
  local class, phase = info.class, PHASES[info.shape]
  local depth = depths[class] or 0
  if phase == "E" then
    if depth > 0 then
      depths[class] = depth - 1
      self:event("E", self:track(class, cpu), cpu, ns)
    end
    return
  elseif phase == "B" then
    depths[class] = depth + 1
  end
  local args = info.a and ('%s:%d,'):format(quote(info.a), a) or ""
  self:event(phase, self:track(class, cpu), cpu, ns,
    ('%s,"name":%s,"args":{%s%s:%d}'):format(phase == "i" and ',"s":"t"' or "",
      quote(info.a and kind or a), args, quote(info.b), b))
end

function Writer:cpu(cpu)
  self:name_track(THREADS, cpu)
  self:name_track(INTERRUPTS, cpu)
  local since, running, last -- the stretch that goes on, and the latest time
  local depth, depths = 0, {}
  for ns, type, a, b in records(cpu) do
    since, last = since or ns, ns
    if type == "switch" then
      self:stretch(cpu, a, since, ns)
      since, running = ns, b
    elseif type == "wake" then
      self:event("i", THREADS, cpu, ns, (',"s":"t","name":%s'):format(
        quote("wake " .. self:thread_name(a) .. " on CPU " .. b)))
    elseif type == "irq_enter" then
      depth = depth + 1
      self:event("B", INTERRUPTS, cpu, ns, (',"name":%s'):format(
        quote(self.vectors[a] or "vector " .. a)))
    elseif type == "irq_exit" and depth > 0 then
      depth = depth - 1
      self:event("E", INTERRUPTS, cpu, ns)
    elseif type == "mark" then
      self:event("i", THREADS, cpu, ns,
        (',"s":"g","name":%s'):format(quote(a)))
    elseif self.types[type].shape ~= "own" then
      self:plain(cpu, ns, type, a, b, depths)
    end
  end
  if running then
    self:stretch(cpu, running, since, last)
  end
end

-- Names by number, as of now; what has ended keeps its number.
local function names_of(list, key)
  local names = {}
  for _, item in ipairs(list) do
    names[item[key]] = item.name
  end
  return names
end

---Stop, and write what was recorded.
---@param path string
---@return integer? events, string? message
function trace.save(path)
  local stopped, why, code = ring.stop()
  if not stopped then
    return nil, why, code
  end
  local file, message = io.open(path, "w")
  if not file then
    return nil, message
  end
  local writer = setmetatable({
    file = file,
    count = 0,
    types = ring.types(),
    tracks = {}, track_count = 0, named = {},
    threads = names_of(sys.threads(), "id"),
    vectors = names_of(sys.interrupts(), "vector"),
  }, Writer)
  file:write('{"displayTimeUnit":"ns","traceEvents":[')
  writer:event("M", THREADS, 0, 0,
    ',"name":"process_name","args":{"name":"threads"}')
  writer:event("M", INTERRUPTS, 0, 0,
    ',"name":"process_name","args":{"name":"interrupts"}')
  for cpu = 0, #sys.cpus() - 1 do
    writer:cpu(cpu)
  end
  local ok, write_error = file:write("\n]}\n")
  file:close()
  if not ok then
    return nil, write_error
  end
  return writer.count
end

return trace
