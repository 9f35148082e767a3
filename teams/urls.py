"""Routes of teams."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from teams.views import audit, invitations, keys, passwords, people, person, teams

_settings = [
    path("", audit.settings, name="settings"),
    path("people", people.people, name="settings-people"),
    path("people/invite", people.invite, name="settings-invite"),
    path("people/<int:number>/role", people.role, name="settings-role"),
    path("people/<int:number>/remove", people.remove, name="settings-remove"),
    path("people/invitations/<int:number>/resend", people.resend, name="settings-invitation-resend"),
    path("people/invitations/<int:number>/revoke", people.revoke, name="settings-invitation-revoke"),
    path("teams", teams.teams, name="settings-teams"),
    path("teams/<int:number>", teams.team, name="settings-team"),
    path("teams/<int:number>/rename", teams.rename, name="settings-team-rename"),
    path("teams/<int:number>/add", teams.add, name="settings-team-add"),
    path("teams/<int:number>/people/<int:person>/role", teams.role, name="settings-team-role"),
    path("teams/<int:number>/people/<int:person>/remove", teams.remove, name="settings-team-remove"),
    path("keys", keys.keys, name="settings-keys"),
    path("keys/<int:number>/rotate", keys.rotate, name="settings-key-rotate"),
    path("keys/<int:number>/revoke", keys.revoke, name="settings-key-revoke"),
    path("audit", audit.audit, name="settings-audit"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", person.home, name="home"),
    path("sign-in", person.SignIn.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("profile", person.Profile.as_view(), name="profile"),
    path("profile/preferences", person.preferences, name="preferences"),
    path("password-reset", passwords.reset, name="password-reset"),
    path("password-reset/sent", passwords.reset_sent, name="password-reset-sent"),
    path("password-reset/<uidb64>/<token>", passwords.ResetConfirm.as_view(), name="password-reset-confirm"),
    path("invitation/<str:token>", invitations.invitation, name="invitation"),
    path("o/<slug:slug>/settings/", include(_settings)),
]
