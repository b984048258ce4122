"""What the program does, recorded, so that a rebuilt program can be compared with it.

    python -m tests.behaviour record OUT.json --photos DIR [--source DIR] [--archive DIR] [--keep-archive DIR]
    python -m tests.behaviour compare BEFORE.json AFTER.json [--grouped]

``record`` encodes and decodes the photos in DIR (samples/collect.py gathers some), ingests them and painted
scenes whose label maps are known, asks more than a thousand queries, and runs the commands, rightly and
wrongly. It knows the command line and ``dsslic_search.Archive``, ``encode`` and ``decode`` alone, so that it
outlives any move of modules. ``--source`` records the build in another tree. ``--keep-archive`` keeps the
archives it made; ``--archive`` also asks a copy of archives kept earlier, which may be another version's.
``compare`` prints every difference, or with ``--grouped`` those that are alike together, and exits with 1 if
there is one.

Times, dates of now, cursors and folders of the machine are left out. Every step runs on one thread, commands
that only read two at a time. On one machine two records of one version are equal to the last bit; on another
processor the networks may round otherwise, and label maps, files and pixels differ with them.
"""
