"""Notices for programs: where they may go, how they are signed, and trying until they are taken."""
