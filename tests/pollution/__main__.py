"""`python -m tests.pollution [WORDS]`: pollute both tables, inspect every file, show what became of them.

Without words the result is also written into docs/importing.md. With words only the files whose name begins
with them are tried, and those in which other lines suffered are named.
"""

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.pollution import reporting, tables

    words = " ".join(sys.argv[1:])
    chosen = [
        (table.name, [file for file in reporting.files_of(table) if file.name.startswith(words)])
        for table in (tables.retail(), tables.german())
    ]
    results = [reporting.measure(name, files) for name, files in chosen if files]
    text = reporting.report(results)
    print(
        text, *(f"harmed: {result.table}, {name}" for result in results for name in result.harmed), sep="\n"
    )
    if not words:
        reporting.document(text)


if __name__ == "__main__":
    main()
