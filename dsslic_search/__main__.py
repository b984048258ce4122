"""`python -m dsslic_search`: the command line where `dss-search` is not on the path."""

from dsslic_search.cli.program import program

if __name__ == "__main__":
    program()
