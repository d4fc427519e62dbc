"""Two of the deliberate faults, so that CI knows that `ninja mutants` works."""

import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent


@pytest.mark.timeout(900)
def test_a_sample_of_the_faults_is_caught():
    done = subprocess.run(
        ["/usr/bin/python3", HERE / "mutants.py", "tar checksum", "memory cap"],
        text=True, stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 faults, 2 caught" in done.stdout
