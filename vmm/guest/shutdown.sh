#!/bin/sh
# What the guest agent calls to switch off: there is no init system. With -r it
# resets.
sync
echo u > /proc/sysrq-trigger # file systems read-only
sleep 1
case "$*" in
*-r*) echo b > /proc/sysrq-trigger ;;
*) echo o > /proc/sysrq-trigger ;;
esac
