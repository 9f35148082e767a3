"""Routes of teams."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from teams.views import (
    audit,
    invitations,
    keys,
    passwords,
    people,
    person,
    provider,
    second_factor,
    sign_in,
    sso,
    teams,
)

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
    path("people/<int:number>/second-factor", provider.reset_factors, name="settings-factor-reset"),
    path("sign-in", provider.provider, name="settings-sign-in"),
    path("sign-in/remove", provider.remove, name="settings-sign-in-remove"),
    path("sign-in/domain", provider.domain, name="settings-sign-in-domain"),
    path("sign-in/only", provider.only, name="settings-sign-in-only"),
    path("sign-in/second-factor", provider.factor, name="settings-sign-in-factor"),
    path("audit", audit.audit, name="settings-audit"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", person.home, name="home"),
    path("sign-in", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-in/code", sign_in.factor, name="sign-in-factor"),
    path("sign-in/sso/<uuid:number>", sso.start, name="sso"),
    path("sign-in/sso/<uuid:number>/callback", sso.callback, name="sso-callback"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("profile", person.Profile.as_view(), name="profile"),
    path("profile/second-factor", second_factor.page, name="second-factor"),
    path("profile/second-factor/app", second_factor.add_app, name="second-factor-app"),
    path("profile/second-factor/passkey", second_factor.add_passkey, name="second-factor-passkey"),
    path("profile/second-factor/codes", second_factor.new_codes, name="second-factor-codes"),
    path("profile/second-factor/remove", second_factor.remove, name="second-factor-remove"),
    path("profile/preferences", person.preferences, name="preferences"),
    path("password-reset", passwords.reset, name="password-reset"),
    path("password-reset/sent", passwords.reset_sent, name="password-reset-sent"),
    path("password-reset/<uidb64>/<token>", passwords.ResetConfirm.as_view(), name="password-reset-confirm"),
    path("invitation/<str:token>", invitations.invitation, name="invitation"),
    path("o/<slug:slug>/settings/", include(_settings)),
]
