"""The simulators that the jobs ask, and a proxy that counts what they are asked."""

import dataclasses
import hashlib
import http.client
import os
import select
import socket
import ssl
import subprocess
import threading
import urllib.parse


class Failure(Exception):
    """Something that ends the run, in words for its user."""


class Server:
    """A simulated ESX host that runs until the end of a `with`."""

    def __init__(self, kind, tools, machines, plain=False, gzip=False):
        self.kind, self.machines, self.plain = kind, machines, plain
        if kind == "vcsim":
            self.user, self.password = "user", "pass"
            words = [tools.vcsim, "-esx", "-libvirt", "-machines", str(machines)] + ["-plain"] * plain
        else:
            self.user, self.password = "root", "password"
            words = [tools.esx_sim, "--esx", "--vms", str(machines)] + ["--plain"] * plain + ["--gzip"] * gzip
        # vcsim removes its files when its standard input ends.
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            greeting = self.process.stdout.readline()
            if kind != "vcsim":
                greeting = self.process.stdout.readline().removeprefix("uri: ")
                greeting = urllib.parse.urlsplit(greeting).netloc.rpartition("@")[2]
            self.host, _, port = greeting.strip().partition(":")
            self.port = int(port)
        except ValueError as error:
            self.stop()
            raise Failure(f"{kind} does not say where it listens") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends it, and vcsim in a way that lets it remove its files."""
        self.process.stdin.close()
        if self.kind != "vcsim":
            self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def address(self):
        """How clients reach it."""
        return Address(self.host, self.port, self.user, self.password, self.plain)

    def cpu(self):
        """Seconds of CPU until now."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, name):
        """`VmRSS` or `VmHWM`, in MiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(name)) / 1024

    def forget_peak(self):
        """From here on, `VmHWM` is the peak of what follows."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")


@dataclasses.dataclass(frozen=True)
class Address:
    """Where a server or the proxy before it listens, and who logs in."""

    host: str
    port: int
    user: str
    password: str
    plain: bool

    @property
    def protocol(self):
        return "http" if self.plain else "https"

    @property
    def web(self):
        return f"{self.protocol}://{self.host}:{self.port}"

    @property
    def uri(self):
        """For virsh and virt-esx."""
        return f"esx://{self.host}:{self.port}/?" + ("transport=http" if self.plain else "no_verify=1")

    def thumbprint(self):
        """The certificate's, for the examples of vi-client; `http` without TLS."""
        if self.plain:
            return "http"
        der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((self.host, self.port)))
        return hashlib.sha256(der).hexdigest().upper()

    def log_in(self):
        """A new session's cookie."""
        if self.plain:
            connection = http.client.HTTPConnection(self.host, self.port)
        else:
            connection = http.client.HTTPSConnection(self.host, self.port, context=ssl._create_unverified_context())
        body = (
            '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><Login xmlns="urn:vim25">'
            '<_this type="SessionManager">ha-sessionmgr</_this>'
            f"<userName>{self.user}</userName><password>{self.password}</password></Login></Body></Envelope>"
        )
        connection.request("POST", "/sdk", body, {"Content-Type": "text/xml", "SOAPAction": "urn:vim25/6.5"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        cookie = answer.getheader("Set-Cookie", "")
        if answer.status != 200 or not cookie:
            raise Failure(f"the login at {self.web} fails with status {answer.status}")
        return cookie.partition(";")[0]


@dataclasses.dataclass
class Request:
    """A request that went through the proxy."""

    line: str
    headers: dict
    body: bytes
    received: int = 0


class CountingProxy:
    """Passes on what clients and a server without TLS say to each other, and keeps the requests."""

    def __init__(self, server):
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.requests = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def address(self):
        """The server's, through the proxy."""
        return dataclasses.replace(self.server.address(), port=self.listener.getsockname()[1])

    def take(self):
        """The requests since the last time."""
        taken, self.requests = self.requests, []
        return taken

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=[client], daemon=True).start()

    def _pass_on(self, client):
        server = socket.create_connection((self.server.host, self.server.port))
        with client, server:
            for connection in (client, server):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            parser = _Requests(self.requests)
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    try:
                        data = ready.recv(1 << 18)
                        if not data:
                            return
                        if ready is client:
                            parser.push(data)
                            server.sendall(data)
                        else:
                            parser.last.received += len(data)
                            client.sendall(data)
                    except OSError:
                        return


class _Requests:
    """Cuts what a client says into requests with a length, one after the other."""

    def __init__(self, requests):
        self.requests, self.last, self.buffer = requests, None, b""

    def push(self, data):
        self.buffer += data
        while True:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            line, *fields = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.last = Request(line, headers, rest[:length])
            self.requests.append(self.last)
            self.buffer = rest[length:]
