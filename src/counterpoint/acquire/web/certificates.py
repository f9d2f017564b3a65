"""The trusted certificates: the system's, and in addition the certificates of a private mirror."""

import os
import ssl
from pathlib import Path
from tempfile import NamedTemporaryFile

from counterpoint.errors import ConfigError

_FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


class CertificateBundle:
    """One file of certificates, `path`. libcurl reads it once for all connections, but only if it is one file.

    Parameters
    ----------
    extra
        *extra* is a file of further certificates (default: none).

    Raises
    ------
    ConfigError
        When there are no certificates, or *extra* contains none.
    """

    def __init__(self, extra: Path | None = None) -> None:
        self.path = _of_system()
        self._file = None
        if extra is not None:
            _check(extra)
            self._file = NamedTemporaryFile(suffix=".pem")  # noqa: SIM115
            self._file.write(self.path.read_bytes() + b"\n" + extra.read_bytes())
            self._file.flush()
            self.path = Path(self._file.name)

    def close(self) -> None:
        """Remove the file if this bundle wrote it."""
        if self._file is not None:
            self._file.close()


def _of_system() -> Path:
    named = (os.environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, *_FILES)
    for path in named:
        if path and Path(path).is_file():
            return Path(path)
    try:
        import certifi  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("No certificates found. Name a file of them in SSL_CERT_FILE, or install certifi.") from error
    return Path(certifi.where())


def _check(ca_file: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(f"fetch.ca_file: no certificates in {ca_file} ({error.strerror or error}).") from error
