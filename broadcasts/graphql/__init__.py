"""``/graphql``: broadcasts for programs, by the same services as the pages."""

# Enumerations get their names there, before any type that has one is made.
from broadcasts.graphql import scalars as scalars
