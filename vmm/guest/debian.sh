#!/bin/sh
# /sbin/init of the Debian guest: the guest agent on its port, and a shell on the
# console. `rayos.run="..."` on the kernel's command line is run first.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux
exec < /dev/console > /dev/console 2>&1
mount -o remount,rw /
mount -t tmpfs run /run
mkdir -p /dev/pts && mount -t devpts pts /dev/pts
hostname debian

for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name" 2> /dev/null)" = org.qemu.guest_agent.0 ] || continue
  qemu-ga -d -m virtio-serial -p "/dev/${port##*/}" -t /run -f /run/qemu-ga.pid
done

echo "RAYOS-GUEST-READY $(uname -r) debian $(cat /etc/debian_version)"
run=$(sed -n 's/.*rayos\.run="\([^"]*\)".*/\1/p; s/.*"rayos\.run=\([^"]*\)".*/\1/p' /proc/cmdline)
if [ "$run" ]; then
  sh -c "$run"
  echo "RAYOS-GUEST-EXIT $?"
fi
case " $(cat /proc/cmdline) " in *" rayos.once "*) shutdown ;; esac
while :; do
  setsid --ctty --wait sh -l
done
