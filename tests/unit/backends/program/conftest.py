"""What the tests of this folder share."""

import pytest
from smalti.backends.program.program import Program

from tests.unit.backends.program.sample_program import make_program


@pytest.fixture
def program() -> Program:
    """A valid program of two cores that uses every instruction."""
    return make_program()
