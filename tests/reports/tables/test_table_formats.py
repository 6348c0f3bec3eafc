import csv
import io

from facedis.reports.tables.table_formats import TABLE_FORMATS, TextTable, to_csv, to_latex, to_markdown

TABLE = TextTable("50 % of a_b", ("", "C_exp"), (("beta1-0", "60.5 % [58.9, 62.1]"), ("a|b, c", "–")))


def test_markdown_has_a_rule_and_escapes_pipes():
    lines = to_markdown(TABLE).splitlines()
    assert lines[0] == "50 % of a_b" and lines[3] == "| :-- | --: |"
    assert lines[2] == "|  | C_exp |"
    assert lines[5] == "| a\\|b, c | – |"


def test_latex_escapes_special_characters():
    text = to_latex(TABLE)
    assert "\\caption{50 \\% of a\\_b}" in text
    assert "beta1-0 & 60.5 \\% {[}58.9, 62.1] \\\\" in text
    assert "a|b, c & -- \\\\" in text
    assert text.count("\\\\") == 3 and "\\begin{tabular}{lr}" in text


def test_csv_can_be_read_back():
    rows = list(csv.reader(io.StringIO(to_csv(TABLE))))
    assert rows == [list(TABLE.header), *map(list, TABLE.rows)]


def test_every_format_ends_with_a_newline():
    assert all(to_text(TABLE).endswith("\n") for to_text in TABLE_FORMATS.values())
