"""Our own CSV of prices."""

import pytest

from ingestion.pricing.catalogues import files, own_csv
from ingestion.pricing.catalogues.base import Catalogue, UnreadableError
from tests.ingestion.prices.reading import lines, reasons

HEADER = "provider,model,match,token_class,price,context_above,service_tier,effective_from\n"


def read(text: str) -> Catalogue:
    return files.read(text.encode())


def test_the_template_can_be_read() -> None:
    found = read(own_csv.template())
    assert lines(found) == {
        ("openai", "example-model", "input"): [(None, "1.25")],
        ("openai", "example-model", "output"): [(None, "10")],
        ("openai", "example-model", "input", 200_000): [(None, "2.5")],
        ("anthropic", "example-model", "unit:web_search"): [(None, "0.01")],
        ("*", "glob", "example-family-*", "output", "batch"): [("2026-01-01", "0.6")],
    }
    assert found.skipped == []
    assert found.source.startswith("catalogue:csv@")


def test_only_three_columns_are_needed_and_names_are_normalised() -> None:
    found = read('﻿Token_Class,MODEL,price\r\nINPUT," GPT-5 ",1.250000\r\n\r\noutput,GPT-5,\r\n')
    assert lines(found) == {("*", "gpt-5", "input"): [(None, "1.25")], ("*", "gpt-5", "output"): [(None, None)]}
    assert list(lines(read("provider,model,token_class,price\nVertex_AI,g,input,1\n"))) == [
        ("google-vertex", "g", "input")
    ]


def test_units_have_prices_per_piece() -> None:
    found = read("model,token_class,price\nm,UNIT:web_search,0.000000000001\nm,image_output,40\n")
    assert lines(found) == {
        ("*", "m", "unit:web_search"): [(None, "0.000000000001")],
        ("*", "m", "image_output"): [(None, "40")],
    }


def test_rows_of_one_line_are_its_history() -> None:
    row = "openai,o3,exact,input,{},0,standard,{}\n"
    found = read(
        HEADER + row.format("2", "2025-06-10T00:00:00Z") + row.format("10", "2025-04-16") + row.format("1", "")
    )
    assert lines(found) == {("openai", "o3", "input"): [("2025-06-10", "2"), ("2025-04-16", "10"), (None, "1")]}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("openai,m,exact,input,1.1234567,0,standard,", "has more than 6 decimals in USD per 1M tokens"),
        ("openai,m,exact,input,-1,0,standard,", "is negative"),
        ("openai,m,exact,input,99999,0,standard,", "is absurd: more than 10,000 USD per 1M tokens"),
        ("openai,m,exact,input,$1,0,standard,", "price is not a decimal number such as 0.15"),
        ('openai,m,exact,input,"1,25",0,standard,', "price is not a decimal number such as 0.15"),
        ("openai,m,exact,input,1e2,0,standard,", "price is not a decimal number such as 0.15"),
        ("openai,m,regex,input,1,0,standard,", "match is none of exact, prefix, glob"),
        ("openai,m,exact,words,1,0,standard,", "token_class is none of"),
        ("openai,m,exact,unit:,1,0,standard,", "token_class is none of"),
        ("openai,m,exact,unit:web search,1,0,standard,", "token_class is none of"),
        ("openai,m,exact,unit:é,1,0,standard,", "token_class is none of"),
        (f"openai,m,exact,unit:{'u' * 33},1,0,standard,", "token_class is none of"),
        ("openai,m,exact,unit:image,101,0,standard,", "is absurd: more than 100 USD per image"),
        ("openai,m,exact,unit:image,0.0000000000001,0,standard,", "has more than 12 decimals in USD per image"),
        ("openai,m,exact,input,1,-5,standard,", "context_above is not a number of tokens"),
        ("openai,m,exact,input,1,0,standard,yesterday", "effective_from is not a day or a time such as 2026-01-31"),
        ("openai,m,exact,input", "the row has more or fewer cells than the header"),
        ("openai,m,exact,input,1,0,standard,,more", "the row has more or fewer cells than the header"),
        ("openai,m*,exact,input,1,0,standard,", "the name of the model holds * or ?"),
        ("openai,,exact,input,1,0,standard,", "model_match is empty"),
        ("openai,m,exact,input,1,0," + "t" * 33 + ",", "service_tier is longer than 32 characters"),
    ],
)
def test_one_bad_row_costs_only_itself(row: str, reason: str) -> None:
    found = read(f"{HEADER}{row}\nopenai,good,exact,input,1,0,standard,\n")
    assert list(lines(found)) == [("openai", "good", "input")]
    assert [one.reason.startswith(reason) for one in found.skipped] == [True]


def test_a_bad_price_leaves_what_is_in_force() -> None:
    found = read(f"{HEADER}openai,m,exact,input,cheap,0,standard,\nopenai,m,exact,input,2,0,standard,2026-01-01\n")
    assert lines(found) == {}
    assert found.withheld == {("openai", "exact", "m", "input", "standard", 0)}


def test_the_same_line_twice_is_listed() -> None:
    row = "openai,m,exact,input,{},0,standard,\n"
    found = read(HEADER + row.format(1) + row.format(2))
    assert lines(found) == {("openai", "m", "input"): [(None, "1")]}
    assert reasons(found) == {"line 3: m": "the same price stands in an earlier row"}


@pytest.mark.parametrize(
    "text",
    [
        "model;token_class;price\nm;input;1\n",
        "model,token_class\nm,input\n",
        "model,token_class,price,prize\nm,input,1,2\n",
        "model,model,token_class,price\nm,m,input,1\n",
        'model,token_class,price\n"m,input,1\n',
    ],
)
def test_other_files_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UnreadableError, match=r"[A-Z].*(columns|CSV)"):
        read(text)


def test_bytes_of_another_encoding_are_refused() -> None:
    with pytest.raises(UnreadableError, match="UTF-8"):
        files.read("model,token_class,price\nmü,input,1\n".encode("latin-1"))


@pytest.mark.parametrize("name", ["", "Contract", "a@b", "a" * 33, "../x", "-a"])
def test_a_catalogue_has_a_plain_name(name: str) -> None:
    with pytest.raises(UnreadableError, match="name"):
        own_csv.read(own_csv.template().encode(), name=name, version="1")
