"""The garbage collector stands still inside the block and is as before after it."""

import gc

import pytest
from smalti.compiler.compilation.collector import collector_paused


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_paused_and_as_before(enabled: bool):
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with collector_paused():
            assert not gc.isenabled()
            with collector_paused():
                pass
            assert not gc.isenabled()
        assert gc.isenabled() == enabled
        with pytest.raises(ValueError, match="inside"), collector_paused():
            raise ValueError("inside")
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if was else gc.disable)()
