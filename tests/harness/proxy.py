"""nginx from the files of deploy/nginx, unprivileged and on loopback, and who visits through it."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

from .databases import HarnessError
from .server import free_ports
from .settings import REPO, shared_state

SOURCE = REPO / "deploy/nginx"
TIMEOUT_S = 30
# What Debian's own nginx.conf has around conf.d/.
MAIN = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    include /etc/nginx/mime.types;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include conf.d/*.conf;
}}
"""


class Nginx:
    """nginx in front of an Odoo server; use it in a ``with`` block.

    :param server: a :class:`harness.server.OdooServer`
    :param hosts: names it answers to
    :param change: function that changes the text of the configuration, to break it
    """

    def __init__(self, server, hosts, change=lambda text: text):
        self.http, self.https, self.gateways = free_ports(3)
        self._upstreams = server.port, server.gevent_port
        self.hosts = hosts
        self._change = change
        self._process = None

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="proxy-", dir=shared_state()))
        self.certificate = self.folder / "fullchain.pem"
        try:
            self._make_certificate()
            self._render()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception):
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(TIMEOUT_S)
        shutil.rmtree(self.folder)

    @property
    def log(self):
        """What is in its access log."""
        return (self.folder / "isp-suite.log").read_text()

    def _make_certificate(self):
        names = ",".join(f"DNS:{host}" for host in self.hosts)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            + [
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=isp-suite",
                "-addext",
                f"subjectAltName={names}",
            ]
            + ["-keyout", self.folder / "privkey.pem", "-out", self.certificate],
            check=True,
            capture_output=True,
            timeout=TIMEOUT_S,
        )

    def _render(self):
        """Put host names, ports and paths in, and nothing else."""
        text = self._change((SOURCE / "isp-suite.conf").read_text())
        loopback6 = "[::1]" if _has_ipv6() else None
        for port, ours in ((80, self.http), (443, self.https), (8443, self.gateways)):
            text = re.sub(rf"listen {port}\b", f"listen 127.0.0.1:{ours}", text)
            text = re.sub(rf"listen \[::\]:{port}\b", f"listen {loopback6}:{ours}", text)
        if not loopback6:
            text = re.sub(r"listen None:[^\n]*\n", "", text)
        for port, ours in zip((8069, 8072), self._upstreams, strict=True):
            text = text.replace(f"server 127.0.0.1:{port};", f"server 127.0.0.1:{ours};")
        text = text.replace("server_name isp.example.com;", f"server_name {' '.join(self.hosts)};")
        text = text.replace("/etc/ssl/isp-suite/", f"{self.folder}/")
        text = text.replace("/var/log/nginx/", f"{self.folder}/")
        (self.folder / "conf.d").mkdir()
        (self.folder / "conf.d/isp-suite.conf").write_text(text)
        shutil.copytree(SOURCE / "snippets", self.folder / "snippets")
        (self.folder / "nginx.conf").write_text(MAIN.format(folder=self.folder))

    def _start(self):
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if not nginx:
            raise HarnessError("nginx is missing: run scripts/bootstrap")
        command = [nginx, "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"]
        if os.getuid() == 0:  # a user without rights, as nginx needs none on these ports
            subprocess.run(["chown", "-R", "postgres:", self.folder], check=True)
            command = [
                "setpriv",
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                *command,
            ]
        check = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=TIMEOUT_S)
        if check.returncode:
            raise HarnessError(f"nginx refuses its configuration: {check.stderr}")
        self._process = subprocess.Popen([*command, "-g", "daemon off;"], cwd="/")
        for _attempt in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.https), 1).close()
                return
            except ConnectionRefusedError:
                if self._process.poll() is not None:
                    break
                self._process_wait()
        raise HarnessError(f"nginx did not start: {(self.folder / 'error.log').read_text()}")

    def _process_wait(self):
        try:
            self._process.wait(0.1)
        except subprocess.TimeoutExpired:
            return

    def connect(self, host, context=None, address="127.0.0.1", port=None):
        """Return a TLS connection to it.

        :param host: name that the client asks for (SNI)
        :param context: of the client, by default one that trusts the certificate
        :param address: from which the client comes
        """
        context = context or ssl.create_default_context(cafile=self.certificate)
        raw = socket.create_connection(
            ("127.0.0.1", port or self.https), TIMEOUT_S, source_address=(address, 0)
        )
        try:
            return context.wrap_socket(raw, server_hostname=host)
        except BaseException:
            raw.close()
            raise


def _has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


class Visitor:
    """Who asks a host through the proxy, and keeps the cookies.

    :param address: from which they come; limits count by it
    """

    def __init__(self, proxy, host, address="127.0.0.1", port=None):
        self._proxy, self._host = proxy, host
        self._address, self._port = address, port
        self.cookies = {}

    def ask(self, method, path, body=None, headers=(), host=None):
        """Send a request; return the answer, its ``body`` read.

        :param host: another one in the Host header than the one the connection was made to
        """
        connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
        connection.sock = self._proxy.connect(self._host, None, self._address, self._port)
        headers = {"Host": host or self._host, **dict(headers)}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.body = answer.read()
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer
