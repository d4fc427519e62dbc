"""Safe mode: on the command line, or after two boots that did not reach the
prompt."""


def boot_and_fail(m):
    """Power on, and take the power away before the prompt is there."""
    m.start()
    m.serial.expect(r"scheduler running")
    m.kill()


def test_the_word_safe_skips_policies_and_the_prompt_says_so(fleet):
    m = fleet.boot(cmdline="safe")
    assert "SAFE MODE" in m.serial.text()
    safe, reason = m.eval("return sys.safe_mode()")
    assert safe and reason
    names, = m.eval("local t = {} for i, d in ipairs(domain.list()) do "
                    "t[i] = d:name() end return t")
    assert not [n for n in names if n.startswith("policy")]


def test_two_failed_boots_lead_to_safe_mode_and_a_good_one_out_of_it(fleet):
    m = fleet.make(cmdline="log=serial")
    boot_and_fail(m)
    boot_and_fail(m)
    m.put("rayos/boot.cfg", "\n")
    m.start()
    m.wait_prompt()
    assert "SAFE MODE" in m.serial.text()
    m.eval("return true")  # a line is read when the firmware knows
    m.restart()
    m.wait_prompt()
    assert "SAFE MODE" not in m.serial.text()


def test_one_failed_boot_is_forgiven(fleet):
    m = fleet.make(cmdline="log=serial")
    boot_and_fail(m)
    m.put("rayos/boot.cfg", "\n")
    m.start()
    m.wait_prompt()
    assert "SAFE MODE" not in m.serial.text()
