"""Doorbells of teams."""

from celery import shared_task

from teams import letters


@shared_task
def send_reset(email: str) -> int:
    """Mail a link for a new password to that address, if it is somebody's; the number of mails."""
    return letters.send_reset(email)
