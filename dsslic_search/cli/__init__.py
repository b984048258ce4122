"""The command line: parse input, call the library, print."""
