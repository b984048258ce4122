"""Three machines: one has the database and the bucket, two put the same photos in, and one of these ends
without a word while it does; all three answer. The bucket is of moto's server, which keeps it in memory."""

from __future__ import annotations

import json

from tests.deployment.machines import Machine
from tests.deployment.systemd import HERE, TOKEN, answers, total
from tests.deployment.trial import Trial, holds, say

BUCKET = "http://db:5000"
MOTO = f"""
python3 -m venv /opt/moto
/opt/moto/bin/pip install -q --no-compile "moto[server]"
systemd-run --quiet --unit=bucket /opt/moto/bin/moto_server -H 0.0.0.0 -p 5000
until curl -sf -o /dev/null {BUCKET}; do sleep 1; done
curl -sf -X PUT {BUCKET}/photos
"""
QUESTION = "sky or mountain or grass or water"


def tried(trial: Trial) -> None:
    """The whole part."""
    net = trial.net
    layer = trial.installed()
    db, one, two = (net.machine(name, i, [layer]) for i, name in enumerate(("db", "one", "two"), 1))
    for machine in db, one, two:
        machine.boot()
        trial.first_files(machine)
    trial.do(db, "The database")
    db.run(MOTO)
    for machine in one, two, db:
        machine.run("systemctl stop nginx 2>/dev/null || true")
        trial.do(machine, "Each machine", only=slice(1, 3))
    say(trial.do(one, "Each machine", only=slice(3, 4)))
    for machine in two, db:
        say(trial.do(machine, "Each machine", only=slice(4, 5)))
    put_in(trial, db, one, two)
    answered(trial, db, one, two)
    kept(trial, db, one, two)


def rows(db: Machine) -> int:
    """Photos that the database has."""
    return int(db.run("cd / && runuser -u postgres -- psql -Atc 'SELECT count(*) FROM photo' photos"))


def put_in(trial: Trial, db: Machine, one: Machine, two: Machine) -> None:
    """Two put the same folder in; one of them goes."""
    photos = trial.photos[:24]
    for machine in one, two:
        trial.give(machine, "/srv/photos", photos)
    _, second = (machine.begin("photos ingest --workers 1 /srv/photos") for machine in (one, two))
    db.wait_until("[ $(cd / && runuser -u postgres -- psql -Atc 'SELECT count(*) FROM photo' photos) -ge 4 ]")
    trial.net.cut(one)  # so that nobody is told of its end
    one.kill()
    say(f"one is gone; the database has {rows(db)} photos of {len(photos)}")
    told, _ = second.communicate()
    say(told)
    holds("two ends well", second.returncode == 0)
    holds("and has put in what one was at", rows(db) == len(photos))
    one.boot()
    trial.net.mend(one)
    say(one.run("photos ingest /srv/photos"))
    holds("nothing is there twice", rows(db) == len(photos))
    say(one.run("photos check --read-data"))


def answered(trial: Trial, db: Machine, one: Machine, two: Machine) -> None:
    """All three answer, whatever becomes of the database meanwhile."""
    asked = [machine.run(f"photos query '{QUESTION}' --all --json") for machine in (db, one, two)]
    holds("commands on all three answer alike", asked[0] == asked[1] == asked[2] and '"path"' in asked[0])
    for machine in db, one, two:
        machine.write(
            "/etc/systemd/system/dss-search.service", trial.file("/etc/systemd/system/dss-search.service")
        )
        trial.do(machine, "The service on each")
    for machine in db, one, two:
        answers(machine)
    question = f"{TOKEN}; curl -sf -G -H \"$H\" {HERE}/api/query --data-urlencode 'q={QUESTION}'"
    told = [machine.run(question) for machine in (db, one, two)]
    holds("the three services answer alike", told[0] == told[1] == told[2])
    known = [each["id"] for each in json.loads(told[0])["objects"]]
    stage = f"{HERE}/api/photos/{known[-1]}/stages/coarse?format=png"
    picture = f'{TOKEN}; curl -sf -H "$H" {stage} | sha256sum'
    holds("and show the same", len({machine.run(picture) for machine in (db, one, two)}) == 1)
    two.run(f"photos tag add best {known[0]} {known[1]}")
    holds("a tag of one is seen by all", [total(each, "tag:best") for each in (db, one, two)] == [2, 2, 2])
    trial.give(two, "/srv/more", trial.photos[24:26])
    two.run("photos ingest /srv/more; photos sync")
    all_of = len(trial.photos[:26])
    holds("what one puts in is found by all", [total(each, "") for each in (db, one, two)] == [all_of] * 3)
    holds("and nothing of others counts as lost", total(one, "is:missing") == 0)
    say(one.run("photos sync", exits=None))
    holds("nor to who does not see the folder", total(two, "is:missing") == 0)
    db.run("systemctl stop postgresql")
    one.run("systemctl restart dss-search; sleep 5")
    say(one.run("journalctl -n 3 -o cat --no-pager -u dss-search"))
    say(two.run(f"{TOKEN}; curl -s -H \"$H\" '{HERE}/api/query?q=sky'", exits=None))
    db.run("systemctl start postgresql")
    for machine in db, one, two:
        answers(machine)
    holds(
        "all answer again when the database does",
        [total(each, "") for each in (db, one, two)] == [all_of] * 3,
    )


def kept(trial: Trial, db: Machine, one: Machine, two: Machine) -> None:
    """A dump of the database, and the way back."""
    trial.do(db, "Keeping it", only=slice(0, 1))
    two.run("photos tag add later --query tag:best")
    trial.give(two, "/srv/more", trial.photos[26:27])
    two.run("photos ingest /srv/more")
    for machine in db, one, two:
        machine.run("systemctl stop dss-search")
    trial.do(db, "Keeping it", only=slice(1, 2))
    say(one.run("photos check", exits=None))
    tags = one.run("photos tag list")
    holds("the state of the dump is back", rows(db) == 26 and "best" in tags and "later" not in tags)
    say(two.run("photos ingest /srv/more"))
    holds("what came later is put in again", rows(db) == 27)
    for machine in db, one, two:
        machine.run("systemctl start dss-search")
    for machine in db, one, two:
        answers(machine)
    holds("all three answer of it", [total(each, "") for each in (db, one, two)] == [27] * 3)
