"""The networks as a fixture: each with its model and references, made once and dropped when the next one comes."""

from collections.abc import Iterator

import pytest

from .accuracy import Case
from .catalog import NETWORKS


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    """The network that the parameter names; the test is skipped where its file is not here."""
    network = NETWORKS[request.param]
    if not network.is_here:
        pytest.skip(f"{network.file} is not here: public data (set SMALTI_SHARED)")
    yield Case(network)
