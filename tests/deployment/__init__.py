"""docs/deployment.md, done as it stands, on machines made for it:

    python -m tests.deployment systemd --root DIR --wheels DIR --before VERSION --photos DIR
    python -m tests.deployment three …

It needs root, Linux with overlayfs, 5 GB of disk and a quarter of an hour a part, so pytest runs nothing of
it.

``--root``: a tree of Debian 12 (given again: one that it lies over), which machines only read:

    debootstrap --include=curl,dbus,iproute2,logrotate,nginx-light,openssl,postgresql,python3-venv,\\
        systemd-sysv bookworm ROOT
    chroot ROOT systemctl disable postgresql

``--wheels``: those of this version, of the earlier one that ``--before`` names, of moto[server], and of all
that they need, as `pip wheel` and `pip download` gather them; machines have no other index.
``--photos``: some 30 JPEG files.
"""
