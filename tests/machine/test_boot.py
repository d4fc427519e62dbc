"""The machine boots to its prompt on everything that it should boot on."""

import pytest


@pytest.mark.parametrize("cpus,memory,machine", [
    (1, 128, "q35"), (2, 512, "q35"), (4, 8192, "q35"),
    (1, 8192, "pc"), (2, 128, "pc"), (4, 512, "pc"),
])
def test_boots_with_these_cpus_memory_and_chipset(fleet, cpus, memory, machine):
    m = fleet.boot(cpus=cpus, memory=memory, machine=machine)
    info, = m.eval("local s = require'sys' return s.machine()")
    assert info["cpus"] == cpus
    assert 0.8 * memory < info["memory"] / 2**20 <= memory


@pytest.mark.parametrize("disk", ["virtio", "ahci", "nvme", "usb", "directory"])
def test_boots_from_this_disk(fleet, disk):
    fleet.boot(disk=disk)


def test_power_off_ends_the_machine(fleet):
    m = fleet.boot()
    m.serial.send("sys.poweroff()\r")
    assert m.wait_exit() == 0


def test_reboot_comes_back_to_the_prompt(fleet):
    m = fleet.boot()
    mark = m.serial.mark()
    m.serial.send("sys.reboot()\r")
    m.wait_first_screen(mark)


def test_the_reset_button_comes_back_to_the_prompt(fleet):
    m = fleet.boot()
    assert m.eval("x = 'lost' return x") == ["lost"]
    mark = m.reset()
    m.wait_first_screen(mark)
    assert m.eval("return x") in ([None], [])
