"""Who gets what from every address: the reviewed table. An address that is missing here fails the suite.

Letters: Y let in (200, or a message about what was sent), S led to the sign-in page, K 401, N 403, 0 404, M 405,
R (administration) back to its index, as for what does not exist; - any of N, 0 and R. `*` any method. A method that has
no line is refused. `A | B`: rule A for the own team's object, rule B for the one of another team of the organization.
Objects of another organization and of nobody always answer alike, and never Y.
"""

from typing import Final

ACTORS: Final = (
    *("anonymous", "disabled", "owner", "admin", "finance", "manager", "viewer", "other_team", "member"),
    *("outsider", "nobody", "superuser"),
    *("ingest_key", "read_key", "team_key", "revoked_key", "expired_key", "demoted_key", "removed_key", "rival_key"),
)
"""disabled: an owner, signed in before. other_team: a viewer of another team. member: of no team. outsider: an
administrator of another organization. nobody: of none. superuser: an operator, in none. team_key: of the owner, for one
team. demoted_key: its owner was an administrator and is a member now. removed_key: its owner belongs here no more."""

#                       anonymous, disabled
#                       |  owner, admin, finance
#                       |  |   manager, viewer, other_team, member
#                       |  |   |    outsider, nobody, superuser
#                       |  |   |    |      ingest, read, team
#                       |  |   |    |      |   revoked, expired, demoted, removed, rival
RULES: Final = """
everybody               YY YYY YYYY YYY    YYY YYYYY
everybody but bad keys  YY YYY YYYY YYY    YYY KKYKY
refused                 NN NNN NNNN NNN    NNN NNNNN
nobody                  00 000 0000 000    000 00000
signed in               SS YYY YYYY YYY    SSS SSSSS
signed in: led away     MM YYY YYYY YYY    MMM MMMMM
signed out              SS SSS SSSS SSS    SSS SSSSS
members                 SS YYY YYYY 000    SSS SSSSS
members, no such        SS 000 0000 000    SSS SSSSS
members, their request  SS YYY YY00 000    SSS SSSSS
the other team's        SS YYY 00Y0 000    SSS SSSSS
who sees statements     SS YYY YYYN 000    SSS SSSSS
statement               SS YYY YYNN 000    SSS SSSSS
statement of the other  SS YYY NNYN 000    SSS SSSSS
who sets budgets        SS YYY YNNN 000    SSS SSSSS
annotation              SS YYY YN00 000    SSS SSSSS
annotation of the other SS YYY 00N0 000    SSS SSSSS
who reads statements    KK YYY YYYN YNN    NYY KKNKY
statement by API        KK YYY YYNN 0NN    NYY KKNK0
statement, the other's  KK YYY NNYN 0NN    NYN KKNK0
who sees all            SS YYY NNNN 000    SSS SSSSS
administrators          SS YYN NNNN 000    SSS SSSSS
administrators, no such SS 00N NNNN 000    SSS SSSSS
owners make owners      SS YNN NNNN 000    SSS SSSSS
managers of teams       SS YYN YNNN 000    SSS SSSSS
managers and finance    SS YYY YNNN 000    SSS SSSSS
managers of the other   SS YYN NNNN 000    SSS SSSSS
senders                 KK KKK KKKK KKK    YNN KKNNN
readers                 KK YYY YYYY YNN    NYY KKYKY
file of the asker       KK 000 0Y00 0NN    N00 KK0K0
file of the other       KK 000 0000 0NN    N00 KK0K0
one request             KK YYY YY00 0NN    NYY KK0K0
request of the other    KK YYY 00Y0 0NN    NY0 KK0K0
view                    KK YYY YY00 0NN    NYY KK0K0
view of the other       KK YYY 00Y0 0NN    NY0 KK0K0
change view             KK YYN YN00 0NN    NNN KK0K0
change the other's view KK YYN 00N0 0NN    NN0 KK0K0
set budget              KK YYY YN00 0NN    NNN KK0K0
set the other's budget  KK YYY 00N0 0NN    NN0 KK0K0
own default             KK YYY YY00 0NN    NNN KK0K0
own default of other    KK YYY 00Y0 0NN    NN0 KK0K0
people, not keys        KK YYY YYYY YNN    NNN KKNKN
who tells of events     KK YYY YYYY YNN    YNN KKNNN
remove annotation       KK YYY YN00 0NN    0NN KKNNN
remove the other's      KK YYY 00N0 0NN    0NN KKNNN
admin                   SS YYY SSSS YSY    SSS SSSSS
admin sign in           SS RRR NNNN RNR    SSS SSSSS
admin sign out          RR SSS RRRR SRS    RRR RRRRR
admin not there         SS 000 SSSS 0S0    SSS SSSSS
admin not offered       SS NNN SSSS NSN    SSS SSSSS
operators               SS NNN SSSS NSY    SSS SSSSS
operators not so        SS NNN SSSS NSN    SSS SSSSS
reprice                 SS YYY SSSS 0SY    SSS SSSSS
"""

