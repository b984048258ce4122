"""One machine, with systemd and nginx."""

from __future__ import annotations

import json

from tests.deployment.machines import Machine
from tests.deployment.trial import Trial, holds, say

NAME = "photos.example.org"
HERE = "http://127.0.0.1:8765"
CERTIFICATE = f"/etc/letsencrypt/live/{NAME}"
OWN_CERTIFICATE = f"""
mkdir -p {CERTIFICATE}
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={NAME} -addext subjectAltName=DNS:{NAME} \\
    -keyout {CERTIFICATE}/privkey.pem -out {CERTIFICATE}/fullchain.pem 2>/dev/null
"""
TOKEN = 'H="Authorization: Bearer $(cat /var/lib/dss-search/token)"'


def total(machine: Machine, query: str) -> int:
    """How many photos the service finds."""
    script = f"{TOKEN}; curl -sf -G -H \"$H\" {HERE}/api/query --data-urlencode 'q={query}'"
    return int(json.loads(machine.run(script))["total"])


def answers(machine: Machine) -> None:
    """Wait until the service answers."""
    machine.wait_until(f'{TOKEN}; curl -sf -o /dev/null -H "$H" {HERE}/api/archive')


def tried(trial: Trial) -> None:
    """The whole part."""
    layer = trial.installed()
    machine = trial.net.machine("photos", 10, [layer])
    machine.boot()
    trial.give(machine, "/srv/photos", trial.photos[:6])
    say(trial.do(machine, "The first photos"))
    served(trial, machine)
    shown_to_others(trial, machine)
    every_night(trial, machine)
    told(trial, machine)
    another_version(trial, machine)


def served(trial: Trial, machine: Machine) -> None:
    """The service alone."""
    trial.do(machine, "The service")
    answers(machine)
    say(machine.run("systemd-analyze verify /etc/systemd/system/dss-search.service"))
    status = machine.run(f"curl -s -o /dev/null -w '%{{http_code}}' {HERE}/api/archive")
    holds("nobody is answered without the token", status == "401")
    holds("all photos are found", total(machine, "") == 6)
    owner = "ps -o user:20= -p $(systemctl show -P MainPID dss-search)"
    holds("it is not root's", machine.run(owner).strip() == "dss-search")
    trial.give(machine, "/srv/photos", trial.photos[6:8])
    machine.wait_until(f'{TOKEN}; curl -sf -H "$H" {HERE}/api/archive | grep -q \'"photos": *8\'')
    holds("photos that come are put in", total(machine, "") == 8)
    before = machine.run("cat /var/lib/dss-search/token; systemctl show -P MainPID dss-search").split()
    machine.run("kill -9 $(systemctl show -P MainPID dss-search)")
    machine.wait_until("systemctl is-active dss-search")
    answers(machine)
    after = machine.run("cat /var/lib/dss-search/token; systemctl show -P MainPID dss-search").split()
    holds("killed, it begins anew, with the same token", after[0] == before[0] and after[1] != before[1])


def shown_to_others(trial: Trial, machine: Machine) -> None:
    """nginx before it, asked from another machine."""
    machine.run(OWN_CERTIFICATE)  # which stands in for one of an authority
    machine.run("systemctl start nginx")
    address = trial.do(machine, "The page, for others").strip().splitlines()[-1]
    authority = trial.net.disks / "authority.pem"
    authority.write_text(machine.run(f"cat {CERTIFICATE}/fullchain.pem"))
    jar, at = trial.net.disks / "cookies", f"https://{NAME}"
    resolved = " ".join(f"--resolve {NAME}:{port}:{machine.address}" for port in (80, 443))
    curl = f"curl -s --cacert {authority} {resolved}"
    status = f"{curl} -o /dev/null -w '%{{http_code}}'"
    ask = trial.net.ask
    holds("strangers are asked for the token", ask(f"{status} {at}/") == "401")
    holds("http leads to https", f"https://{NAME}/" in ask(f"{curl} -i http://{NAME}/"))
    holds(
        "the server itself is not to be reached",
        ask(f"curl -s http://{machine.address}:8765/", exits=None) == "",
    )
    welcome = ask(f"{curl} -i -c {jar} '{address}'").lower()
    holds("the token gives a cookie", "303" in welcome and "secure" in welcome and "location: /" in welcome)
    holds("with it the page opens", "<title>" in ask(f"{curl} -b {jar} {at}/"))
    foreign = ask(f"{status} -b {jar} -H 'Origin: https://evil.example' {at}/api/archive")
    own = ask(f"{status} -b {jar} -H 'Origin: {at}' {at}/api/archive")
    holds("pages of other sites are refused, its own are not", (foreign, own) == ("403", "200"))
    machine.run("systemctl restart dss-search")
    answers(machine)
    holds("the cookie outlives a restart", ask(f"{status} -b {jar} {at}/api/archive") == "200")
    picture = ask(f"{curl} -b {jar} '{at}/api/photos/1/stages/compact?format=webp' | head -c 4")
    holds("pictures come", picture == "RIFF")
    events = ask(f"{curl} -b {jar} -N --max-time 3 {at}/api/ingest/events | head -c 1 | wc -c", exits=None)
    holds("events are not held back", events.strip() == "1")
    large = trial.net.disks / "large.jpg"
    large.write_bytes(trial.photos[8].read_bytes() + bytes(5_000_000))
    sent = ask(f"{curl} -b {jar} -F files=@{large} -F files=@{trial.photos[9]} {at}/api/ingest")
    holds("photos of more than a megabyte are taken", '"job"' in sent)
    machine.wait_until(f'{TOKEN}; curl -sf -H "$H" {HERE}/api/archive | grep -q \'"photos": *10\'')
    ended = machine.run(
        "systemctl stop dss-search; systemctl show -P Result dss-search; systemctl start dss-search"
    )
    holds("it ends well", ended.strip() == "success")
    answers(machine)


