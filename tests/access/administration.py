"""Who may do what with each model of the administration: the other part of the reviewed table."""

from typing import Final

ADMINISTRATION: Final = """
#                            thing          see       add        change     delete
teams/auditentry             audit          managers  none       none       none
teams/apikey                 key            managers  managers   none       none
teams/organization           organization   finance   operators  managers   none
teams/membership             member         managers  operators  managers   managers
teams/user                   user           managers  operators  operators  none
teams/team                   team           finance   managers   managers   none
teams/virtualaccount         account        finance   managers   managers   none
ingestion/llmmodel           model          finance   none       none       none
ingestion/virtualmodel       virtual_model  finance   none       none       none
ingestion/errortype          error_type     finance   none       none       none
ingestion/gatewayuser        gateway_user   finance   none       managers   none
ingestion/metadatakey        metadata_key   finance   none       managers   none
ingestion/priceentry         price          finance   finance    none       none
ingestion/repricerun         reprice        finance   finance    none       none
ingestion/llmrequest         request        finance   none       none       none
ingestion/ingestbatch        batch          finance   none       none       none
ingestion/attributerule      rule           finance   managers   managers   managers
ingestion/priceadjustment    adjustment     finance   finance    none       none
ingestion/modelalias         alias          finance   finance    none       none
ingestion/costpolicy         policy         finance   finance    none       none
analytics/period             period         finance   none       none       none
analytics/statement          statement      finance   none       none       none
analytics/sharingrule        sharing        finance   none       none       none
analytics/budget             budget         finance   none       none       none
analytics/notice             notice         finance   none       none       none
analytics/webhookcall        call           finance   none       none       none
analytics/outboxmail         mail           finance   none       none       none
analytics/exchangerate       rate           finance   finance    none       none
"""
"""Models of the administration: who of owner, admin, finance and superuser may. managers: not finance; none: not even
the superuser. Everybody else is led to the sign-in page."""
