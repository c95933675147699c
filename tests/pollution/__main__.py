"""`python -m tests.pollution [WORD…]`: pollute both tables, inspect every file, show what became of them.

Without words the result is also written into docs/importing.md; with words, only files whose name holds one
of them are tried, and each that harmed other lines is shown.
"""
