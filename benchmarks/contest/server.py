"""nginx on loopback with a folder of photos: http, https, and http with 100 ms of latency, on 64 addresses.

The many addresses stand for the many hosts of the web, so all contestants keep their default limits per host.
"""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import trustme

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
ADDRESSES = [f"127.0.0.{number}" for number in range(1, 65)]
NETWORK = "127.0.0.0/25"
SETTINGS = {"http": "http://{}:{}/photos/", "https": "https://{}:{}/photos/", "latency": "http://{}:{}/late/"}
CONF = """
daemon off;
master_process off;
load_module {echo};
pid {work}/nginx.pid;
error_log {work}/error.log warn;
events {{ worker_connections 8192; }}
http {{
  log_format times '$msec $request_time $status $body_bytes_sent';
  access_log {work}/access.log times;
  client_body_temp_path {work}/body; proxy_temp_path {work}/proxy; fastcgi_temp_path {work}/fastcgi;
  uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
  types {{ image/jpeg jpg; }}
  sendfile on;
  tcp_nopush on;
  ssl_certificate {work}/chain.pem;
  ssl_certificate_key {work}/key.pem;
  server {{
    {listen}
    location /photos/ {{ alias {photos}/; }}
    location ~ ^/late/(.+)$ {{ echo_sleep 0.1; echo_exec /photos/$1; }}
  }}
}}
"""


class Transfers(NamedTuple):
    """The transfers to one contestant: *start* is its first request, *span_s* the seconds to its last response."""

    n_ok: int
    n_bytes: int
    start: float
    span_s: float
    at_once: int
    median_s: float
    nginx_cpu_s: float


class Server:
    """A running nginx with its log, which `transfers_since` reads."""

    def __init__(self, work: Path, ports: dict[str, int], pid: int) -> None:
        self.ca_file, self.bundle = work / "ca.pem", work / "bundle.pem"
        self._log, self._ports, self._pid = work / "access.log", ports, pid

    def urls(self, setting: str, n: int, n_photos: int) -> list[str]:
        """Return *n* URLs. From *n_photos* on, they are other URLs of the same photos."""
        port, base = self._ports[setting], SETTINGS[setting]
        return [
            f"{base.format(ADDRESSES[number % len(ADDRESSES)], port)}{number % n_photos:05}.jpg"
            + (f"?again={number // n_photos}" if number >= n_photos else "")
            for number in range(n)
        ]

    def mark(self) -> tuple[int, float]:
        """Return the current length of the log, and the CPU seconds that nginx has used."""
        ticks = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return self._log.stat().st_size, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def transfers_since(self, mark: tuple[int, float]) -> Transfers:
        """Return the transfers since *mark*."""
        n_before, cpu_before = mark
        lines = [line.split() for line in self._log.read_bytes()[n_before:].decode().splitlines()]
        spans = sorted((float(end) - float(took), float(end)) for end, took, *_ in lines)
        steps = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
        most = running = 0
        for _, step in steps:
            running += step
            most = max(most, running)
        ok = [int(n_bytes) for _, _, status, n_bytes in lines if status == "200"]
        took = sorted(end - start for start, end in spans)
        cpu_s = self.mark()[1] - cpu_before
        if not lines:
            return Transfers(0, 0, 0.0, 0.0, 0, 0.0, cpu_s)
        start, end = steps[0][0], steps[-1][0]
        return Transfers(len(ok), sum(ok), start, end - start, most, took[len(took) // 2], cpu_s)


@contextmanager
def serving(photos: Path, work: Path) -> Iterator[Server]:
    """Serve *photos* until the block ends, with the files of nginx in *work*."""
    assert NGINX, "nginx is not installed"
    plain, secure = _free_ports(2)
    _certify(work)
    listen = [f"listen {address}:{plain}; listen {address}:{secure} ssl;" for address in ADDRESSES]
    owner = "user root;" if os.geteuid() == 0 else ""  # without it, workers of root may not read a scratch folder
    conf = CONF.format(echo=ECHO, work=work, photos=photos.absolute(), listen="\n    ".join(listen))
    (work / "nginx.conf").write_text(owner + conf)
    command = [NGINX, "-p", str(work), "-c", str(work / "nginx.conf"), "-e", str(work / "error.log")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(plain, process)
            yield Server(work, {"http": plain, "https": secure, "latency": plain}, process.pid)
        finally:
            process.terminate()


def _certify(work: Path) -> None:
    ca = trustme.CA()
    certificate = ca.issue_cert(*ADDRESSES)
    ca.cert_pem.write_to_path(work / "ca.pem")
    # Some programs read one list only.  They get the list of the system with our certificate, as long as on the web.
    system = Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt")
    (work / "bundle.pem").write_bytes((system.read_bytes() if system.exists() else b"") + ca.cert_pem.bytes())
    (work / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(work / "key.pem")


def _free_ports(n: int) -> list[int]:
    sockets = [socket.socket() for _ in range(n)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = monotonic() + 10
    while monotonic() < until:
        assert process.poll() is None, f"nginx ended with {process.returncode}; see error.log"
        with socket.socket() as probe:
            if probe.connect_ex((ADDRESSES[-1], port)) == 0:
                return
        sleep(0.02)
    raise TimeoutError("nginx does not listen after 10 s")
