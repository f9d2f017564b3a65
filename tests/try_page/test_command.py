"""The command `counterpoint try` refuses a wrong address and a missing package before it reads the model."""

import socket
from importlib import util

import pytest
from typer.testing import CliRunner

from counterpoint.cli import app
from counterpoint.errors import ConfigError, CounterpointError
from counterpoint.try_page import check_installed


def end_of(*arguments):
    """Return the error of a command."""
    result = CliRunner().invoke(app, ["try", "nowhere", *arguments])
    assert isinstance(result.exception, CounterpointError), result
    return str(result.exception)


def test_a_missing_package_is_named_with_the_extra(monkeypatch):
    monkeypatch.setattr("counterpoint.try_page.find_spec", lambda name: name != "uvicorn" or None)
    with pytest.raises(ConfigError, match=r"needs uvicorn: pip install 'counterpoint\[try\]'"):
        check_installed()


NEEDED = pytest.mark.skipif(util.find_spec("starlette") is None, reason="needs the extra counterpoint[try]")


@NEEDED
@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("192.0.2.7", "--host 192.0.2.7 is an address of the network"),
        ("0.0.0.0", "means all addresses"),
        ("example.org", "is no IP address"),
    ],
)
def test_another_host_than_this_machine_is_refused(host, line):
    assert line in end_of("--host", host)


@NEEDED
def test_all_addresses_at_once_are_refused_even_with_the_network_allowed():
    assert "Name one address of this machine" in end_of("--host", "::", "--allow-network")


@NEEDED
def test_a_folder_without_a_model_is_named():
    assert "nowhere holds no saved model" in end_of()


@NEEDED
def test_a_port_in_use_is_named():
    from counterpoint.try_page.address import listen  # noqa: PLC0415 - after the skip

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} cannot be opened: Address already in use"):
            listen("127.0.0.1", port)
