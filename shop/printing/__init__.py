"""What is printed: Typst's templates, filled with data, as PDF or as pictures. Invoices and reports are made here."""
