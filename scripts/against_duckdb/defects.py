"""What meunier is known to answer wrong, so that other differences are seen. A line goes when its defect is mended."""
import re

DEFECTS = {
    # DataFusion starts MIN and MAX of a group at the largest finite double, not at infinity; a join's groups are its own.
    "MIN and MAX of infinities in groups of a join": r"\b(MIN|MAX)\((\w\.)?wild\)",
    # DataFusion's plan for them takes no count of copies.
    "EXCEPT ALL and INTERSECT ALL": r"\b(EXCEPT|INTERSECT) ALL\b",
    # Multi-stage, it groups by whole arrays; Pinot's integration tests expect a group for each element.
    "GROUP BY ARRAYTOMV": r"\bARRAYTOMV\(",
    # DataFusion's plans disagree on whether the result can be null: error 450.
    "DISTINCT of IS TRUE over a join": r"\bDISTINCT\b.*\bIS (NOT )?(TRUE|FALSE)\b",
    # DataFusion names a CAST as its input: error 720.
    "a key beside its own CAST": r"(\bJOIN\b|FROM \().*GROUP BY .*\bCAST\(",
    # BinaryView and Binary do not meet: error 700 or 720.
    "COALESCE of BYTES with hexToBytes": r"\bCOALESCE\([^)]*hexToBytes",
}
_ANY = re.compile("|".join(DEFECTS.values()), re.IGNORECASE)


def touches(sql: str) -> bool:
    """Returns whether a statement has a shape that a known defect spoils."""
    return _ANY.search(sql) is not None
