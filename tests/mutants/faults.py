"""Deliberate faults, one at a time, and the tests that must notice each."""

from typing import NamedTuple


class Fault(NamedTuple):
    name: str
    file: str
    old: str  # stands exactly once in the file
    new: str
    tests: str  # arguments for pytest


UNIT = "tests/unit/test_unit.py -k "

FAULTS = [
    Fault("run queue ignores priority", "kernel/sched/runqueue.c",
          "31 - __builtin_clz(q->bitmap)", "__builtin_ctz(q->bitmap)",
          UNIT + "test_runqueue"),
    Fault("buddy allocator does not merge", "kernel/mm/buddy.c",
          "while (order < BUDDY_ORDERS - 1) {\n        uint32_t other",
          "while (0) {\n        uint32_t other", UNIT + "test_buddy"),
    Fault("keyboard drops releases", "drivers/input/scancode.c",
          "if (key == KEY_RESERVED || (released && !was_down))",
          "if (key == KEY_RESERVED || released)", UNIT + "test_scancode"),
    Fault("tar checksum is not looked at", "kernel/fs/tar.c",
          "if (!checksum_ok(h))", "if (0 && !checksum_ok(h))",
          UNIT + "test_tar"),
    Fault("font size is not checked", "kernel/display/font.c",
          "w[PSF2_WORD_WIDTH] > FONT_MAX_DIMENSION", "0",
          UNIT + "test_font"),
    Fault("clock runs double", "kernel/arch/x86_64/clock.c",
          "* ns_per_tick >> 32", "* ns_per_tick >> 31",
          "tests/machine/test_clock.py"),
    Fault("memory cap is ignored", "kernel/mm/account.c",
          "if (used > a->limit || bytes > a->limit - used) {", "if (0) {",
          "tests/machine/test_domains.py -k 'memory and hog'"),
    Fault("pcall swallows the limit", "lua/domain_limit.c",
          "        L->allowhook = 1;\n        domain_raise(L);",
          "        lua_sethook(L, NULL, 0, 0);\n"
          "        domain_of(L)->pending = 0;\n"
          "        domain_raise(L);",
          "tests/machine/test_domains.py -k pcall"),
    Fault("kernel text is writable", "kernel/mm/kspace_init.c",
          "map_image_part(info, __text_start, __text_end, KSPACE_RX);",
          "map_image_part(info, __text_start, __text_end, KSPACE_RW);",
          "tests/machine/test_boot.py -k power_off"),
    Fault("loader trusts a damaged file", "kernel/boot/main.c",
          "if (memcmp(listed, found, SHA256_SIZE) != 0)",
          "if (0 && memcmp(listed, found, SHA256_SIZE) != 0)",
          "tests/machine/test_loader.py -k 'archive and damaged'"),
    Fault("failed boots are not counted", "kernel/boot/firmware.c",
          "        count++;", "        count += 0;",
          "tests/machine/test_safe_mode.py -k two_failed"),
    Fault("mutex owners inherit nothing", "kernel/sched/pi.c",
          "if (first && first->priority > due)", "if (0 && first)",
          "tests/machine/test_selftest.py -k '2-rayos.img'"),
    Fault("panic record is told for ever", "kernel/core/panic_last.c",
          "panic_record_clear(region, size);", "",
          "tests/machine/test_panic.py -k 'survives and null'"),
    Fault("Ctrl-C is an ordinary key", "kernel/core/tty.c",
          "t->interruptible ? memchr(", "0 ? memchr(",
          "tests/machine/test_prompt.py -k ctrl_c_interrupts"),
]
