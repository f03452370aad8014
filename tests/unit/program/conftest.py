"""What the tests of this folder share."""

import pytest
from sample_program import make_program
from smalti.backends.program.program import Program


@pytest.fixture
def program() -> Program:
    """A valid program of two cores that uses every instruction."""
    return make_program()
