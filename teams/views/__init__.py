"""Pages for people: sign-in and profile, invitations, the settings of an organization."""
