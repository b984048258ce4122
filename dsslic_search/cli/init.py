"""The command `init`: an empty archive, and where it keeps what is not in its folder."""

from __future__ import annotations

from typing import Annotated

import typer

from dsslic_search.cli.options import ArchiveDir, Wait, say_waiting
from dsslic_search.core.text import printable


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(init)


def init(
    archive: ArchiveDir = None,
    objects: Annotated[
        str | None,
        typer.Option(
            "--objects",
            metavar="URL",
            help="Keep the photos' files in a bucket: s3://BUCKET/PREFIX, gs://… or az://…; else in "
            "$DSS_OBJECTS, else in the archive's folder.",
            show_default=False,
        ),
    ] = None,
    catalog: Annotated[
        str | None,
        typer.Option(
            "--catalog",
            metavar="URL",
            help="Keep the catalog in a database: postgresql+psycopg://USER@HOST/NAME; else in $DSS_CATALOG, "
            "else in the archive's folder.",
            show_default=False,
        ),
    ] = None,
    wait: Wait = None,
) -> None:
    """Make an empty archive. An ingest makes one, too; this says first where its parts are to be kept.

    Every other command finds them: the archive remembers both, without a password. That comes from
    $DSS_CATALOG or from what PostgreSQL's own programs read ($PGPASSWORD, ~/.pgpass), and a bucket's keys
    from the environment ($AWS_ACCESS_KEY_ID and so on).
    """
    from dsslic_search.api import Archive

    with Archive(archive, wait=wait, waiting=say_waiting) as opened:
        compares = opened.init(objects=objects, catalog=catalog)
        manifest = opened.folder.manifest
        typer.echo(
            printable(
                f"{opened.folder.root}: photos' files in {manifest.objects or 'its folder'}, catalog in "
                f"{manifest.catalog or 'its folder'}{', which compares photos itself' if compares else ''}"
            ),
            err=True,
        )
