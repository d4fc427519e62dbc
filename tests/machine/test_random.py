"""Random numbers, with a source in the CPU and without one."""


def names(rows):
    return {row["name"]: row for row in rows}


def test_random_numbers_are_there_from_the_start(fleet):
    m = fleet.boot(cmdline="testhooks")
    rows, ready = m.eval("return sys.entropy()")
    assert ready
    assert names(rows)["rdrand"]["bits"] >= 256
    a, b, size = m.eval("""
      local function hex(s)
        return (s:gsub('.', function(c) return ('%02x'):format(c:byte()) end))
      end
      return hex(sys.random(32)), hex(sys.random(32)), #sys.random(1 << 20)""")
    assert a != b and len(a) == len(b) == 64
    assert size == 1 << 20
    assert m.eval("return #sys.random(0), pcall(sys.random, -1)")[:2] == [
        0, False]
    # Domains do not draw the same numbers.
    drawn, = m.eval("""
      local drawn = {}
      for i = 1, 3 do
        local d = domain.spawn { name = 'draw', caps = {}, source = [[
          local domain = require 'domain'
          local _, envelope = domain.receive(5)
          envelope:reply(math.random(1 << 50)) ]] }
        drawn[i] = d:call(1, 5)
      end
      return drawn""")
    assert len(set(drawn)) == 3


def test_the_timing_of_interrupts_is_enough_where_the_cpu_has_no_source(fleet):
    m = fleet.boot(cmdline="testhooks", cpu="qemu64")
    ready, bits, why = m.eval("""
      local _, _, code = sys.random(1)
      for i = 1, 100 do
        local rows, ready = sys.entropy()
        if ready then
          for _, row in ipairs(rows) do
            if row.name == 'interrupts' then return ready, row.bits, code end
          end
        end
        for _ = 1, 100 do sys.sleep(0.001) end
      end""", 120)
    assert ready and bits >= 256
    assert why in (None, "EAGAIN")
    assert m.eval("return #sys.random(16)") == [16]