def every_night(trial: Trial, machine: Machine) -> None:
    """The timer, what it begins, and the way back."""
    say(trial.do(machine, "Every night", only=slice(0, 3)))
    machine.run("cd /srv/backup/photos && sha256sum --quiet -c SHA256SUMS")
    machine.run("photos tag add best 1; systemctl start dss-search-nightly.service")
    holds("the copy is an archive", "10 photos" in machine.run("photos stats --archive /srv/backup/photos"))
    often = "/etc/systemd/system/dss-search-nightly.timer.d/often.conf"
    machine.write(often, "[Timer]\nOnCalendar=*:*:0/5\nRandomizedDelaySec=0\nAccuracySec=1s\n")
    since = machine.run("systemctl show -P ExecMainStartTimestamp dss-search-nightly").strip()
    machine.run("systemctl daemon-reload; systemctl restart dss-search-nightly.timer")
    machine.wait_until(f'[ "$(systemctl show -P ExecMainStartTimestamp dss-search-nightly)" != "{since}" ]')
    machine.run(
        f"rm -r $(dirname {often}); systemctl daemon-reload; systemctl restart dss-search-nightly.timer"
    )
    machine.wait_until("[ $(systemctl show -P ActiveState dss-search-nightly.service) = inactive ]")
    say("    holds: the timer begins it")
    machine.run("mv /srv/backup /srv/away; install -d /srv/backup")  # root's
    machine.run("systemctl start dss-search-nightly.service", exits=1)
    holds("what goes wrong leaves it failed", "nightly" in machine.run("systemctl --failed"))
    say(machine.run("journalctl --no-pager -n 5 -o cat -u dss-search-nightly"))
    machine.run("rmdir /srv/backup; mv /srv/away /srv/backup; systemctl reset-failed")
    trial.do(machine, "Every night", only=slice(3, None))
    answers(machine)
    holds("what was lost is back, tags too", (total(machine, ""), total(machine, "tag:best")) == (10, 1))


def told(trial: Trial, machine: Machine) -> None:
    """The journal and nginx's log."""
    machine.run(f"systemctl stop dss-search; curl -sk -o /dev/null https://127.0.0.1/ -H 'Host: {NAME}'")
    machine.run("systemctl start dss-search; test -s /var/log/nginx/error.log")  # which has the 502
    say(trial.do(machine, "What it said"))
    machine.run("journalctl --rotate; logrotate --force /etc/logrotate.d/nginx")
    rotated = machine.run("ls /var/log/nginx; nginx -t; systemctl reload nginx; ls /var/log/journal/*")
    say(rotated)
    holds("both are rotated", "error.log.1" in rotated and "system@" in rotated)
    holds(
        "nginx keeps no addresses", "token" not in machine.run("cat /var/log/nginx/access.log*", exits=None)
    )


def another_version(trial: Trial, machine: Machine) -> None:
    """An archive and the program of before, brought up to date, and back."""
    pip, extras = "/opt/dss-search/bin/pip install", "dsslic-search[web,watch]"
    machine.run(
        "systemctl stop dss-search dss-search-nightly.timer; rm -rf /var/lib/dss-search/archive /srv/backup/*"
    )
    machine.run(f"{pip} '{extras}=={trial.before}'; photos ingest /srv/photos; photos tag add best 1")
    say(machine.run("photos --version; photos doctor | grep revision"))
    say(trial.do(machine, "Another version", only=slice(0, 1)))
    answers(machine)
    holds("it is up to date, and all is there", (total(machine, ""), total(machine, "tag:best")) == (8, 1))
    say(machine.run("photos --version; photos doctor | grep revision"))
    failed = machine.run("photos check --read-data; systemctl --failed")
    holds("and nothing is wrong", "0 loaded units" in failed)
    trial.do(machine, "Another version", only=slice(1, 2), OLD_VERSION=trial.before)
    holds("the version before has what it had", "8 photos" in machine.run("photos stats"))
