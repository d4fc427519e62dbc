-- What happens by itself after every start, but not in safe mode. Runs in a
-- domain of its own, with a budget; its end harms nobody.

local log = require "log"
local sys = require "sys"

if sys.last_panic() then
  log.warn("the previous boot ended in a panic: see sys.last_panic()")
end
