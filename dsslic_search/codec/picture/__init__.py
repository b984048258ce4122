"""Photos as files: opened, their metadata and colours understood, and saved."""
