"""Database functions that differ between PostgreSQL and SQLite. Values from outside are bound, never written."""

from collections.abc import Sequence
from typing import Any

from django.db.models import BigIntegerField, BooleanField, F, Func, TextField, Value
from django.db.models.expressions import Combinable, Expression

from ingestion.writer.bulk import among

Sql = tuple[str, tuple[Any, ...]]


class EpochSeconds(Func):
    """Whole seconds since 1970 of an instant, rounded down."""

    output_field = BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Sql:
        """`FLOOR(EXTRACT(EPOCH ...))`."""
        sql, params = compiler.compile(self.source_expressions[0])
        return f"FLOOR(EXTRACT(EPOCH FROM {sql}))::bigint", tuple(params)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Sql:
        """`strftime('%s', ...)`, the percent sign doubled for the driver."""
        sql, params = compiler.compile(self.source_expressions[0])
        return f"CAST(strftime('%%s', {sql}) AS INTEGER)", tuple(params)


class EpochMicroseconds(Func):
    """Whole microseconds since 1970 of an instant, exact."""

    output_field = BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Sql:
        """In doubles, which tell microseconds apart until 2242 and take a tenth of the time of `EXTRACT`."""
        sql, params = compiler.compile(self.source_expressions[0])
        return f"ROUND(DATE_PART('epoch', {sql}) * 1000000)::bigint", tuple(params)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Sql:
        """Seconds by `strftime`, the fraction from the text, which has six digits or none."""
        sql, params = compiler.compile(self.source_expressions[0])
        whole = f"CAST(strftime('%%s', {sql}) AS INTEGER) * 1000000"
        return f"({whole} + CAST(substr(substr({sql}, 21) || '000000', 1, 6) AS INTEGER))", (*params, *params)


class MetadataText(Func):
    """The text of one key of the fact's metadata, NULL when absent. The key is a bound parameter."""

    output_field = TextField()

    def __init__(self, key: str) -> None:
        super().__init__(F("metadata"), Value(key, output_field=TextField()))

    def copy(self) -> Any:
        """A plain copy; the signature of Func.copy."""
        return Expression.copy(self)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Sql:
        """`metadata ->> key`."""
        column, key = (compiler.compile(part) for part in self.source_expressions)
        return f"({column[0]} ->> {key[0]})", (*column[1], *key[1])

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Sql:
        """A look-up among the pairs, because a JSON path would be made of the key."""
        column, key = (compiler.compile(part) for part in self.source_expressions)
        sql = f"(SELECT value FROM json_each({column[0]}) WHERE key = {key[0]})"  # noqa: S608 - compiled parts only
        return sql, (*column[1], *key[1])


class OneOf(Func):
    """Whether a whole number is one of many, with one parameter for all of them: `IN` has one each."""

    output_field = BooleanField()

    def __init__(self, number: Combinable, numbers: Sequence[int]) -> None:
        super().__init__(number)
        self._numbers = list(numbers)

    def copy(self) -> Any:
        """A plain copy; the signature of Func.copy."""
        return Expression.copy(self)

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **context: Any) -> Sql:
        """`= ANY(array)` on PostgreSQL, a look-up in a JSON array on SQLite."""
        sql, params = compiler.compile(self.source_expressions[0])
        condition, numbers = among(sql, self._numbers)
        return condition, (*params, numbers)
