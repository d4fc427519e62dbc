-- The Lua benchmark set: the same file runs in RayOS and under the peer's
-- lua5.4. `programs` holds functions without arguments that return a value to
-- compare, so that a wrong answer cannot win; `run` measures them all.
local programs = {}

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

function programs.fib() return fib(27) end

function programs.sieve()
  local count = 0
  for _ = 1, 5 do
    local composite = {}
    count = 0
    for i = 2, 100000 do
      if not composite[i] then
        count = count + 1
        for j = i * i, 100000, i do composite[j] = true end
      end
    end
  end
  return count
end

function programs.strings()
  local words, total = {}, 0
  for i = 1, 20000 do
    words[#words + 1] = string.format("%d:%s:%.2f", i, "key" .. i, i / 7)
  end
  for word in table.concat(words, " "):gmatch("%S+") do
    local key = word:match("^%d+:(%w+):")
    total = total + #key + #word:gsub("%d", "x"):upper()
  end
  return total
end

function programs.sort()
  local seed, values = 42, {}
  for i = 1, 60000 do
    seed = (seed * 1103515245 + 12345) % 2147483648
    values[i] = seed
  end
  table.sort(values)
  table.sort(values, function(a, b) return a % 1000 < b % 1000 end)
  return values[1] % 1000 + values[60000] % 1000
end

local function nbody_energy(bodies)
  local e = 0
  for i, a in ipairs(bodies) do
    e = e + 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
    for j = i + 1, #bodies do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      e = e - a.mass * b.mass / math.sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return e
end

local function nbody_advance(bodies, dt)
  for i = 1, #bodies do
    local a = bodies[i]
    for j = i + 1, #bodies do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      local d2 = dx * dx + dy * dy + dz * dz
      local mag = dt / (d2 * math.sqrt(d2))
      a.vx, a.vy, a.vz = a.vx - dx * b.mass * mag, a.vy - dy * b.mass * mag,
        a.vz - dz * b.mass * mag
      b.vx, b.vy, b.vz = b.vx + dx * a.mass * mag, b.vy + dy * a.mass * mag,
        b.vz + dz * a.mass * mag
    end
  end
  for _, a in ipairs(bodies) do
    a.x, a.y, a.z = a.x + dt * a.vx, a.y + dt * a.vy, a.z + dt * a.vz
  end
end

function programs.nbody()
  local bodies = {}
  for i = 1, 5 do
    bodies[i] = {
      x = i * 1.5, y = math.sin(i) * 4, z = i / 3, vx = 0.1 / i, vy = 0.2,
      vz = -0.05 * i, mass = 1 / i,
    }
  end
  for _ = 1, 10000 do nbody_advance(bodies, 0.001) end
  return string.format("%.9f", nbody_energy(bodies))
end

local function bottom_up_tree(depth)
  if depth == 0 then return {} end
  return { bottom_up_tree(depth - 1), bottom_up_tree(depth - 1) }
end

local function check_tree(tree)
  if not tree[1] then return 1 end
  return 1 + check_tree(tree[1]) + check_tree(tree[2])
end

function programs.binarytrees()
  local total, keep = 0, bottom_up_tree(13)
  for depth = 4, 13, 3 do
    for _ = 1, 2 ^ (13 - depth) do
      total = total + check_tree(bottom_up_tree(depth))
    end
  end
  return total + check_tree(keep)
end

local order = { "fib", "sieve", "strings", "sort", "nbody", "binarytrees" }

-- The better of two runs of each, in ticks of `tsc`: { name = {ticks, value} }.
local function run(tsc)
  local results = {}
  for _, name in ipairs(order) do
    local best, value
    for _ = 1, 2 do
      collectgarbage()
      local start = tsc()
      value = programs[name]()
      local ticks = tsc() - start
      best = best and math.min(best, ticks) or ticks
    end
    results[name] = { best, tostring(value) }
  end
  return results
end

return { programs = programs, order = order, run = run }
