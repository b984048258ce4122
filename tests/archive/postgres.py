"""A PostgreSQL of the tests' own: Debian's, or any whose programs are found, in a folder of its own, on a
socket there. Without one its tests are skipped, which `make test` says."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN = 120.0  # seconds
UNPRIVILEGED = "nobody"  # PostgreSQL does not run as root
# what the machine loses when it stops is of no use to anybody, and what is compared here is not time
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",
}


def programs() -> Path | None:
    """The folder of initdb and postgres; None where there is none."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if found := shutil.which("initdb"):
        places.insert(0, Path(found).resolve().parent)
    return next(
        (place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None
    )


@contextmanager
def running() -> Iterator[str]:
    """The folder of the socket of a server, until the block ends."""
    place = programs()
    assert place is not None
    home = Path(
        tempfile.mkdtemp(prefix="pg-", dir="/tmp")
    )  # of which the name is short, as sockets' have to be
    as_user = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED)
        os.chown(home, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = home / "data"
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": home, "env": env, **as_user}
    options = ["--encoding=UTF8", "--locale=C", "--auth=trust", "--username=tests", "--no-sync"]
    server = None
    try:
        subprocess.run([place / "initdb", *options, "-D", data], check=True, **quiet)
        said = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        server = subprocess.Popen([place / "postgres", "-D", data, "-k", home, *said], **quiet)
        _wait_for(home, server)
        yield str(home)
    finally:
        if server is not None:
            server.send_signal(3)  # SIGQUIT: at once
            server.wait()
        shutil.rmtree(home, ignore_errors=True)


def _wait_for(home: Path, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            psycopg.connect(host=str(home), user="tests", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > until or server.poll() is not None:
                raise
            time.sleep(0.05)


def new_database(socket: str, copied: str | None = None) -> str:
    """The URL of a database, empty or ``copied`` of that of another, to which nobody is connected; it goes
    with its server."""
    import psycopg
    from sqlalchemy import make_url

    name = f"t{uuid.uuid4().hex}"
    template = f" TEMPLATE {make_url(copied).database}" if copied else ""
    with psycopg.connect(host=socket, user="tests", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{template}")
    return f"postgresql+psycopg://tests@/{name}?host={socket}"
