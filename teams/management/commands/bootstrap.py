"""`bootstrap`: the first organization, its administrator and keys."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from teams.services.bootstrap import Bootstrapped, bootstrap


class Command(BaseCommand):
    """Makes what is missing and prints it; secrets are printed in the run that makes them, and never again."""

    help = "Create an organization with its first administrator and keys. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("--organization", required=True, metavar="SLUG", help="Short name in URLs, such as acme.")
        parser.add_argument("--name", help="Name people read. Default: the slug.")
        parser.add_argument("--zone", default="UTC", help="Reporting zone, such as Europe/Berlin. Default: UTC.")
        parser.add_argument("--admin-email", required=True, metavar="EMAIL", help="Administrator, who becomes owner.")
        parser.add_argument("--admin-password", metavar="PASSWORD", help="Default: a generated one, printed once.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError with a sentence per value that cannot be used."""
        try:
            made = bootstrap(
                slug=options["organization"],
                name=options["name"] or options["organization"],
                zone=options["zone"],
                email=options["admin_email"],
                password=options["admin_password"],
                now=timezone.now(),
            )
        except ValidationError as error:
            raise CommandError(_sentence(error, options)) from None
        self.stdout.write(json.dumps(_as_json(made)) if options["json"] else _as_text(made))


def _as_json(made: Bootstrapped) -> dict[str, str]:
    """Organization and administrator, and the secrets of this run."""
    password = {"admin_password": made.password} if made.password else {}
    return {"organization": made.organization.slug, "admin_email": made.admin.email} | made.keys | password


def _as_text(made: Bootstrapped) -> str:
    labels = {
        "organization": "Organization",
        "admin_email": "Administrator",
        "admin_password": "Password",
        "ingest_key": "Key for sending",
        "read_key": "Key for reading",
    }
    found = _as_json(made)
    lines = [f"{label + ':':<17}{found[name]}" for name, label in labels.items() if name in found]
    if len(found) > 2:
        lines.append("Keys and passwords are shown this once. Keep them now.")
    return "\n".join(lines)


def _sentence(error: ValidationError, options: dict[str, Any]) -> str:
    """Which option is wrong, and why."""
    if not hasattr(error, "error_dict"):
        return f"--admin-email {options['admin_email']!r}: {' '.join(error.messages)}"
    names = {"slug": "organization"}
    return " ".join(
        f"--{names.get(field, field)} {options.get(names.get(field, field))!r}: {' '.join(messages)}"
        for field, messages in error.message_dict.items()
    )
