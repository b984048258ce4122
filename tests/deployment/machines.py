"""Machines made of namespaces of Linux: each has its own processes, with systemd as the first of them,
control groups, network, name, and a disk that lies over folders of others. They share the kernel and the
clock."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

NETWORK = "192.0.2"  # kept for documents by RFC 5737, as the page has it
OUTSIDE = f"{NETWORK}.254"  # who is no machine
BOOTS_WITHIN = 120.0  # seconds
GROUPS = Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")
ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_FIND_LINKS": "/wheels",  # in the place of the indexes, whatever the command names
    "PIP_NO_INDEX": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_ROOT_USER_ACTION": "ignore",
}
BEGIN = """
hostname "$name"; mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$disk/upper,workdir=$disk/work" "$disk/root"
cd "$disk/root"
mount -t proc proc proc; mount -t sysfs sysfs sys; mount -t tmpfs -o mode=755 tmpfs dev
for d in null zero full random urandom tty; do touch "dev/$d"; mount --bind "/dev/$d" "dev/$d"; done
mkdir dev/pts dev/shm; mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm; mount -t tmpfs -o mode=755 tmpfs run
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p wheels mnt/before; mount --bind -o ro "$wheels" wheels
ip link set lo up
pivot_root . mnt/before; umount -l /mnt/before
exec env -i container=other PATH="$PATH" /sbin/init --log-target=journal --show-status=no
"""


class CommandError(Exception):
    """A command of a machine that ended otherwise than it should."""


@dataclass
class Machine:
    """``disk``: where what it writes goes; ``over``: folders that its disk lies over, besides those of all;
    ``inside``: the process number of its systemd here."""

    network: Network
    name: str
    address: str
    disk: Path
    over: Sequence[Path] = ()
    inside: int = 0
    outside: subprocess.Popen[bytes] | None = None
    _started: list[subprocess.Popen[str]] = field(default_factory=list)

    def _entered(self, script: str) -> list[str]:
        told = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        enter = ["nsenter", "--target", str(self.inside), "--all", "--wdns=/"]
        return [*enter, "env", "-i", *told, "bash", "-euo", "pipefail", "-c", script]

    def run(self, script: str, *, exits: int | None = 0) -> str:
        """What a script of bash prints, errors as well; CommandError where it does not end with ``exits``
        (None: however it ends)."""
        ended = subprocess.run(
            self._entered(script), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if exits is not None and ended.returncode != exits:
            raise CommandError(
                f"{self.name}: {script.strip()}\nended with {ended.returncode}:\n{ended.stdout}"
            )
        return ended.stdout

    def begin(self, script: str) -> subprocess.Popen[str]:
        """Begin a script without waiting for it."""
        begun = subprocess.Popen(
            self._entered(script), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._started.append(begun)
        return begun

    def write(self, path: str, data: bytes | str) -> None:
        """Write a file."""
        data = data.encode() if isinstance(data, str) else data
        script = self._entered(f'mkdir -p "$(dirname {path})"; cat > {path}')
        subprocess.run(script, input=data, check=True)

    def wait_until(self, script: str, seconds: float = 240.0) -> None:
        """Run a script again and again until it ends well."""
        until = time.monotonic() + seconds
        while True:
            try:
                self.run(script)
                return
            except CommandError:
                if time.monotonic() > until:
                    raise
            time.sleep(1)

    def kill(self) -> None:
        """End all its processes at once, as the end of electricity does; its disk stays."""
        if self.inside:
            with suppress(ProcessLookupError):
                os.kill(self.inside, signal.SIGKILL)
        if self.outside is not None:
            self.outside.wait()
        for begun in self._started:
            begun.wait()
        self._started.clear()
        self.inside, self.outside = 0, None

    def boot(self) -> None:
        """Begin with systemd, and wait until it has begun what it should."""
        group = next(place for place in GROUPS if (place / "cgroup.procs").is_file()) / f"machine-{self.name}"
        group.mkdir(exist_ok=True)
        for part in "upper", "work", "root":
            (self.disk / part).mkdir(parents=True, exist_ok=True)
        (self.disk / "upper/etc").mkdir(exist_ok=True)
        (self.disk / "upper/etc/hostname").write_text(f"{self.name}\n")
        mine = {
            "PATH": ENVIRONMENT["PATH"],
            "name": self.name,
            "disk": str(self.disk),
            "lower": ":".join(map(str, (*self.over, *self.network.lower))),
            "wheels": str(self.network.wheels),
        }
        spaces = ["--net", "--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "--kill-child"]
        joined = f"echo $$ > {group}/cgroup.procs; exec unshare {' '.join(spaces)} bash -ec '{BEGIN}'"
        self.outside = subprocess.Popen(["bash", "-ec", joined], env=mine, stdin=subprocess.DEVNULL)
        until = time.monotonic() + BOOTS_WITHIN
        while not self.inside:
            children = Path(f"/proc/{self.outside.pid}/task/{self.outside.pid}/children").read_text().split()
            if children and Path(f"/proc/{children[0]}/comm").read_text() in ("init\n", "systemd\n"):
                self.inside = int(children[0])
            if time.monotonic() > until or self.outside.poll() is not None:
                raise CommandError(f"{self.name}: systemd has not begun")
            time.sleep(0.1)
        self.network.join(self)
        self.wait_until("[[ $(systemctl is-system-running) =~ running|degraded ]]", BOOTS_WITHIN)


@dataclass
class Network:
    """A bridge, in a network namespace of its own. ``lower``: folders that every disk lies over, the nearest
    first; ``wheels``: packages for pip; ``disks``: where the machines' own files go."""

    lower: Sequence[Path]
    wheels: Path
    disks: Path
    holder: subprocess.Popen[bytes]
    machines: dict[str, Machine] = field(default_factory=dict)

    def bridge(self, script: str) -> str:
        enter = ["nsenter", "--target", str(self.holder.pid), "--net", "bash", "-euo", "pipefail", "-c"]
        return subprocess.run([*enter, script], check=True, stdout=subprocess.PIPE, text=True).stdout

    def machine(self, name: str, number: int, over: Sequence[Path] = ()) -> Machine:
        """A machine with the address ``number``, which has not begun."""
        made = Machine(self, name, f"{NETWORK}.{number}", self.disks / name, over)
        self.machines[name] = made
        return made

    def join(self, machine: Machine) -> None:
        """Put a machine that has begun on the bridge, and tell all names to all."""
        port = f"to-{machine.name}"
        with suppress(subprocess.CalledProcessError):
            self.bridge(f"ip link delete {port} 2>/dev/null")
        self.bridge(
            f"ip link add {port} type veth peer name eth0 netns {machine.inside}; "
            f"ip link set {port} master hub up"
        )
        machine.run(f"ip addr add {machine.address}/24 dev eth0 && ip link set eth0 up")
        hosts = "".join(f"{each.address} {each.name}\n" for each in self.machines.values())
        for each in self.machines.values():
            if each.inside:
                each.write("/etc/hosts", f"127.0.0.1 localhost\n{hosts}")

    def cut(self, machine: Machine) -> None:
        """Take a machine's cable out."""
        self.bridge(f"ip link set to-{machine.name} down")

    def mend(self, machine: Machine) -> None:
        """Put it in again."""
        self.bridge(f"ip link set to-{machine.name} up")

    def ask(self, script: str, *, exits: int | None = 0) -> str:
        """Run a script beside the machines, as somebody on their network would."""
        enter = [
            "nsenter",
            "--target",
            str(self.holder.pid),
            "--net",
            "bash",
            "-uo",
            "pipefail",
            "-c",
            script,
        ]
        ended = subprocess.run(
            enter, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if exits is not None and ended.returncode != exits:
            raise CommandError(f"outside: {script}\nended with {ended.returncode}:\n{ended.stdout}")
        return ended.stdout


@contextmanager
def network(lower: Sequence[Path], wheels: Path, disks: Path) -> Iterator[Network]:
    """A network until the block ends; all that its machines wrote goes with it."""
    disks.mkdir(parents=True)
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    made = Network(lower, wheels, disks, holder)
    try:
        time.sleep(0.5)
        made.bridge(
            "ip link add hub type bridge; ip link set hub up; ip link set lo up; "
            f"ip addr add {OUTSIDE}/24 dev hub"
        )
        yield made
    finally:
        for each in made.machines.values():
            each.kill()
        holder.kill()
        holder.wait()
        for place in GROUPS:
            for name in made.machines:
                for folder in sorted((place / f"machine-{name}").glob("**/"), reverse=True):
                    with suppress(OSError):
                        folder.rmdir()
        shutil.rmtree(disks, ignore_errors=True)
