"""What tests do where a program of the system's is missing."""

import os

import pytest


def do_without(why):
    """Skip a test for want of a program, with a reason that says what to install, or fail where it should be there."""
    pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
