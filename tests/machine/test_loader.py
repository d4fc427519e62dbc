"""The loader says what is wrong with the files on the ESP."""

import pytest


def damage(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]


def flip(path):
    return lambda m: m.put(path, damage(m.get(path)))


def cut(path):
    return lambda m: m.put(path, m.get(path)[:1000])


BAD = {
    "kernel missing": (lambda m: m.remove("rayos/kernel.elf"), "kernel.elf"),
    "kernel damaged": (flip("rayos/kernel.elf"), "kernel.elf"),
    "kernel cut": (cut("rayos/kernel.elf"), "kernel.elf"),
    "archive missing": (lambda m: m.remove("rayos/boot.tar"), "boot.tar"),
    "archive damaged": (flip("rayos/boot.tar"), "boot.tar"),
    "sums missing": (lambda m: m.remove("rayos/sha256sums"), "sha256sums"),
    "sums garbled": (lambda m: m.put("rayos/sha256sums", "zz  kernel.elf\n"),
                     "sha256sums"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_named_and_headless_resets(fleet, case):
    edit, named = BAD[case]
    m = fleet.make(cmdline="headless", edit=edit, extra=["-no-reboot"])
    m.start()
    m.serial.expect(r"RayOS.*" + named.replace(".", r"\."))
    assert m.wait_exit() == 0  # -no-reboot turns the reset into an end


def test_a_bad_file_waits_for_a_key_at_the_console(fleet):
    m = fleet(edit=flip("rayos/boot.tar"))
    m.serial.expect(r"RayOS.*boot\.tar.*damaged")
    m.serial.expect(r"(?i)press.*key")
    assert m.process.poll() is None


def test_a_missing_boot_cfg_means_defaults(fleet):
    m = fleet(edit=lambda machine: machine.remove("rayos/boot.cfg"))
    m.wait_prompt()
    assert m.eval('return sys.cmdline("testhooks")') in ([None], [])


def test_video_mode_of_the_command_line_is_used(fleet):
    m = fleet.boot(cmdline="video=1024x768")
    assert m.screenshot().size == (1024, 768)


def test_an_impossible_video_mode_falls_back_to_the_best(fleet):
    m = fleet.boot(cmdline="video=1234x567")
    assert m.screenshot().size == (1920, 1080)
