"""What everything else stands on: errors, settings, files, the class list, text, and the program's
enumerations."""
