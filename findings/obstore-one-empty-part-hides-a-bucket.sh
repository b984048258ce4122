#!/bin/sh
# Expected: a bucket with one object whose key has an empty part ("scans//1.jpg", valid in S3: keys are plain texts) lists
# all objects, that one under its key, as boto3 does; at worst that object alone is left out or told. No guess
# was written down beforehand: it was met where a list failed in a test with odd names.
# Happens: the list of the bucket and of every prefix above that key raises InvalidPathError and gives nothing at all, not
# even objects that come before it; the object itself cannot be read (ValueError). Neighbouring prefixes are listed.
# Seen with obstore 0.12.1 (its Rust crate object_store parses each key of an answer as a path and ends the list at the
# first that is none), against moto 5.2.5's server of S3.
# Matters: upload scripts that join a prefix ending in "/" with a name beginning with one leave such keys, and one of them
# among a million scans makes an archive's whole bucket unreadable to a program that lists it through obstore.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "obstore==0.12.1" "moto[server]==5.2.5" "boto3==1.44.8"
"$place/venv/bin/python" - 2>/dev/null <<'PYTHON'
import sys
from importlib.metadata import version

import boto3
import obstore
from moto.server import ThreadedMotoServer
from obstore.exceptions import InvalidPathError
from obstore.store import S3Store

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
login = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **login)
client.create_bucket(Bucket="photos")
for key in ("album/1.jpg", "scans/0.jpg", "scans//1.jpg"):
    client.put_object(Bucket="photos", Key=key, Body=b"a photo")

store = S3Store(
    "photos",
    endpoint=address,
    region="us-east-1",
    access_key_id="any",
    secret_access_key="any",
    virtual_hosted_style_request=False,
    client_options={"allow_http": True},
)


def listed(prefix: str | None) -> list[str] | str:
    """The keys under a prefix, or what is raised."""
    try:
        return [told["path"] for part in obstore.list(store, prefix) for told in part]
    except InvalidPathError as error:
        return f"InvalidPathError: {str(error).partition(chr(10))[0]}"


print("obstore", version("obstore"), "against moto", version("moto"))
by_boto = [told["Key"] for told in client.list_objects_v2(Bucket="photos")["Contents"]]
found = {prefix: listed(prefix) for prefix in (None, "album", "scans")}
print("boto3:", by_boto)
for prefix, keys in found.items():
    print(f"obstore, prefix {prefix}:", keys)
server.stop()
as_told = (
    len(by_boto) == 3
    and found["album"] == ["album/1.jpg"]
    and all(str(found[prefix]).startswith("InvalidPathError") for prefix in (None, "scans"))
)
sys.exit(not as_told)
PYTHON
