"""The archive over HTTP: a server for one archive, and the page that it gives to browsers."""
