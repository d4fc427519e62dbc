-- The desktops: virtual machines that a person sees. Read at each command, so
-- that a change is in force at once; a policy with an error in it is said by the
-- command and changes nothing.
--
-- For each name: what vm.define takes (kernel, initrd, cmdline, memory, cpus,
-- disks, ...; the display is as large as the screen's free part), and
--   overlays         disks that are made before: see block.overlay
--   run_with         in the guest, the program that runs a command of a person's
--   layout           "full", "split" or "window", when a command names none
--   start            "show": when it is first shown; "boot": hidden, at boot
--   restart          how often in ten minutes a crashed one is started again
--   pause_minutes    hidden for so long, it pauses; absent: it runs on
--   shutdown_seconds how long an orderly end may take before it is killed
-- `default` is the one that "show desktop" means.

return {
  default = "linux",
  linux = {
    kernel = "/guests/generic/vmlinux",
    initrd = "/guests/generic/initrd",
    cmdline = "console=ttyS0 quiet cryptomgr.notests rayos.root=/dev/vda rayos.display"
      .. " panic=1 fbcon=map:9",
    memory = 640,
    overlays = { { name = "linux-disk", base = "serial:desktop",
      state = "serial:desktop-state" } },
    disks = { { source = "serial:linux-disk" } },
    run_with = "/usr/lib/desktop/user",
    rng = true,
    layout = "full",
    start = "show",
    restart = 5,
    shutdown_seconds = 20,
  },
}
