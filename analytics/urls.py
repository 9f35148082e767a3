"""Routes of analytics."""

from django.urls import URLPattern, URLResolver, include, path

from analytics.views import (
    annotations,
    bills,
    budgets,
    costs,
    dashboard,
    finance_mails,
    mails,
    models,
    names,
    overview,
    recipients,
    requests,
    routing,
    sharing,
    statements,
)

_KINDS = (("caller", "callers", "caller"), ("virtual_account", "accounts", "account"))
_settings = [
    path("models", models.models, name="settings-models"),
    path("teams/<int:number>/merge", names.merge, {"kind": "team"}, name="settings-team-merge"),
    *(path(many, names.names, {"kind": kind}, name=f"settings-{many}") for kind, many, _ in _KINDS),
    *(path(f"{many}/move", names.move, {"kind": kind}, name=f"settings-{many}-move") for kind, many, _ in _KINDS),
    *(
        path(f"{many}/<int:number>{act and '/'}{act}", view, {"kind": kind}, name=f"settings-{one}{act and '-'}{act}")
        for kind, many, one in _KINDS
        for act, view in (("", names.name), ("rename", names.rename), ("merge", names.merge))
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("o/<slug:slug>/", dashboard.dashboard, name="dashboard"),
    path("o/<slug:slug>/data", dashboard.dashboard_data, name="dashboard-data"),
    path("o/<slug:slug>/overview/", overview.overview, name="overview"),
    path("o/<slug:slug>/routing/", routing.routing, name="routing"),
    path("o/<slug:slug>/annotations/", annotations.add, name="annotation-add"),
    path("o/<slug:slug>/annotations/<int:number>/delete", annotations.delete, name="annotation-delete"),
    path("o/<slug:slug>/costs/", costs.costs, name="costs"),
    path("o/<slug:slug>/requests/", requests.requests, name="requests"),
    path("o/<slug:slug>/requests/one", requests.detail, name="request"),
    path("o/<slug:slug>/statements/", statements.statements, name="statements"),
    path("o/<slug:slug>/statements/months/<str:month>/", statements.month, name="statement-month"),
    path("o/<slug:slug>/statements/months/<str:month>/close", statements.close, name="statement-month-close"),
    path("o/<slug:slug>/statements/mails/", mails.mails, name="mails"),
    path("o/<slug:slug>/statements/mails/rules", mails.rules, name="mail-rules"),
    path("o/<slug:slug>/statements/mails/mine", finance_mails.choose, name="finance-mails"),
    path("o/<slug:slug>/statements/mails/preview", finance_mails.preview, name="finance-mail-preview"),
    path("o/<slug:slug>/statements/mails/html", finance_mails.html, name="finance-mail-html"),
    path("o/<slug:slug>/statements/mails/test", finance_mails.test, name="finance-mail-test"),
    path("o/<slug:slug>/statements/mails/<int:mail>/again", mails.again, name="mail-again"),
    path("o/<slug:slug>/statements/recipients/", recipients.teams, name="recipients"),
    path("o/<slug:slug>/statements/recipients/<int:number>/", recipients.team, name="team-recipients"),
    path("o/<slug:slug>/statements/recipients/<int:number>/preview", recipients.preview, name="mail-preview"),
    path("o/<slug:slug>/statements/recipients/<int:number>/html", recipients.html, name="mail-html"),
    path("o/<slug:slug>/statements/recipients/<int:number>/test", recipients.test, name="mail-test"),
    path(
        "o/<slug:slug>/statements/recipients/<int:number>/<int:recipient>/change",
        recipients.change,
        name="recipient-change",
    ),
    path(
        "o/<slug:slug>/statements/recipients/<int:number>/<int:recipient>/remove",
        recipients.remove,
        name="recipient-remove",
    ),
    path("o/<slug:slug>/statements/shared/", sharing.sharing, name="shared-costs"),
    path("o/<slug:slug>/statements/shared/<int:rule>/switch", sharing.switch, name="shared-costs-switch"),
    path("o/<slug:slug>/statements/shared/<int:rule>/delete", sharing.delete, name="shared-costs-delete"),
    path("unsubscribe/<str:token>", mails.unsubscribe, name="unsubscribe"),
    path("o/<slug:slug>/statements/<slug:number>/", statements.statement, name="statement"),
    path("o/<slug:slug>/statements/<slug:number>/csv", statements.statement_csv, name="statement-csv"),
    path("o/<slug:slug>/statements/<slug:number>/pdf", statements.statement_pdf, name="statement-pdf"),
    path("o/<slug:slug>/settings/", include(_settings)),
    path("o/<slug:slug>/statements/<slug:number>/focus", statements.statement_focus, name="statement-focus"),
    path("o/<slug:slug>/budgets/", budgets.budgets, name="budgets"),
    path("o/<slug:slug>/budgets/new", budgets.add, name="budget-add"),
    path("o/<slug:slug>/budgets/watch", budgets.watch, name="budget-watch"),
    path("o/<slug:slug>/bills/", bills.bills, name="bills"),
    path("o/<slug:slug>/bills/<int:number>/", bills.bill, name="bill"),
    path("o/<slug:slug>/bills/<int:number>/csv", bills.bill_csv, name="bill-csv"),
    path("o/<slug:slug>/bills/<int:number>/delete", bills.bill_delete, name="bill-delete"),
    path("o/<slug:slug>/budgets/<int:number>", budgets.change, name="budget"),
    path("o/<slug:slug>/budgets/<int:number>/delete", budgets.delete, name="budget-delete"),
    path("o/<slug:slug>/budgets/<int:number>/secret", budgets.secret, name="budget-secret"),
    path("", include("analytics.api.urls")),
]
