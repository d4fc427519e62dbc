-- The first file of a shell domain: a session on the domain's own terminal. The
-- same code runs on the serial line and on the screen, each in its own domain.

if not package.path:find("/boot/shell/?.lua", 1, true) then
  package.path = "/boot/shell/?.lua;" .. package.path
end

local ok, sys = pcall(require, "sys")
require "session".run(require "console", ok and sys or nil)
