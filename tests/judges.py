"""SpamAssassin, rspamd, a strict Postfix and Exim, each run for a test from a folder of its own.

None of them touches the system's configuration, state or ports, and all names end at FakeDNS.
"""

from __future__ import annotations

import contextlib
import getpass
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from newsletter.model import Mail, Relay, SpamFilter, filter_at
from tests.conftest import needs

PATIENCE_S = 300


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def wait_until(ready: Callable[[], object], log: Path) -> None:
    """Return when `ready` does not raise OSError any more; fail with the log after a long while."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            ready()
        except (OSError, http.client.HTTPException):
            if time.monotonic() > end:
                pytest.fail(log.read_text("utf-8", "replace")[-3000:] if log.exists() else "silent")
            time.sleep(0.1)
        else:
            return


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that a daemon may enter which gives up root; pytest's are closed to it."""
    with tempfile.TemporaryDirectory(prefix="newsletter-judge-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextlib.contextmanager
def running(command: list[str], log: Path, **environ: str) -> Iterator[None]:
    """The daemon in the foreground, ended with all its children."""
    with log.open("wb") as stream:
        daemon = subprocess.Popen(
            command, stdout=stream, stderr=stream, env={**os.environ, **environ}
        )
    try:
        yield
    finally:
        daemon.terminate()
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


SPAMASSASSIN = """
use_bayes 0
use_razor2 0
use_pyzor 0
skip_rbl_checks 1
dns_available yes
dns_server [127.0.0.1]:{dns}
"""


@contextlib.contextmanager
def spamd(dns: int) -> Iterator[SpamFilter]:
    """SpamAssassin with the packaged rules: no Bayes, no lists, no state of anybody."""
    needs("spamd")
    with open_folder() as folder:
        site = folder / "site"
        site.mkdir()
        for plugins in Path("/etc/spamassassin").glob("*.pre"):
            shutil.copy(plugins, site)
        (site / "local.cf").write_text(SPAMASSASSIN.format(dns=dns))
        port, log = free_port(), folder / "log"
        command = [*("spamd", "--siteconfigpath", str(site), "--nouser-config", "--syslog=stderr")]
        command += ["-i", "127.0.0.1", "-p", str(port), "--max-children=2", "--helper-home-dir"]
        command += [str(folder), "-r", str(folder / "pid")]
        if os.geteuid() == 0:
            command += ["-u", "nobody"]
        with running(command, log, HOME=str(folder)):
            wait_until(lambda: socket.create_connection(("127.0.0.1", port)).close(), log)
            yield filter_at(f"spamd://127.0.0.1:{port}")


RSPAMD: Mapping[str, str] = {
    # It compiles the list of all domain suffixes at each start, 8 s of a core: ours has four.
    "options.inc": 'dns {{ nameserver = ["127.0.0.1:{dns}"]; }}\ntempdir = "{folder}";\n'
    'url_tld = "{folder}/own/local.d/suffixes";\n',
    "suffixes": "com\nnet\norg\nexample\n",
    "worker-normal.inc": 'bind_socket = "127.0.0.1:{port}";\n',
    "worker-controller.inc": "enabled = false;\n",
    "worker-proxy.inc": "enabled = false;\n",
    "fuzzy_check.conf": "enabled = false;\n",  # it would resolve its servers past our DNS
    "logging.inc": 'type = "console"; level = "warning";\n',
}


@contextlib.contextmanager
def rspamd(dns: int) -> Iterator[SpamFilter]:
    """rspamd with the packaged rules, without Redis, hence without memory."""
    needs("rspamd")
    with open_folder() as folder:
        port, log = free_port(), folder / "log"
        own = folder / "own" / "local.d"
        own.mkdir(parents=True)
        for name, text in RSPAMD.items():
            (own / name).write_text(text.format(dns=dns, port=port, folder=folder))
        places = {"LOCAL_CONFDIR": own.parent, "DBDIR": folder, "RUNDIR": folder, "LOGDIR": folder}
        command = ["rspamd", "-f", "-i", "-c", "/etc/rspamd/rspamd.conf"]
        command += [f"--var={name}={place}" for name, place in places.items()]
        with running(command, log):
            wait_until(lambda: asked(port, b"Subject: x\r\n\r\nx\r\n", {}), log)
            yield filter_at(f"rspamd://127.0.0.1:{port}")


def asked(port: int, content: bytes, fields: Mapping[str, str]) -> dict[str, Any]:
    """rspamd's answer, told how the mail came in."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/checkv2", content, dict(fields))
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer


POSTFIX = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.net
mydestination =
alias_maps =
alias_database =
local_transport = error:no
default_transport = discard:
relay_transport = discard:
virtual_transport = discard:
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = reject_non_fqdn_sender, reject_non_fqdn_recipient, permit
smtpd_helo_required = yes
strict_rfc821_envelopes = yes
strict_7bit_headers = {headers}
strict_8bitmime = {headers}
strict_8bitmime_body = yes
strict_mime_encoding_domain = yes
smtpd_forbid_bare_newline = reject
smtpd_forbid_bare_newline_exclusions =
smtpd_forbid_unauth_pipelining = yes
disable_vrfy_command = yes
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
error     unix - - n - - error
discard   unix - - n - - discard
proxymap  unix - - n - - proxymap
postlog   unix-dgram n - n - 1 postlogd
"""


@contextlib.contextmanager
def postfix(*, utf8_headers: bool = False) -> Iterator[tuple[Relay, Path]]:
    """A Postfix that is strict wherever it can be, throws away what it takes, and its log. It
    refuses even its own Received to an address in UTF-8, unless it is to take `utf8_headers`."""
    needs("postfix")
    with open_folder() as folder:
        root = as_root()
        port = free_port()
        for name in ("queue", "data", "etc"):
            (folder / name).mkdir()
        (folder / "etc" / "main.cf").write_text(
            POSTFIX.format(folder=folder, headers="no" if utf8_headers else "yes")
        )
        (folder / "etc" / "master.cf").write_text(MASTER.format(port=port))
        subprocess.run([*root, "chown", "postfix", str(folder / "data")], check=True)
        command = [*root, "postfix", "-c", str(folder / "etc")]
        started = subprocess.run([*command, "start"], capture_output=True, check=False)
        assert started.returncode == 0, started
        log = folder / "log"
        try:
            wait_until(lambda: socket.create_connection(("127.0.0.1", port)).close(), log)
            yield Relay(name="postfix", kind="smtp", port=port), log
        finally:
            subprocess.run([*command, "abort"], capture_output=True, check=False)


def as_root() -> list[str]:
    """How a command is run as root here."""
    if os.geteuid() == 0:
        return []
    needs("sudo")
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs root")
    return ["sudo", "-n"]


EXIM = """
primary_hostname = mx.example.net
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
exim_user = {user}
never_users =
keep_environment =
tls_advertise_hosts =
smtp_enforce_sync = true
helo_verify_hosts =
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
begin acl
acl_rcpt:
  require verify = sender
  accept
acl_data:
  require message = $acl_verify_message
          verify = header_syntax
  require message = $acl_verify_message
          verify = header_names_ascii
  require message = $acl_verify_message
          verify = not_blind
  discard
begin routers
all:
  driver = accept
  transport = none
begin transports
none:
  driver = appendfile
  file = /dev/null
"""


@contextlib.contextmanager
def exim() -> Iterator[tuple[Relay, Path]]:
    """An Exim that looks at the syntax of headers, throws away what it takes, and its log."""
    needs("exim4")
    with open_folder() as folder:
        port, log = free_port(), folder / "out"
        conf = folder / "exim.conf"
        conf.write_text(EXIM.format(folder=folder, user=getpass.getuser()))
        command = [
            "exim4",
            "-C",
            str(conf),
            "-bdf",
            "-oX",
            f"127.0.0.1:{port}",
            "-oP",
            f"{folder}/pid",
        ]
        with running(command, log):
            wait_until(lambda: socket.create_connection(("127.0.0.1", port)).close(), log)
            yield Relay(name="exim", kind="smtp", port=port), folder / "mainlog"


def raw(relay: Relay, mail: Mail) -> str:
    """What the relay says to these bytes, handed over without our client's gate."""
    import smtplib

    with smtplib.SMTP(relay.host, relay.port, timeout=30) as line:
        line.ehlo("mx1.example.org")
        line.mail(mail.mail_from)
        line.rcpt(mail.rcpt_to)
        code, text = line.docmd("DATA")
        assert code == 354, text
        line.send(mail.content + b".\r\n")
        code, text = line.getreply()
        return f"{code} {text.decode('latin-1')}"
