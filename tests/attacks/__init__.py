"""Bytes that somebody made up, put wherever bytes from elsewhere come in: a harness with an entry for each
such place. `python -m tests.attacks.run --help` tells of the long runs; `test_attacks.py` is the short
one."""
