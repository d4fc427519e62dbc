-- What becomes of each device of the machine: the first rule that matches a
-- device decides; what no rule matches is ours and gets the first driver that
-- matches. Read at every start, but not in safe mode, and by
-- dev.reload_policy(). A policy with an error in it is not used at all: see
-- dev.policy().
--
-- A rule asks for any of
--   name, bus, parent, vendor, device, class, subsystem, subsystem_vendor, type
-- as a number, as a text in which * stands for any text (numbers are then
-- hexadecimal, such as class = "0200*"), or as a list of such; and says
--   owner = "ours"   with driver = "name", or whichever matches
--   owner = "guest"  with guest = "name": reserved for that guest
--   owner = "left"   left alone
-- and, if it wants, why = "a reason". optional = true lets a rule name a device
-- that may be away.
--
-- Instead of a list of rules a function may be returned: it gets each device
-- and answers such a table, or nil.

return {
  { bus = "pci", class = { "0600*", "0601*", "0604*" }, owner = "left",
    why = "part of the board" },
}
