"""The servers and sandboxes of the tests."""

from collections.abc import Iterator

import pytest
from market import Market, Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes any signature and learns from it who calls."""
    server = Server(tmp_path_factory.mktemp("identify"), "identify")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that checks signatures."""
    server = Server(tmp_path_factory.mktemp("verify"), "verify")
    yield server
    server.stop()


@pytest.fixture
def market(server: Server) -> Market:
    """A sandbox of the test's own."""
    return server.market()


@pytest.fixture
def strict_market(strict_server: Server) -> Market:
    """A sandbox of the test's own, where signatures are checked."""
    return strict_server.market()
