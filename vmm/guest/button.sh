#!/bin/sh
# The power button of a busybox guest.
echo "init: the power button was pressed" > /dev/console
sync
poweroff -f
