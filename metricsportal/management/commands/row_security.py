"""`manage.py row_security`: policies and role of row-level security, made and looked through."""

from argparse import ArgumentParser
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from metricsportal.row_security import database

ROLE: Final = "portal_app"


class Command(BaseCommand):
    """Makes or checks what PORTAL_RLS=on needs; see docs/row-level-security.md."""

    help = "Make (--apply) or look through (--check) the policies of row-level security on PostgreSQL."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        act = parser.add_mutually_exclusive_group(required=True)
        act.add_argument("--apply", action="store_true", help="make role and policies, with the owner of the tables")
        act.add_argument("--check", action="store_true", help="exit 1 unless they hold for the role of DATABASE_URL")
        parser.add_argument("--role", default=ROLE, help=f"role of the portal's processes, default {ROLE}")

    def handle(self, *args: object, apply: bool, check: bool, role: str, **options: object) -> None:
        """Do one of the two. Safe to repeat; nothing is changed when something is refused."""
        if connection.vendor != "postgresql":
            raise CommandError("Row-level security needs PostgreSQL; DATABASE_URL names none.")
        try:
            if apply:
                self.stdout.write(f"{database.apply(role)} tables have policies for {role}.")
            elif found := database.problems():
                raise CommandError("\n".join(found))
            else:
                self.stdout.write("Row-level security holds.")
        except (DatabaseError, ImproperlyConfigured) as error:
            raise CommandError(str(error).strip()) from error