TABLE: Final = """
GET    healthz                                               everybody
GET    readyz                                                everybody
GET    metrics                                               everybody
GET    api/schema/                                           everybody but bad keys
GET    api/docs/                                             everybody but bad keys
*      ^api/v1/[\\s\\S]*$                                    nobody

GET    (home)                                                signed in
GET    sign-in                                               everybody
POST   sign-in                                               everybody
PUT    sign-in                                               everybody
PATCH  sign-in                                               signed in: led away
DELETE sign-in                                               signed in: led away
TRACE  sign-in                                               signed in: led away
GET    sign-in/code                                          signed out
POST   sign-in/code                                          signed out
GET    sign-in/sso/<uuid:number>                             everybody
GET    sign-in/sso/<uuid:number>/callback                    refused
POST   sign-out                                              signed out
GET    profile                                               signed in
POST   profile                                               signed in
PUT    profile                                               signed in
GET    profile/second-factor                                 signed in
POST   profile/second-factor/app                             signed in
POST   profile/second-factor/passkey                         signed in
POST   profile/second-factor/codes                           signed in
POST   profile/second-factor/remove                          signed in
POST   profile/preferences                                   signed in
GET    password-reset                                        everybody
POST   password-reset                                        everybody
GET    password-reset/sent                                   everybody
*      password-reset/<uidb64>/<token>                       everybody
GET    invitation/<str:token>                                nobody
POST   invitation/<str:token>                                nobody
GET    unsubscribe/<str:token>                               nobody
POST   unsubscribe/<str:token>                               nobody

GET    o/<slug:slug>/                                        members
GET    o/<slug:slug>/data                                    members
GET    o/<slug:slug>/overview/                               members
GET    o/<slug:slug>/routing/                                members
GET    o/<slug:slug>/costs/                                  members
GET    o/<slug:slug>/requests/                               members
GET    o/<slug:slug>/requests/one                            members, their request | the other team's
GET    o/<slug:slug>/annotations/                            members
POST   o/<slug:slug>/annotations/                            members
POST   o/<slug:slug>/annotations/<int:number>/delete         annotation | annotation of the other
GET    o/<slug:slug>/statements/                             who sees statements
GET    o/<slug:slug>/statements/<slug:number>/               statement | statement of the other
GET    o/<slug:slug>/statements/<slug:number>/csv            statement | statement of the other
GET    o/<slug:slug>/statements/<slug:number>/pdf            statement | statement of the other
GET    o/<slug:slug>/statements/<slug:number>/focus          statement | statement of the other
GET    o/<slug:slug>/statements/months/<str:month>/          who sees all
POST   o/<slug:slug>/statements/months/<str:month>/close     who sees all
GET    o/<slug:slug>/bills/                                  who sees all
POST   o/<slug:slug>/bills/                                  who sees all
GET    o/<slug:slug>/bills/<int:number>/                     who sees all
GET    o/<slug:slug>/bills/<int:number>/csv                  who sees all
POST   o/<slug:slug>/bills/<int:number>/delete               who sees all
GET    o/<slug:slug>/statements/mails/                       who sees all
POST   o/<slug:slug>/statements/mails/rules                  who sees all
POST   o/<slug:slug>/statements/mails/mine                   who sees all
GET    o/<slug:slug>/statements/mails/preview                who sees all
GET    o/<slug:slug>/statements/mails/html                   who sees all
POST   o/<slug:slug>/statements/mails/test                   who sees all
POST   o/<slug:slug>/statements/mails/<int:mail>/again       who sees all
GET    o/<slug:slug>/statements/shared/                      who sees all
POST   o/<slug:slug>/statements/shared/                      who sees all
POST   o/<slug:slug>/statements/shared/<int:rule>/switch     who sees all
POST   o/<slug:slug>/statements/shared/<int:rule>/delete     who sees all
GET    o/<slug:slug>/statements/recipients/                  managers and finance
GET    o/<slug:slug>/statements/recipients/<int:number>/     managers and finance | who sees all
POST   o/<slug:slug>/statements/recipients/<int:number>/     managers and finance | who sees all
GET    o/<slug:slug>/statements/recipients/<int:number>/preview  managers and finance | who sees all
GET    o/<slug:slug>/statements/recipients/<int:number>/html  managers and finance | who sees all
POST   o/<slug:slug>/statements/recipients/<int:number>/test  managers and finance | who sees all
POST   o/<slug:slug>/statements/recipients/<int:number>/<int:recipient>/change  managers and finance | who sees all
POST   o/<slug:slug>/statements/recipients/<int:number>/<int:recipient>/remove  managers and finance | who sees all
GET    o/<slug:slug>/budgets/                                members
GET    o/<slug:slug>/budgets/new                             who sets budgets
POST   o/<slug:slug>/budgets/new                             who sets budgets
POST   o/<slug:slug>/budgets/watch                           members, no such
GET    o/<slug:slug>/budgets/<int:number>                    annotation | annotation of the other
POST   o/<slug:slug>/budgets/<int:number>                    annotation | annotation of the other
POST   o/<slug:slug>/budgets/<int:number>/delete             annotation | annotation of the other
POST   o/<slug:slug>/budgets/<int:number>/secret             annotation | annotation of the other

GET    o/<slug:slug>/settings/                               managers and finance
GET    o/<slug:slug>/settings/people                         administrators
POST   o/<slug:slug>/settings/people/invite                  administrators
POST   o/<slug:slug>/settings/people/<int:number>/role       owners make owners
POST   o/<slug:slug>/settings/people/<int:number>/remove     administrators
POST   o/<slug:slug>/settings/people/<int:number>/second-factor  administrators
POST   o/<slug:slug>/settings/people/invitations/<int:number>/resend  administrators
POST   o/<slug:slug>/settings/people/invitations/<int:number>/revoke  administrators
GET    o/<slug:slug>/settings/teams                          managers of teams
POST   o/<slug:slug>/settings/teams                          administrators
GET    o/<slug:slug>/settings/teams/<int:number>             managers of teams | managers of the other
POST   o/<slug:slug>/settings/teams/<int:number>/rename      administrators
POST   o/<slug:slug>/settings/teams/<int:number>/add         managers of teams | managers of the other
POST   o/<slug:slug>/settings/teams/<int:number>/people/<int:person>/role    managers of teams | managers of the other
POST   o/<slug:slug>/settings/teams/<int:number>/people/<int:person>/remove  managers of teams | managers of the other
GET    o/<slug:slug>/settings/models                         who sees all
POST   o/<slug:slug>/settings/models                         who sees all
GET    o/<slug:slug>/settings/teams/<int:number>/merge       administrators
POST   o/<slug:slug>/settings/teams/<int:number>/merge       administrators, no such
GET    o/<slug:slug>/settings/callers                        administrators
POST   o/<slug:slug>/settings/callers                        administrators, no such
POST   o/<slug:slug>/settings/callers/move                   administrators
GET    o/<slug:slug>/settings/callers/<int:number>           administrators
POST   o/<slug:slug>/settings/callers/<int:number>/rename    administrators
GET    o/<slug:slug>/settings/callers/<int:number>/merge     administrators
POST   o/<slug:slug>/settings/callers/<int:number>/merge     administrators, no such
GET    o/<slug:slug>/settings/accounts                       administrators
POST   o/<slug:slug>/settings/accounts                       administrators
POST   o/<slug:slug>/settings/accounts/move                  administrators
GET    o/<slug:slug>/settings/accounts/<int:number>          administrators
POST   o/<slug:slug>/settings/accounts/<int:number>/rename   administrators
GET    o/<slug:slug>/settings/accounts/<int:number>/merge    administrators
POST   o/<slug:slug>/settings/accounts/<int:number>/merge    administrators, no such
GET    o/<slug:slug>/settings/keys                           administrators
POST   o/<slug:slug>/settings/keys                           administrators
POST   o/<slug:slug>/settings/keys/<int:number>/rotate       administrators
POST   o/<slug:slug>/settings/keys/<int:number>/revoke       administrators
GET    o/<slug:slug>/settings/sign-in                        administrators
POST   o/<slug:slug>/settings/sign-in                        administrators
POST   o/<slug:slug>/settings/sign-in/remove                 owners make owners
POST   o/<slug:slug>/settings/sign-in/domain                 owners make owners
POST   o/<slug:slug>/settings/sign-in/only                   owners make owners
POST   o/<slug:slug>/settings/sign-in/second-factor          owners make owners
GET    o/<slug:slug>/settings/audit                          administrators

GET    o/<slug:slug>/ingestion/                              who sees all
POST   o/<slug:slug>/ingestion/test                          administrators
GET    o/<slug:slug>/ingestion/mapping                       administrators
POST   o/<slug:slug>/ingestion/mapping                       administrators
GET    o/<slug:slug>/ingestion/mapping/try                   administrators
POST   o/<slug:slug>/ingestion/mapping/try                   administrators
GET    o/<slug:slug>/ingestion/mapping/<int:number>          administrators
POST   o/<slug:slug>/ingestion/mapping/<int:number>          administrators
POST   o/<slug:slug>/ingestion/mapping/<int:number>/move     administrators
POST   o/<slug:slug>/ingestion/mapping/<int:number>/remove   administrators
GET    o/<slug:slug>/ingestion/upload                        administrators
POST   o/<slug:slug>/ingestion/upload                        administrators
GET    o/<slug:slug>/ingestion/upload/<uuid:upload_id>/      administrators
GET    o/<slug:slug>/ingestion/upload/<uuid:upload_id>/progress  administrators
POST   o/<slug:slug>/ingestion/upload/<uuid:upload_id>/read      administrators
POST   o/<slug:slug>/ingestion/upload/<uuid:upload_id>/import    administrators
POST   o/<slug:slug>/ingestion/upload/<uuid:upload_id>/discard   administrators

POST   api/v1/requests                                       senders
POST   api/v1/ingest/litellm                                 senders
POST   api/v1/ingest/envoy                                   senders
POST   v1/traces                                             senders
POST   v1/metrics                                            senders
POST   v1/logs                                               senders
POST   api/public/ingestion                                  senders
POST   api/public/otel/v1/traces                             senders

GET    api/v1/requests                                       readers
GET    api/v1/requests/<path:request_id>                     one request | request of the other
GET    api/v1/statements                                     who reads statements
GET    api/v1/statements/<str:number>                        statement by API | statement, the other's
GET    api/v1/metrics/query                                  readers
POST   api/v1/metrics/query                                  readers
GET    api/v1/metrics/meta                                   readers
GET    api/v1/report                                         readers
GET    api/v1/focus                                          who reads statements
GET    api/v1/dimensions/<path:name>/values                  readers
GET    api/v1/exports                                        readers
POST   api/v1/exports                                        readers
GET    api/v1/exports/<uuid:export_id>                       file of the asker | file of the other
DELETE api/v1/exports/<uuid:export_id>                       file of the asker | file of the other
GET    api/v1/exports/<uuid:export_id>/file                  file of the asker | file of the other
GET    api/v1/exports/<uuid:export_id>/manifest              file of the asker | file of the other
GET    api/v1/saved-views                                    readers
POST   api/v1/saved-views                                    people, not keys
GET    api/v1/saved-views/<str:view_id>                      view | view of the other
PUT    api/v1/saved-views/<str:view_id>                      change view | change the other's view
DELETE api/v1/saved-views/<str:view_id>                      change view | change the other's view
GET    api/v1/saved-views/<str:view_id>/result               view | view of the other
PUT    api/v1/saved-views/<str:view_id>/default/<str:whom>   own default | own default of other
DELETE api/v1/saved-views/<str:view_id>/default/<str:whom>   own default | own default of other
GET    api/v1/budgets                                        readers
POST   api/v1/budgets                                        people, not keys
GET    api/v1/budgets/<str:budget_id>                        view | view of the other
PATCH  api/v1/budgets/<str:budget_id>                        set budget | set the other's budget
DELETE api/v1/budgets/<str:budget_id>                        set budget | set the other's budget
GET    api/v1/budgets/<str:budget_id>/status                 view | view of the other
GET    api/v1/annotations                                    readers
POST   api/v1/annotations                                    who tells of events
GET    api/v1/annotations/<str:annotation_id>                view | view of the other
DELETE api/v1/annotations/<str:annotation_id>                remove annotation | remove the other's

GET    admin/                                                admin
POST   admin/                                                admin
GET    admin/login/                                          admin sign in
POST   admin/login/                                          admin sign in
POST   admin/logout/                                         admin sign out
GET    admin/password_change/                                admin
POST   admin/password_change/                                admin
GET    admin/password_change/done/                           admin
GET    admin/autocomplete/                                   admin not offered
GET    admin/jsi18n/                                         admin
*      admin/r/<path:content_type_id>/<path:object_id>/      admin not there
GET    admin/^(?P<app_label>teams|ingestion|analytics)/$     admin
POST   admin/^(?P<app_label>teams|ingestion|analytics)/$     admin
*      admin/(?P<url>.*)$                                    admin not there
GET    admin/teams/user/<id>/password/                       operators
POST   admin/teams/user/<id>/password/                       operators
POST   admin/ingestion/repricerun/<int:pk>/apply/            reprice
GET    admin/ingestion/priceentry/price/                     admin
POST   admin/ingestion/priceentry/price/                     admin
POST   admin/ingestion/priceentry/price/bill/                admin
GET    admin/ingestion/priceentry/entries/                   admin
POST   admin/ingestion/priceentry/entries/                   admin
GET    admin/ingestion/priceentry/model/                     admin not there
POST   admin/ingestion/priceentry/model/                     admin not there
GET    admin/ingestion/priceentry/import/                    admin
POST   admin/ingestion/priceentry/import/                    admin
GET    admin/ingestion/priceentry/import/template.csv        admin
POST   admin/ingestion/priceentry/import/template.csv        admin
"""
