#!/bin/busybox sh
# The first process of the busybox guests. What it does is on the kernel's
# command line:
#
#   rayos.run="SHELL TEXT"  run that, print RAYOS-GUEST-EXIT and its status
#   rayos.once              then switch the machine off; else there is a shell
#   rayos.display           load what a virtio-gpu needs: it takes a while
#   rayos.root=/dev/vda     go on with /sbin/init of that ext4 file system
#
# RAYOS-GUEST-READY on the console says that this system is up.
export PATH=/bin HOME=/root TERM=linux

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts pts /dev/pts

line=" $(cat /proc/cmdline) "

# The value of a word: NAME="with blanks" or NAME=without.
word() {
  case "$line" in
  *" $1=\""*) rest="${line#* $1=\"}"; echo "${rest%%\"*}" ;;
  *" \"$1="*) rest="${line#* \"$1=}"; echo "${rest%%\"*}" ;;
  *" $1="*) rest="${line#* $1=}"; echo "${rest%% *}" ;;
  esac
}

has() {
  case "$line" in *" $1 "*) return 0 ;; esac
  return 1
}

root=$(word rayos.root)
while read -r module; do
  case "$module" in
  ext4|jbd2|mbcache|crc16|crc32c_generic) [ "$root" ] || continue ;;
  drm*|virtio_dma_buf|virtio_gpu) has rayos.display || continue ;;
  esac
  insmod "/modules/$module.ko" || echo "init: $module was not loaded"
done < /modules/order

# The console may be a virtio one, which is there only now.
exec < /dev/console > /dev/console 2>&1
ip link set lo up 2> /dev/null

if [ "$root" ]; then
  mkdir -p /mnt
  if mount -t ext4 "$root" /mnt; then
    for d in dev proc sys; do mount --move "/$d" "/mnt/$d"; done
    exec switch_root /mnt /sbin/init
  fi
  echo "init: $root could not be mounted"
fi

# Who listens to the power button.
acpid -l /dev/null -p /run/acpid.pid

echo "RAYOS-GUEST-READY $(uname -r) cpus=$(nproc)"

run=$(word rayos.run)
if [ "$run" ]; then
  sh -c "$run"
  echo "RAYOS-GUEST-EXIT $?"
fi

if has rayos.once; then
  sync
  poweroff -f
  reboot -f # a machine that cannot switch itself off
fi

while :; do
  setsid cttyhack sh -l
done
