"""Made-up traffic of two days, and files of providers that say the same."""

from datetime import UTC, datetime
from typing import Any, Final

from teams.models import Organization
from tests import make

MODEL: Final = "gpt-4o-2024-08-06"
CLAUDE: Final = "claude-haiku-4-5-20251001"
FIRST: Final = datetime(2026, 11, 20, 9, tzinfo=UTC)
SECOND: Final = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
PRICES: Final = {
    MODEL: {"input": "2.5", "cache_read": "1.25", "output": "10"},
    CLAUDE: {"input": "1", "cache_read": "0.1", "cache_write": "1.25", "cache_write_1h": "2", "output": "5"},
}
"""USD per million tokens."""


def prices() -> None:
    """The price book."""
    for model, classes in PRICES.items():
        for token_class, usd in classes.items():
            make.price(model, token_class, usd)


def openai(acme: Organization, provider: str = "openai", **fields: Any) -> None:
    """Day one: 3,000 input of which 1,000 cached, 300 output in two requests; day two: 500 and 50 in one."""
    one = {"model": MODEL, "provider": provider, **fields}
    make.request(acme, started_at=FIRST, input_tokens=2_000, cache_read_tokens=1_000, output_tokens=200, **one)
    make.request(acme, started_at=FIRST, input_tokens=1_000, output_tokens=100, **one)
    make.request(acme, started_at=SECOND, input_tokens=500, output_tokens=50, **one)


def anthropic(acme: Organization) -> None:
    """Day one: 1,000 input, 4,000 read, 500 written for five minutes, 300 for an hour; 200 output."""
    make.request(
        acme,
        model=CLAUDE,
        provider="anthropic",
        started_at=FIRST,
        input_tokens=5_800,
        cache_read_tokens=4_000,
        cache_write_tokens=800,
        cache_write_1h_tokens=300,
        output_tokens=200,
    )


OPENAI_USAGE: Final = f"""\
start_time,end_time,start_time_iso,project_id,num_model_requests,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens,input_audio_tokens
1795132800,1795219200,2026-11-20T00:00:00+00:00,proj_1,2,{MODEL},False,default,3000,300,1000,0
1795219200,1795305600,2026-11-21T00:00:00+00:00,proj_1,1,{MODEL},,,500,50,0,
1795305600,1795392000,2026-11-22T00:00:00+00:00,,,,,,,,,
"""
# 2,000 x 2.5 + 1,000 x 1.25 + 300 x 10; 500 x 2.5 + 50 x 10, per million
OPENAI_COSTS: Final = f"""\
start_time,end_time,start_time_iso,amount_value,amount_currency,line_item,project_id
1795132800,1795219200,2026-11-20T00:00:00+00:00,0.0050000000000,usd,"{MODEL}, input",proj_1
1795132800,1795219200,2026-11-20T00:00:00+00:00,0.00125000000000000,usd,"{MODEL}, cached input",proj_1
1795132800,1795219200,2026-11-20T00:00:00+00:00,0.003,usd,"{MODEL}, output",proj_1
1795219200,1795305600,2026-11-21T00:00:00+00:00,0.00125,usd,"{MODEL}, input",proj_1
1795219200,1795305600,2026-11-21T00:00:00+00:00,5e-4,usd,"{MODEL}, output",proj_1
1795305600,1795392000,2026-11-22T00:00:00+00:00,,,,
"""
ANTHROPIC_USAGE: Final = f"""\
usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count,inference_geo
2026-11-20,{CLAUDE},k,Default,message,≤ 200k,1000,500,300,4000,200,0,global
"""
ANTHROPIC_COST: Final = """\
usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type
2026-11-20,Claude Haiku 4.5,Default,k,message,≤ 200k,input_no_cache,0.001,0.001,token
2026-11-20,Claude Haiku 4.5,Default,k,message,≤ 200k,input_cache_read,0.0004,0.0004,token
2026-11-20,Claude Haiku 4.5,Default,k,message,≤ 200k,input_cache_write_5m,0.000625,0.000625,token
2026-11-20,Claude Haiku 4.5,Default,k,message,≤ 200k,input_cache_write_1h,0.0006,0.0006,token
2026-11-20,Claude Haiku 4.5,Default,k,message,≤ 200k,output,0.001,0.001,token
"""
_OPENROUTER: Final = (
    "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_cached,model_permaslug,x"
)
OPENROUTER_REQUESTS: Final = f"""\
{_OPENROUTER}
gen-1,2026-11-20 09:00:00.271,0.00575,2000,200,1000,openai/{MODEL},
gen-2,2026-11-20 09:00:01.000,0.0035,1000,100,0,openai/{MODEL},
gen-3,2026-11-21 23:30:00.000,0.00175,500,50,0,openai/{MODEL},
"""
OPENROUTER_DAYS: Final = f"""\
date,model,model_permaslug,provider_name,usage,byok_usage_inference,requests,prompt_tokens,completion_tokens,reasoning_tokens
2026-11-20,gpt-4o,openai/{MODEL},OpenAI,0.00925,0,2,3000,300,0
2026-11-21,gpt-4o,openai/{MODEL},OpenAI,0.00175,0,1,500,50,0
"""
GENERIC: Final = f"""\
When;Which;Kind;How many;USD
2026-11-20;{MODEL};Input tokens;2000;$0.005
2026-11-20;{MODEL};Cached;1000;0.00125
2026-11-20;{MODEL};Output tokens;300;0.003
2026-11-21;{MODEL};input;500;0.00125
2026-11-21;{MODEL};output;50;0.0005
"""
GENERIC_COLUMNS: Final = {
    "column_day": "When",
    "column_model": "Which",
    "column_token_class": "Kind",
    "column_quantity": "How many",
    "column_cost": "USD",
}
